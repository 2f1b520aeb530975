"""What the files of a home say, for Prometheus: what monitoring found last of each set, and what may be spent.

Files are read in a thread, at most once in a few seconds, and nobody who asks for metrics waits long for them: what a
disk does not give in time is shown as it was before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from embassay.errors import EmbassayError, HomeNotFound
from embassay.server.metrics import FewValues
from embassay.types import ROLES

if TYPE_CHECKING:
    from embassay.embedders.wrap.budget import Budget
    from embassay.home import Home
    from embassay.sets.monitoring.alerts import Alert
    from embassay.sets.monitoring.readings import ReadingRow

FRESH = 5.0
"""Seconds for which the files are not read again."""
PATIENCE = 1.0
"""Seconds that somebody who asks for metrics waits for the files."""
MOST_NAMES = 50
"""Signals that are told apart, and figures of theirs."""
MOST_ROWS = 10_000
"""Readings, and alerts, that are read at once."""
STATES = {"unknown": -1, "ok": 0, "warn": 1, "alert": 2}
"""The states of a reading as numbers, so that the largest is the worst."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What the files said."""

    readings: Sequence[ReadingRow] = ()
    alerts: Sequence[Alert] = ()
    spent: float | None = None
    """US dollars of the time that the cap is for, by all programs that share its ledger; None: not to be had."""
    readable: bool = True


class HomeMetrics(Collector):
    """Of the home of one server. `refresh` belongs to its loop."""

    def __init__(self, home: Home, budget: Budget, fresh: float = FRESH) -> None:
        self._home, self._budget, self.fresh = home, budget, fresh
        self._found, self._read_at = _Found(), -float("inf")
        self._reading: asyncio.Future[None] | None = None
        self._set, self._signal, self._figure = FewValues(), FewValues(MOST_NAMES), FewValues(MOST_NAMES)

    async def refresh(self, in_worker: Callable[..., Awaitable[None]]) -> None:
        """Read the files again where that was some seconds ago, by `in_worker`, and wait a moment for it.

        It never fails: what cannot be read is said by a metric.
        """
        if self._reading is None:
            if time.monotonic() - self._read_at < self.fresh:
                return
            self._reading = asyncio.ensure_future(in_worker(self._read))
            self._reading.add_done_callback(self._was_read)
        await asyncio.wait((self._reading,), timeout=PATIENCE)

    def collect(self) -> Iterator[Metric]:
        """Readings, alerts and money, as they were read last."""
        found = self._found
        yield _gauge(
            "home_readable", "Whether monitoring could be read from the home: 1, or 0", (), [((), found.readable)]
        )
        yield from self._of_readings(found.readings)
        yield from self._of_alerts(found)
        about = "US dollars that may be spent; none without a cap"
        yield GaugeMetricFamily("embassay_spend_cap_usd", about, self._budget.usd)
        about = "US dollars that count against the cap, of all programs that share its ledger"
        yield GaugeMetricFamily("embassay_spend_counted_usd", about, found.spent)

    def _read(self) -> None:
        """In a thread."""
        try:
            table = self._home.monitoring
            readings, alerts, readable = table.latest(limit=MOST_ROWS), table.alerts(limit=MOST_ROWS), True
        except HomeNotFound:  # nothing was indexed yet
            readings, alerts, readable = [], [], True
        except EmbassayError:
            readings, alerts, readable = self._found.readings, self._found.alerts, False
        try:
            spent = self._budget.spent if self._budget.is_capped else None
        except EmbassayError:
            spent = None
        self._found = _Found(readings, alerts, spent, readable)

    def _was_read(self, reading: asyncio.Future[None]) -> None:
        self._reading, self._read_at = None, time.monotonic()
        if not reading.cancelled():
            reading.exception()  # the pool of threads was full, or ends: the next one who asks tries again

    def _of_readings(self, readings: Sequence[ReadingRow]) -> Iterator[Metric]:
        worst: dict[tuple[str, ...], ReadingRow] = {}
        figures: dict[tuple[str, ...], float] = {}
        checked: dict[tuple[str, ...], float] = {}
        for one in sorted(readings, key=lambda row: STATES[row.state]):  # so that the worst has the last word
            labels = self._labels(one.set_name, one.signal, one.subject)
            worst[labels] = one
            for name, value in one.figures.items():
                if value is not None:
                    figures[(*labels, self._figure(name))] = value
            checked[labels[:1]] = max(one.at, checked.get(labels[:1], 0.0))
        names = ("set", "signal", "role")
        values = [(labels, one.value) for labels, one in worst.items() if one.value is not None]
        states = [(labels, STATES[one.state]) for labels, one in worst.items()]
        yield _gauge("reading", "The figure that a signal watches, as it was read last", names, values)
        yield _gauge("state", "What a signal says: 0 ok, 1 warn, 2 alert, -1 unknown", names, states)
        yield _gauge("figure", "Other figures of a signal, by their name", (*names, "figure"), figures.items())
        about = "When the signals of a set were read last, in seconds since 1970"
        yield _gauge("checked_timestamp_seconds", about, ("set",), checked.items())

    def _of_alerts(self, found: _Found) -> Iterator[Metric]:
        counts = {self._set(one.set_name): 0 for one in found.readings}
        since: dict[tuple[str, ...], float] = {}
        for one in found.alerts:
            labels = self._labels(one.set_name, one.signal, one.subject)
            since[labels] = min(one.since, since.get(labels, one.since))
            counts[labels[0]] = counts.get(labels[0], 0) + 1
        yield _gauge("alerts", "Alerts that are on", ("set",), [((name,), count) for name, count in counts.items()])
        about = "Since when an alert is on, in seconds since 1970; none where it is not"
        yield _gauge("alert_since_timestamp_seconds", about, ("set", "signal", "role"), since.items())

    def _labels(self, set_name: str, signal: str, subject: str) -> tuple[str, str, str]:
        """A subject that is no role may be a document or a query, which no label names: the worst stands for all."""
        return self._set(set_name), self._signal(signal), subject if subject in ROLES else ""


def _gauge(
    name: str, about: str, labels: Sequence[str], values: Iterable[tuple[Sequence[str], Any]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"embassay_monitor_{name}", about, labels=labels)
    for value_of, value in values:
        family.add_metric(value_of, float(value))
    return family
