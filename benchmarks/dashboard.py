"""The first page of the dashboard: milliseconds until a browser that was never here has loaded it, and all its bytes.

    python -m benchmarks.dashboard

The home has this project's own pages in a set, a thousand readings and an alert that is on. Beside it stands what
sentence-transformers takes for one query: nine rounds in turn, of which the median counts.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.common import ROOT, Peer, Row, arguments, at_most, median, report
from benchmarks.load import served
from embassay.home import open_home
from embassay.remedy import NOTHING
from embassay.sets.monitoring.alerts import CheckFound, SignalState

ROUNDS = 9
CHECKS = 1_000
QUARTER = 900.0
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
LOADED = "() => performance.getEntriesByType('navigation')[0].loadEventEnd"
SENT = "() => performance.getEntries().reduce((sum, one) => sum + (one.encodedBodySize || 0), 0)"


def watched_home(place: Path, checks: int = CHECKS) -> None:
    """A home with a set, and what was said of it every quarter of an hour."""
    with open_home(place) as home:
        home.index([ROOT / "docs"], set="docs", model="hash/384")
        space = home.set("docs").space().digest
        for at in range(checks):
            state = "alert" if at == checks - 1 else "ok"
            said = SignalState("zero-results", "", state, at / checks, "Some found nothing.", NOTHING, {"usual": 0.01})
            check = CheckFound("docs", space, 1.7e9 + QUARTER * at, ["zero-results"], [said])
            home.monitoring.keep_check(check)


def first_page(url: str, rounds: int, peer: Peer | None) -> Iterator[Row]:
    """Loads of the first page, each in a browser context of its own, in turn with one query of the peer."""
    from playwright.sync_api import sync_playwright

    took, sent, theirs = [], [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(rounds + 1):
            found = _loaded(browser, url)
            took.append(found[0])
            sent.append(found[1])
            if peer is not None:
                theirs.append(float(peer.ask(texts=["how is a key rotated"])["seconds"]) * 1e3)
        browser.close()
    other = median(theirs[1:]) if theirs else None  # the first of each warms up
    yield at_most("first page, in a browser that was never here (peer: one query)", median(took[1:]), 200, "ms", other)
    yield at_most("first page with its style and script", max(sent) / 1000, 300, "kB")


def _loaded(browser: Any, url: str) -> tuple[float, float]:
    context = browser.new_context()
    page = context.new_page()
    page.goto(url, wait_until="load")
    assert page.locator("h1").inner_text() == "Overview"
    figures = float(page.evaluate(LOADED)), float(page.evaluate(SENT))
    context.close()
    return figures


def main() -> None:
    chosen = arguments(__doc__)
    if CHROMIUM is None:
        print("skipped: needs Chromium, which is not on this machine")
        return
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / ".embassay"
        watched_home(home)
        with served(home, model="hash/384") as ours, Peer() as peer:
            rows = [*first_page(f"{ours.url}/", ROUNDS, peer)]
    report("dashboard", rows, chosen.json, peer="sent.-tr.")
    if not chosen.json and any(row.met is False for row in rows):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
