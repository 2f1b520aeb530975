"""Charts over time, and of what is now against what was before."""

import re
from xml.etree import ElementTree

from embassay.evaluate.report.series import MOST_MARKS, Moment, SpreadChart, TimeChart, histogram, over_time

DAY = 86_400.0
NOON = 1_700_000_000.0


def parsed(chart):
    return ElementTree.fromstring(chart)


def test_a_line_goes_through_the_figures_and_is_broken_where_one_is_not_known():
    values = [0.1, 0.2, None, 0.4, 0.3]
    moments = [Moment(NOON + at * DAY, value) for at, value in enumerate(values)]
    drawn = parsed(over_time(TimeChart("Share", moments)))
    lines = [one.get("points").split() for one in drawn.iter("polyline")]
    assert [len(one) for one in lines] == [2, 2]
    heights = [float(point.split(",")[1]) for run in lines for point in run]
    assert sorted(heights, reverse=True) == [heights[i] for i in (0, 1, 3, 2)], "higher figures stand higher"
    assert "4 figures between 0.1 and 0.4, the newest 0.3" in drawn.get("aria-label")


def test_each_state_has_a_shape_and_its_words():
    moments = [Moment(NOON + at, 0.5, state, "<b>why") for at, state in enumerate(("ok", "warn", "alert"))]
    chart = over_time(TimeChart("Share", moments, bounds={"alert": 0.4}))
    assert len({one.get("d") for one in parsed(chart).iter("path")}) == 3
    assert "<b>" not in chart and "&lt;b&gt;why" in chart
    assert "alert: 0.4" in chart


def test_a_chart_of_many_figures_keeps_its_bad_marks():
    moments = [Moment(NOON + 60 * at, 0.1, "alert" if at == 3 else "ok") for at in range(MOST_MARKS + 10)]
    drawn = parsed(over_time(TimeChart("Share", moments)))
    assert len([*drawn.iter("path")]) == 2


def test_a_few_round_times_stand_below():
    for span in (30, 3_600, 5 * 3_600, DAY, 9 * DAY, 200 * DAY):
        chart = over_time(TimeChart("x", [Moment(NOON, 1.0), Moment(NOON + span, 2.0)]))
        times = re.findall(r'text-anchor="(?:start|middle|end)">(\d\d:\d\d|[A-Z]\w\w \d\d)<', chart)
        assert 2 <= len(times) <= 6, (span, times)


def test_a_clock_that_jumped():
    moments = [Moment(at, 1.0) for at in (NOON, 1e300, NOON - DAY, -5.0)]
    drawn = parsed(over_time(TimeChart("x", moments)))
    assert [one.get("points").count(",") for one in drawn.iter("polyline")] == [2]


def test_one_figure_alone_and_none():
    assert over_time(TimeChart("x", [])) == "" == over_time(TimeChart("x", [Moment(NOON, None)]))
    assert "polyline" in over_time(TimeChart("x", [Moment(NOON, 0.0)]))


def test_a_histogram_has_bars_of_now_and_an_outline_of_before():
    spread = SpreadChart("Scores", [0.0, 0.5, 1.0], [0.25, 0.75], [0.5, 0.5])
    drawn = parsed(histogram(spread))
    bars = [*drawn.iter("rect")]
    heights = [float(bar.get("height")) for bar in bars]
    assert abs(heights[1] / heights[0] - 3) < 0.05
    assert bars[0].find("title").text == "0.00 to 0.50: 25.0% now, 50.0% before"
    assert len([*drawn.iter("polyline")]) == 1
    assert not [*parsed(histogram(SpreadChart("Scores", [0, 1], [1.0]))).iter("polyline")]
    assert histogram(SpreadChart("Scores", [0, 1], [0.0])) == ""
