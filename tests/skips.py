"""The last lines of a run say how many tests were skipped, and why: a skipped test has shown nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable

import pytest


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, object, object]:
    """Print below everything else, the count of passed tests included."""
    result = yield
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal and not session.config.option.collectonly:
        for line in summary(terminal.stats.get("skipped", [])):
            terminal.write_line(line)
    return result


def summary(skipped: Iterable[pytest.TestReport]) -> list[str]:
    """One line with the count, then one for each reason, the most frequent first."""
    reasons = Counter(_reason(report) for report in skipped)
    if not reasons:
        return ["No test was skipped."]
    count = reasons.total()
    head = f"{count} test{'s were' if count > 1 else ' was'} skipped and proved nothing:"
    return [head, *(f"  {times:>4}  {reason}" for reason, times in reasons.most_common())]


def _reason(report: pytest.TestReport) -> str:
    """pytest keeps (file, line, "Skipped: why")."""
    told = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return str(told).removeprefix("Skipped: ") or "no reason given"
