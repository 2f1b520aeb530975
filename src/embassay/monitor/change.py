"""Have figures changed? Tests of a window against a baseline, both of few searches.

Every one says how often as much would be seen by chance where nothing has changed, and knows how small the baseline is:
a rule of thumb such as "a PSI of 0.25 is a change" does not, and cries wolf for half of the baselines of 50 queries.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from embassay.monitor.base import State

    Floats = npt.NDArray[np.floating]

CERTAIN = 3e-4
"""Chance below which a signal alerts. It is read again and again, so a textbook's 0.05 would alert every day."""
LIKELY = 3e-3
"""Chance below which it warns."""
LEAST = 1e-300
"""A chance that is smaller counts as this, so that it has a logarithm."""
MOST = 500
"""Different queries of a window that are tested: with more, a change that matters to nobody would be certain, too."""
FEWEST = 20
"""Different queries of a window that are tested at least."""
BINS = 10
DRAWS = 500
"""Splits that are drawn at once."""
MOST_DRAWS = 20_000
EXCEEDED = 10
"""Draws as extreme as what was seen, after which it is known well enough how common that is."""


def state_of(chance: float, tolerance: float = 1.0, *, certain: float = CERTAIN, likely: float = LIKELY) -> State:
    """What a signal says of something that has this chance where nothing has changed: below `certain` it alerts, below
    `likely` it warns. With a tolerance of 2, the chance has to be as small as that of two alerts together."""
    chance = max(chance, LEAST)
    if chance < certain**tolerance:
        return "alert"
    return "warn" if chance < likely**tolerance else "ok"


def tolerated_at(chance: float) -> float:
    """The tolerance at which that is no alert."""
    return max(1.0, math.log(max(chance, LEAST)) / math.log(CERTAIN) + 1e-6)


def together(*chances: float, weights: Sequence[float] = ()) -> float:
    """The chance that any of some tests says as much, whatever they have to do with each other (Bonferroni).

    `weights`: how much of it each may take, together 1; by default as much as any other.
    """
    shares = weights or [1 / len(chances)] * len(chances)
    return min(1.0, *(chance / share for chance, share in zip(chances, shares, strict=True)))


def tail_chance(usual: Floats, now: Floats) -> float:
    """Of both together, are more of the largest from `now` than chance explains?

    How many of the largest are from `now` is hypergeometric where both come from one source: no shape is assumed. It
    finds few searches of another kind, which leave means and medians as they were. The largest of so few that not even
    all of them would be certain are not looked at (Tarone 1990), then those of twice as many, and so on.
    """
    from scipy.stats import hypergeom

    whole = np.concatenate((usual, now))
    if not len(usual) or not len(now):
        return 1.0
    ranked = np.sort(whole)[::-1]
    chances = []
    size = math.ceil(math.log(CERTAIN / 2) / math.log(len(now) / len(whole)))
    while size <= len(whole) // 2:
        least = ranked[size - 1]
        of_both, of_now = int((whole >= least).sum()), int((now >= least).sum())
        chances.append(float(hypergeom.sf(of_now - 1, len(whole), of_both, len(now))))
        size *= 2
    return together(*chances) if chances else 1.0


EXACT = 2_500
"""Pairs of values up to which the chance is counted out; of more it is that of the limit, which is as good."""


def ks_chance(usual: Floats, now: Floats) -> tuple[float, float]:
    """The statistic of Kolmogorov and Smirnov, which is the largest distance of both distributions, and its chance."""
    from scipy.stats import ks_2samp

    found = ks_2samp(usual, now, method="exact" if len(usual) * len(now) <= EXACT else "asymp")
    return float(found.statistic), float(found.pvalue)


def psi_chance(usual: Floats, now: Floats, seed: int = 0) -> tuple[float, float, float]:
    """The population stability index, what 99 of 100 unchanged windows stay below, and its chance.

    Bins are quantiles of both together, and each count is one half larger than it is, so that an empty bin is no
    infinite change. How large the index gets by chance is drawn: both are mixed and split again.
    """
    whole = np.concatenate((usual, now))
    edges = np.unique(np.quantile(whole, np.linspace(0, 1, BINS + 1)[1:-1]))
    bins = len(edges) + 1
    of_both = np.bincount(np.searchsorted(edges, whole, side="right"), minlength=bins)
    of_now = np.bincount(np.searchsorted(edges, now, side="right"), minlength=bins)
    random = np.random.default_rng(seed)

    def index(counts: npt.NDArray[np.int64]) -> Floats:
        a, b = counts + 0.5, of_both - counts + 0.5
        a, b = a / a.sum(-1, keepdims=True), b / b.sum(-1, keepdims=True)
        return np.asarray(((a - b) * np.log(a / b)).sum(-1))

    def drawn() -> Floats:
        return index(random.multivariate_hypergeometric(of_both, len(now), size=DRAWS, method="marginals"))

    seen = float(index(of_now))
    return seen, float(np.quantile(drawn(), 0.99)), chance_by_drawing(seen, drawn)


def chance_by_drawing(seen: float, drawn: Callable[[], Floats]) -> float:
    """How often `drawn`, which makes some values of a world without change, is as large as what was seen.

    It stops early where that is common (Besag and Clifford 1991), so an unchanged window costs one batch.
    """
    above = done = 0
    while done < MOST_DRAWS and above < EXCEEDED:
        values = drawn()
        above += int((values >= seen - 1e-12).sum())
        done += len(values)
    return (above + 1) / (done + 1)
