"""Searches that a chat model judged: a share of them, drawn by chance, where the configuration asks for it.

It is the one signal that reads what was asked and what was found. So it is off by default, says what it costs, and how
far the model agrees with people.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.errors import SpendCapReached
from embassay.evaluate.compare.statistics import wilson
from embassay.monitor import change
from embassay.monitor.base import SignalReading, State, WatchedSet, When
from embassay.monitor.sampling import DAYS
from embassay.text import DAY, moment

if TYPE_CHECKING:
    from embassay.monitor.sampling import JudgedSearches
    from embassay.sets.monitoring.judgments import Judgment

TITLE = "Judged by a chat model"
UNIT = "share"
WHEN: When = "daily"
ANSWERED = 2
"""The grade of a search whose first hits answer it."""
NOW = 100
"""The newest judged searches that are looked at."""
FEWEST, FEWEST_USUAL = 10, 20
"""Judged searches of which something is said, and those that others are held against, at least."""
AGREEMENT = 10
"""Searches with feedback of people from which on it is said how far the model agrees with them."""


def read(watched: WatchedSet) -> Sequence[SignalReading]:
    """The share of the judged searches that were answered, held against those before; nothing where judging is off."""
    made = watched.judged()
    if made is None:
        return []
    figures, money = _money(made)
    stopped = made.stopped
    if stopped is not None and not isinstance(stopped, SpendCapReached):
        return [SignalReading("unknown", f"{stopped.message} {money}", remedy=stopped.remedy, figures=figures)]
    recent = [one for one in made.judgments if one.asked >= watched.now - DAYS * DAY]
    usual, now = _split(made.judgments, recent, watched.baseline.made if watched.baseline else None)
    said, agreed = _agreement(recent)
    more = f" {said} {money}"
    if stopped is not None:
        more += f" The cap is reached, and nothing is asked until {moment(made.renewed)}: {stopped.message}"
    figures = figures | agreed | {"judged": len(now)}
    if len(now) < FEWEST:
        few = f"{len(now)} searches of the last {DAYS:.0f} days are judged, and {FEWEST} are needed."
        mend = stopped.remedy if stopped else remedy.setting("share", "0.1", say="Judge more of them, or wait: {}")
        return [SignalReading("unknown", few + more, remedy=mend, figures=figures)]
    return [_reading(watched, made.model, usual, now, more, figures)]


def _reading(
    watched: WatchedSet,
    model: str,
    usual: Sequence[Judgment],
    now: Sequence[Judgment],
    more: str,
    figures: dict[str, float | None],
) -> SignalReading:
    answered, partly = _answered(now), sum(one.grade == 1 for one in now)
    low, high = wilson(answered, len(now))
    share, tolerated = answered / len(now), None
    state: State = "ok"
    held = f"no {FEWEST_USUAL} others yet to hold it against"
    if len(usual) >= FEWEST_USUAL:
        before = _answered(usual) / len(usual)
        chance = _chance(usual, now)
        state, tolerated = change.state_of(chance, watched.tolerance), change.tolerated_at(chance)
        held = f"{before:.0%} of {len(usual)} before"
        figures = figures | {"usual": before, "chance": chance}
    evidence = (
        f"The first hits of {answered} of {len(now)} searches answer them, by {model} ({share:.0%}, at 95 % from "
        f"{low:.0%} to {high:.0%}; {held}), and of {partly} in part.{more}"
    )
    look = remedy.command("monitor report", set=watched.set.name, say="See which queries fail: {};") + remedy.command(
        "judge label", "DIR", say="and judge some by hand: {}"
    )
    figures = figures | {"answered": answered, "in_part": partly, "low": low, "high": high}
    return SignalReading(state, evidence, share, look, figures=figures, tolerated_at=tolerated)


def _split(
    judged: Sequence[Judgment], recent: Sequence[Judgment], made: float | None
) -> tuple[Sequence[Judgment], Sequence[Judgment]]:
    """(what is usual, what is looked at): by when the baseline was made, else the older half and the newer one."""
    if made is not None:
        before = [one for one in judged if one.asked <= made]
        if len(before) >= FEWEST_USUAL:
            return before, [one for one in recent if one.asked > made][-NOW:]
    count = min(NOW, len(recent) // 2) if len(recent) >= 2 * FEWEST_USUAL else NOW
    now = recent[-count:]
    return recent[: len(recent) - len(now)], now


def _chance(usual: Sequence[Judgment], now: Sequence[Judgment]) -> float:
    """That as few of them would be answered by chance, where nothing has changed: the exact test of Fisher."""
    from scipy.stats import hypergeom

    answered = _answered(now)
    return float(hypergeom.cdf(answered, len(usual) + len(now), _answered(usual) + answered, len(now)))


def _agreement(judged: Sequence[Judgment]) -> tuple[str, dict[str, float | None]]:
    """How far the model and people agree whether a search was answered: as observed, and beyond chance (Cohen 1960)."""
    both = [(one.grade == ANSWERED, one.satisfied) for one in judged if one.feedback]
    count = len(both)
    if count < AGREEMENT:
        few = f"Whether it agrees with people is not known: {count} of them have feedback, not enough."
        return few, {"with_feedback": count}
    observed = sum(model == person for model, person in both) / count
    model, person = (sum(one[at] for one in both) / count for at in (0, 1))
    expected = model * person + (1 - model) * (1 - person)
    kappa = (observed - expected) / (1 - expected) if expected < 1 else None
    known = "cannot be told, all say the same" if kappa is None else f"{kappa:.2f}"
    said = f"It agrees with people on {observed:.0%} of {count} searches with feedback (Cohen's kappa {known})."
    return said, {"with_feedback": count, "agreement": observed, "kappa": kappa}


def _money(made: JudgedSearches) -> tuple[dict[str, float | None], str]:
    figures: dict[str, float | None] = {"asked": made.asked, "usd": made.usd}
    said = (
        f"{made.asked} were judged now for ${made.usd:.4f}; this month it cost ${made.month_usd:.4f} of at most "
        f"${made.cap_usd:g}."
    )
    return figures | {"month_usd": made.month_usd, "cap_usd": made.cap_usd}, said


def _answered(judged: Sequence[Judgment]) -> int:
    return sum(one.grade == ANSWERED for one in judged)
