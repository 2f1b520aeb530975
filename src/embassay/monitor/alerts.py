"""From what signals say to alerts: one check of a set, and what it opened and ended."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.errors import HomeNotWritable
from embassay.sets.monitoring.alerts import CheckFound, SignalState

if TYPE_CHECKING:
    from embassay.monitor.base import NamedReading, WatchedSet
    from embassay.sets.monitoring.alerts import Alert, AlertChange
    from embassay.sets.monitoring.table import MonitoringTables

_log = logging.getLogger("embassay.monitor")
_log.addHandler(logging.NullHandler())  # else Python prints warnings on stderr where nobody set logging up


@dataclass(frozen=True, slots=True)
class CheckedSet:
    """What one check of a set found."""

    set: str
    space: str
    at: float
    """Seconds since 1970."""
    readings: Sequence[NamedReading]
    alerts: Sequence[Alert]
    """Those that are on now, the newest first."""
    changes: Sequence[AlertChange]
    """What this check has opened and ended."""
    unkept: str = ""
    """Why nothing of it was written down: a home that cannot be written."""

    @property
    def is_alarming(self) -> bool:
        """Whether an alert is on."""
        return bool(self.alerts) or any(one.reading.state == "alert" for one in self.readings)

    def to_dict(self) -> dict[str, object]:
        """As JSON has it."""
        return {
            "set": self.set,
            "space": self.space,
            "at": self.at,
            "readings": [one.to_dict() for one in self.readings],
            "alerts": [one.to_dict() for one in self.alerts],
            "opened": [one.alert.id for one in self.changes if one.event == "opened"],
            "ended": [one.alert.id for one in self.changes if one.event == "ended"],
            "kept": not self.unkept,
        }


def keep_check(
    tables: MonitoringTables,
    watched: WatchedSet,
    readings: Sequence[NamedReading],
    signals: Collection[str],
    *,
    notify: bool,
) -> CheckedSet:
    """Write down what the signals said, and open, keep and end alerts by it. What was read is returned also where the
    home cannot be written. Raises SetNotFound, HomeError."""
    name, space, at = watched.set.name, watched.space.digest, watched.now
    found = [
        SignalState(
            one.signal,
            one.reading.subject,
            one.reading.state,
            _finite(one.reading.value),
            one.reading.evidence,
            one.reading.remedy,
            {name: _finite(value) for name, value in one.reading.figures.items()},
            one.reading.tolerated_at,
        )
        for one in readings
    ]
    try:
        changes = tables.keep_check(CheckFound(name, space, at, signals, found), notify=notify)
    except HomeNotWritable as error:
        return CheckedSet(name, space, at, readings, tables.alerts(name), (), error.message)
    for change in changes:
        _tell(change)
    return CheckedSet(name, space, at, readings, tables.alerts(name), changes)


def _tell(change: AlertChange) -> None:
    alert = change.alert
    what = f"{alert.signal} ({alert.subject})" if alert.subject else alert.signal
    if change.event == "opened":
        _log.warning("alert %d of set %r, %s: %s", alert.id, alert.set_name, what, alert.evidence)
    else:
        _log.warning("alert %d of set %r, %s, has ended: %s", alert.id, alert.set_name, what, alert.reason)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
