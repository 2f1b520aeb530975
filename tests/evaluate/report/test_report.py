"""The HTML report, in a real browser."""

import re
import shutil

import pytest

from embassay.errors import HomeNotWritable
from embassay.evaluate.compare.opening import compare
from embassay.evaluate.data.judged import JudgedSet
from embassay.evaluate.report.charts import Point, pareto, scatter
from embassay.evaluate.report.page import render, write_report
from embassay.types import Document

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> & \"quoted\""
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
]  # fmt: skip


@pytest.fixture
def found(tmp_path, monkeypatch):
    """A comparison with a failure, a hostile document and a hostile query."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    documents = tuple(
        Document(f"d{n}", f"d{n}", f"needle{n} hay {HOSTILE if n == 3 else ''}", title=f"Title {n}") for n in range(60)
    )
    queries = {f"q{n}": f"needle{n} {HOSTILE if n == 3 else ''}" for n in range(40)}
    judged = JudgedSet("made & set/test", documents, queries, {f"q{n}": {f"d{n}": 1} for n in range(40)})
    return compare(["hash/64", "hash/64@lexical", "hash/64@hybrid", "./no-model-here"], judged)


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM:
        pytest.skip("needs Chromium, which is not on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


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
    assert page.title() == "Switch: made & set/test"
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
    assert rows.count() == 4 and "failed" not in rows.nth(0).inner_text()
    assert "no-model-here" in rows.nth(3).inner_text()
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
    assert page.locator("#costs svg").count() == 2 and page.locator("#costs polyline.front").count() == 2
    for chart in page.locator("svg").all():
        box = chart.bounding_box()
        assert box["width"] > 200 and box["height"] > 50
        for text in chart.locator("text").all():
            inside = text.bounding_box()
            assert inside["x"] >= box["x"] - 1 and inside["x"] + inside["width"] <= box["x"] + box["width"] + 1


def test_examples_open_and_show_both_lists(opened, found):
    page, *_ = opened
    details = page.locator("#changed details")
    assert details.count() == len(found.changed(found.foremost))
    second = details.nth(1)
    assert not second.locator("ol").first.is_visible()
    second.locator("summary").click()
    assert second.locator("ol").count() == 2 and second.locator("ol").first.is_visible()
    assert page.locator("#changed li.relevant").count() >= details.count()
    assert page.locator("#hardest tbody tr").count() == 10


@pytest.mark.parametrize(("scheme", "width"), [("dark", 1280), ("light", 400), ("dark", 400)])
def test_it_fits_a_phone_and_the_dark(browser, found, tmp_path, scheme, width):
    file = tmp_path / "report.html"
    write_report(found, file)
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "tables scroll, the page does not"
    ink, paper = (page.evaluate(f"getComputedStyle(document.body).{name}") for name in ("color", "backgroundColor"))
    brightness = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (ink, paper)]
    assert (brightness[0] > brightness[1]) == (scheme == "dark")
    page.close()


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


def test_the_pareto_front():
    points = [Point("cheap", 1, 0.5), Point("good", 10, 0.7), Point("bad", 10, 0.6), Point("worst", 20, 0.4)]
    assert [point.label for point in pareto(points)] == ["cheap", "good"]
    twins = [Point("a", 1, 0.5), Point("b", 1, 0.5)]
    assert len(pareto(twins)) == 2
    assert "NaN" not in scatter(twins, "x", "y") and scatter([], "x", "y") == ""
