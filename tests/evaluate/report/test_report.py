"""The HTML report, in a real browser."""

import dataclasses

import pytest

from embassay.errors import HomeNotWritable
from embassay.evaluate.compare.opening import Options, compare
from embassay.evaluate.data.judged import JudgedSet
from embassay.evaluate.report import page as pages
from embassay.evaluate.report.charts import Point, scatter
from embassay.evaluate.report.costs import latency, points, storage
from embassay.evaluate.report.drawing import Logarithmic, Scale
from embassay.evaluate.report.page import render, write_report
from embassay.types import Document
from tests.browser import check_look, chromium

HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> & \"quoted\""


@pytest.fixture
def found(tmp_path, monkeypatch):
    """A comparison with a failure, a hostile document and a hostile query."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    documents = tuple(
        Document(f"d{n}", f"d{n}", f"needle{n} hay {HOSTILE if n == 3 else ''}", title=f"Title {n}") for n in range(60)
    )
    queries = {f"q{n}": f"needle{n} {HOSTILE if n == 3 else ''}" for n in range(40)}
    qrels = {f"q{n}": {f"d{n}": 1} for n in range(40)}
    sources = {f"q{n}": "label" if n % 2 else "heading" for n in range(40)}
    judged = JudgedSet("made & set/test", documents, queries, qrels, sources)
    names = ["hash/64", "hash/64@lexical", "hash/64@hybrid", "hash/64@f32", "./no-model-here"]
    return compare(names, judged, by=("length", "source"), options=Options(robustness=True))


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture
def opened(found, browser, tmp_path):
    """A page with what it asked for and what it complained of."""
    file = tmp_path / "report.html"
    write_report(found, file)
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(file.as_uri())
    yield page, asked, complaints
    page.close()


def test_it_opens_without_a_network(opened, tmp_path):
    _, asked, complaints = opened
    assert asked == [(tmp_path / "report.html").as_uri()] and complaints == []


def test_what_documents_say_is_only_text(opened):
    page, *_ = opened
    assert page.title() == "Switch to hash/64@lexical: made & set/test"
    assert page.locator("script, img, iframe").count() == 0
    assert "&lt;script&gt;" in page.content()


def test_whatever_is_not_ours_is_escaped(found):
    text = render(found)
    assert "<script>document" not in text and "<img src=x" not in text
    assert "&lt;script&gt;document" in text, "the hostile query is on the page"


def test_the_verdict_and_the_tables(opened, found):
    page, *_ = opened
    assert "Switch to" in page.locator("#verdict strong").inner_text()
    rows = page.locator("#candidates tbody tr")
    assert rows.count() == 5 and "failed" not in rows.nth(0).inner_text()
    assert "no-model-here" in rows.nth(4).inner_text() and "256 MB" in rows.nth(0).inner_text(), (
        "as the terminal has it"
    )
    assert "20 queries of people (20 label)" in page.locator("header").inner_text()
    assert "20 heading" in page.locator("header").inner_text(), "which have no say"
    assert page.locator("#candidates td.best").count() >= 3
    said = page.locator("#differences td.said").all_inner_texts()
    assert said == [pair.verdict for pair in found.deciding]


def test_the_charts_are_drawn(opened, found):
    page, *_ = opened
    assert page.locator("#differences svg circle").count() == len(found.deciding)
    assert page.locator("#metrics svg circle").count() == len(found.metrics)
    pair = found.foremost
    assert page.locator("#queries rect.gain").count() == pair.wins
    assert page.locator("#queries rect.loss").count() == pair.losses
    assert page.locator("#costs svg.chart").count() == 2 and page.locator("#costs line.spread").count() == 2 * 2 * 4
    storage_marks = page.locator("#costs figure").nth(1).locator("text.number").all_text_contents()
    assert any({"1", "4"} <= set(mark.split(", ")) for mark in storage_marks), (
        "one model in two forms: neither hides the other"
    )


def test_parts_and_altered_queries(opened, found):
    page, *_ = opened
    said = page.locator("#slices td.said").all_inner_texts()
    assert sorted(said) == sorted(one.says for one in (*found.origins, *found.slices)) and "better" in said
    assert page.locator("#robustness tbody tr").count() == len(found.robustness) > 0


def test_every_query_that_changed_is_there_with_both_lists_and_the_right_answer(opened, found):
    page, *_ = opened
    every = found.changed(found.foremost, None)
    examples = page.locator("#changed details:not(.rest)")
    assert examples.count() == len(every) > 10
    assert [" ".join(text.split()) for text in page.locator("#changed summary b").all_text_contents()] == [
        " ".join(change.text.split()) for change in every
    ], "the most changed first"
    second = examples.nth(1)
    assert not second.locator("ol").first.is_visible()
    second.locator("summary").click()
    assert second.locator("ol").count() == 2 and second.locator("ol").first.is_visible()
    assert second.locator(".answers li").inner_text().startswith("Title")
    rest = page.locator("#changed details.rest")
    assert not rest.locator("details").first.is_visible()
    rest.locator("summary").first.click()
    assert rest.locator("details").first.is_visible()
    for at in range(examples.count()):
        one = examples.nth(at)
        assert one.locator("li.relevant").count() + one.locator("text=/number|None of/").count() >= 2, "in each list"


def test_the_hardest_queries_have_hits_and_answers(opened, found):
    page, *_ = opened
    hardest = page.locator("#hardest details")
    assert hardest.count() == 10
    hardest.first.locator("summary").click()
    assert hardest.first.locator("ol").count() == 4 and hardest.first.locator(".answers li").is_visible()


def test_of_very_many_changed_queries_the_scores_are_listed(found, monkeypatch):
    monkeypatch.setattr(pages, "IN_FULL", 12)
    every = found.changed(found.foremost, None)
    text = render(found)
    assert text.count("<ol>") == 2 * 12 + 4 * 10
    assert text.count("</td></tr>\n<tr><td>needle") >= len(every) - 13


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("width", [360, 480, 800, 1280])
def test_nothing_is_cut_and_no_chart_speaks_louder_than_the_page(browser, found, tmp_path, scheme, width):
    file = tmp_path / "report.html"
    write_report(found, file)
    check_look(browser, file, width, scheme)


def test_nothing_to_compare_is_still_a_page(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    judged = JudgedSet("j", (Document("d", "d", "text"),), {"q": "text"}, {"q": {"d": 1}})
    text = render(compare(["./none", "./neither"], judged))
    assert "Undecided" in text and "<svg" not in text


def test_it_cannot_be_written(found, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeNotWritable):
        write_report(found, tmp_path / "file" / "report.html")


def test_only_what_is_clear_beats_a_candidate(found):
    """Medians that lie within each other's spread are in no order: of equals neither is beaten."""
    made = {point.label: point for point in points(found, {row.name: row.name for row in found.rows}, storage)}
    assert set(made) == {"hash/64", "hash/64@lexical", "hash/64@hybrid", "hash/64@f32"}
    assert not made["hash/64@lexical"].beaten and made["hash/64"].beaten and made["hash/64@f32"].beaten
    dense = {"p50": 5.0, "p95": 9.0, "p99": 9.5, "n": 9}
    timed = [
        dataclasses.replace(row, costs=dataclasses.replace(row.costs, latency_ms={**dense, "p50": 5.0 + at}))
        for at, row in enumerate(row for row in found.rows if row.name in ("hash/64", "hash/64@f32"))
    ]
    equals = dataclasses.replace(found, rows=timed)
    assert [point.beaten for point in points(equals, {row.name: row.name for row in timed}, latency)] == [False, False]
    cheap = dataclasses.replace(
        timed[1], costs=dataclasses.replace(timed[1].costs, latency_ms={**dense, "p50": 1.0, "p95": 2.0})
    )
    clear = dataclasses.replace(found, rows=[timed[0], cheap])
    assert [point.beaten for point in points(clear, {row.name: row.name for row in timed}, latency)] == [True, False]


def test_the_cost_begins_at_zero_unless_it_spans_a_decade():
    def drawn(*costs):
        return scatter([Point(f"c{x}", at, x, x * 1.1, 0.5, 0.4, 0.6, False) for at, x in enumerate(costs, 1)],
                       "ms", "nDCG@10", "{:g}".format)  # fmt: skip

    assert ">0</text>" in drawn(5.0, 5.2), "noise is not zoomed into"
    assert ">1, 2<" in drawn(5.0, 5.2) and ">1<" in drawn(2.0, 9.0)
    assert ">0</text>" not in drawn(1.0, 90.0) and ">10</text>" in drawn(1.0, 90.0)
    assert "NaN" not in drawn(0.0, 0.0) and scatter([], "x", "y", str) == ""
    assert Scale(0, 9, 0, 100).ticks == [0, 2, 4, 6, 8, 10]
    assert Logarithmic(0.4, 30, 0, 100).ticks == [0.5, 1, 2, 5, 10, 20]
