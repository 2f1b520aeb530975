"""How long searches take.

One slow minute of a busy machine is no news. So the window is cut into stretches of some searches, and only what most
stretches say counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from embassay import remedy
from embassay.monitor.base import BaselineSample, SignalReading, State, WatchedSet, When
from embassay.monitor.usual import usual

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

TITLE = "Milliseconds of a search"
UNIT = "ms"
WHEN: When = "often"
STRETCH = 25
"""Searches of a stretch."""
FEWEST = 3
"""Stretches of a window, at least."""
MOST = 0.75
"""Share of the stretches that have to be slower."""
ALERT, WARN = 2.0, 1.5
"""Times as long as usual."""
LEAST_MS = 10.0
"""Milliseconds more than usual that anybody feels."""
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
TESTED = ("p50", "p95")
"""Of 99 % a stretch knows nothing."""


def learn(sample: BaselineSample) -> Mapping[str, Any]:
    """The usual milliseconds; nothing of judged queries, which are asked one after the other on an idle machine."""
    took = _took(sample.searches.took_ms)
    if sample.judged is not None or len(took) < FEWEST * STRETCH:
        return {}
    found: dict[str, Any] = _quantiles(took)
    return found | {f"{name}_high": float(np.quantile(_stretches(took, name), 0.9)) for name in TESTED}


def read(watched: WatchedSet) -> Sequence[SignalReading]:
    """Percentiles of the window against the usual ones."""
    took = _took(watched.searches.took_ms)
    found = _quantiles(took)
    said = f"{found['p50']:,.1f} ms in the middle, {found['p95']:,.1f} at 95 %, {found['p99']:,.1f} at 99 %"
    if len(took) < FEWEST * STRETCH:
        return [SignalReading("unknown", f"{said}, of {len(took):,} searches: too few to tell.", found["p95"])]
    held = usual(watched, learn, in_space=False)
    if not held.known:
        return [SignalReading("unknown", f"{said}. What is usual is not known yet.", found["p95"])]
    slower = {name: _slower(took, name, held.known, watched.tolerance) for name in TESTED}
    state: State = "alert" if max(slower.values()) >= ALERT else "warn" if max(slower.values()) >= WARN else "ok"
    then = {name: float(held.known[name]) for name in QUANTILES}
    evidence = (
        f"{said}; {then['p50']:,.1f}, {then['p95']:,.1f} and {then['p99']:,.1f} are those of {held.words}.{held.note}"
    )
    figures = found | {f"usual_{name}": value for name, value in then.items()} | {"usual": then["p95"]}
    mend = remedy.command("doctor", set=watched.set.name, say="Look what is wrong with the set: {}")
    return [SignalReading(state, evidence, found["p95"], mend, figures=figures)]


def _slower(took: Floats, name: str, known: Mapping[str, Any], tolerance: float) -> float:
    """How many times as long as usual most stretches take, 1 where that is within what stretches usually take."""
    stretches, usual_ms = _stretches(took, name), float(known[name]) * tolerance
    reached = float(np.quantile(stretches, 1 - MOST))
    if reached <= float(known[f"{name}_high"]) * tolerance or reached < usual_ms + LEAST_MS:
        return 1.0
    return reached / max(usual_ms, 1e-9)


def _stretches(took: Floats, name: str) -> Floats:
    """A quantile of each whole stretch, the newest ones."""
    count = len(took) // STRETCH
    whole = took[len(took) - count * STRETCH :].reshape(count, STRETCH)
    return np.asarray(np.quantile(whole, QUANTILES[name], axis=1))


def _quantiles(took: Floats) -> dict[str, float]:
    return {name: float(np.quantile(took, share)) for name, share in QUANTILES.items()}


def _took(took: Floats) -> Floats:
    """A clock that was set back makes a time that is none."""
    return np.asarray(took[np.isfinite(took) & (took >= 0)])
