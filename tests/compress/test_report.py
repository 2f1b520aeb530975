"""The report of compression, in a real browser."""

import dataclasses

import pytest

import embassay
from embassay.compress.opening import compress
from embassay.compress.report import render, write_report
from embassay.errors import HomeNotWritable
from tests.browser import check_look, chromium
from tests.compress.made import home_of, judged

HOSTILE = "<script>document.title='owned'</script> & \"quoted\""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    data = judged()
    folder = tmp_path_factory.mktemp("report") / ".embassay"
    home_of(folder, data)
    with embassay.open(folder) as home:
        return compress(
            home, "words", dataclasses.replace(data, name=HOSTILE), max_loss=0.02, metrics=("nDCG@10", "R@100")
        )


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture
def opened(found, browser, tmp_path):
    """A page with what it asked for and what it complained of."""
    write_report(found, tmp_path / "report.html")
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto((tmp_path / "report.html").as_uri())
    yield page, asked, complaints
    page.close()


def test_it_opens_without_a_network_and_what_others_say_is_text(opened, found, tmp_path):
    page, asked, complaints = opened
    assert asked == [(tmp_path / "report.html").as_uri()] and complaints == []
    assert page.title() == f"{found.proposal.scheme} is proposed: words"
    assert page.locator("script").count() == 0 and "owned" in page.locator("header").inner_text()


def test_every_scheme_is_in_the_table_and_on_the_charts(opened, found):
    page, *_ = opened
    rows = page.locator("#schemes tbody tr")
    assert rows.count() == len(found.rows) > 10
    assert "as they are stored" in rows.nth(0).inner_text()
    said = page.locator("#schemes tr.switch")
    assert said.count() == 1 and found.proposal.scheme in said.inner_text()
    assert said.inner_text().count("proposed") == 1 and "store" in page.locator("#schemes tbody").inner_text()
    for at, shown in enumerate((found.rows, found.rows, [row for row in found.rows if not row.unkept])):
        marks = page.locator("#front figure").nth(at).locator("text.number").all_text_contents()
        numbers = sorted(int(number) for mark in marks for number in mark.split(", "))
        assert numbers == [found.rows.index(row) + 1 for row in shown], "each scheme once"


def test_the_front_and_what_is_proposed_are_marked(opened, found):
    page, *_ = opened
    by_bytes = page.locator("#front figure").nth(0)
    chosen = by_bytes.locator("svg.chosen text.number").all_text_contents()
    assert len(chosen) == 1 and str(found.rows.index(found.proposed) + 1) in chosen[0].split(", ")
    on_it = [row for row in found.rows if row.foremost]
    assert by_bytes.locator("line.front").count() == 2 * (len(on_it) - 1) > 0
    hollow = [
        number for mark in by_bytes.locator("svg.beaten text.number").all_text_contents() for number in mark.split(", ")
    ]
    assert hollow and not any(found.rows[int(number) - 1].foremost for number in hollow)
    assert page.locator("#front svg.chosen").count() == 3, "it is green in each chart"


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("width", [360, 480, 800, 1280])
def test_nothing_is_cut(browser, found, tmp_path, scheme, width):
    write_report(found, tmp_path / "report.html")
    check_look(browser, tmp_path / "report.html", width, scheme)


def test_where_nothing_is_proposed(found):
    text = render(dataclasses.replace(found, proposal=None))
    assert "Nothing is proposed" in text and 'class="chosen"' not in text and "<script>document" not in text


def test_vectors_that_are_compressed_already(found):
    assert "compressed already" in render(dataclasses.replace(found, is_whole=False))
    assert "compressed already" not in render(found)


def test_it_cannot_be_written(found, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeNotWritable):
        write_report(found, tmp_path / "file" / "report.html")
