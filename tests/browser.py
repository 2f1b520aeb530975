"""A real browser for the pages that embassay writes and serves."""

import re
import shutil
from contextlib import contextmanager

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
]  # fmt: skip


@contextmanager
def chromium():
    """A browser for the time of the block; the test is skipped where there is none."""
    if not CHROMIUM:
        pytest.skip("needs Chromium, which is not on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


def check_look(browser, file, width, scheme):
    """A report fits into a window of so many pixels, in light or dark: nothing is cut, no writing in a chart is smaller
    than can be read or larger than the text of the page, and ink and paper are those of the scheme."""
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    cut = "[...document.querySelectorAll('.wide')].filter(e => e.scrollWidth > e.clientWidth + 1).length"
    assert page.evaluate(cut) == 0, "no table is wider than its place"
    body = page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")
    texts = """[...document.querySelectorAll('svg.chart text')].map(e => {
        const box = e.getBoundingClientRect(), matrix = e.getScreenCTM();
        return [e.textContent, box.left, box.right, parseFloat(getComputedStyle(e).fontSize) * matrix.a]})"""
    for what, left, right, size in page.evaluate(texts):
        assert left >= 0 and right <= width, what
        assert 12 <= size <= body, what
    ink, paper = (page.evaluate(f"getComputedStyle(document.body).{name}") for name in ("color", "backgroundColor"))
    brightness = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (ink, paper)]
    assert (brightness[0] > brightness[1]) == (scheme == "dark")
    page.close()
