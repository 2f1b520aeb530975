"""Gates for continuous integration: conditions on scores, alone or against a baseline.

nDCG@10 >= 0.70, lower(R@100) >= 0.9, drop <= 0.02, upper(R@100 drop) <= 0.01
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from embassay import jsontext, remedy
from embassay.errors import UsageError
from embassay.evaluate.compare.statistics import bootstrap
from embassay.evaluate.compare.verdict import MIN_QUERIES
from embassay.evaluate.data.judged import JudgedSet
from embassay.evaluate.score.evaluation import Evaluation
from embassay.evaluate.score.metrics import canonical, largest

EXAMPLE = '"nDCG@10 >= 0.70, drop <= 0.02"'
_CONDITION = re.compile(
    r"^(?:(?P<metric>(?!drop\b)[^\s<>=]+)\s*)?(?P<drop>drop\b)?\s*(?P<op>>=|<=|>|<)\s*(?P<bound>-?(?:[0-9]+\.?[0-9]*|\.[0-9]+))$"
)
_BOUND = re.compile(r"^(?P<side>lower|upper)\s*\((?P<what>.*)\)(?P<rest>[^()]*)$")
"""A condition on a bound of the interval, in place of the mean."""
OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
Side = Literal["", "lower", "upper"]
TOLERANCE = 1e-9
"""A score that equals its bound but for rounding keeps it."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One bound: on the mean of a metric, on how far that mean fell below the baseline's, or on an end of the 95 %
    interval of either."""

    metric: str
    drop: bool
    op: str
    bound: float
    side: Side = ""
    """Which end of the interval; empty for the mean."""

    def __str__(self) -> str:
        what = f"{self.metric}{' drop' if self.drop else ''}"
        return f"{f'{self.side}({what})' if self.side else what} {self.op} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class GateResult:
    """Whether a condition holds for what was measured."""

    condition: Condition
    value: float
    """What the bound is for: the score, how far it fell below the baseline's, or an end of the interval of either."""
    ok: bool
    detail: str
    """The scores in words."""

    def to_dict(self) -> dict[str, object]:
        """The result as the JSON output has it."""
        return {"gate": str(self.condition), "value": self.value, "ok": self.ok, "detail": self.detail}


@dataclass(frozen=True, slots=True)
class Baseline:
    """An earlier evaluation, read from its JSON output."""

    file: Path
    judged: str
    digest: str
    metrics: Mapping[str, float]
    per_query: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Query id to its value of each metric; empty where the file has none."""


def parse_gate(text: str, metrics: Sequence[str], baseline: Baseline | None = None) -> list[Condition]:
    """Read conditions that stand between commas; a drop without a metric is that of the first of `metrics`.

    ``lower(...)`` and ``upper(...)`` stand for the ends of the 95 % interval.

    Raises UsageError for what cannot be read, for a bound beyond the range of its metric, and for a drop of a metric
    that `baseline` lacks.
    """
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        bounded = _BOUND.match(part)
        match = _CONDITION.match(f"{bounded['what'].strip()} {bounded['rest'].strip()}" if bounded else part)
        drop = bool(match and match["drop"])
        if not match or (not drop and not match["metric"]):
            raise UsageError(f"the gate {part!r} cannot be read.", remedy=f"Write, for instance, {EXAMPLE}.")
        metric = canonical([match["metric"]])[0] if match["metric"] else metrics[0]
        side: Side = "" if not bounded else "lower" if bounded["side"] == "lower" else "upper"
        condition = Condition(metric, drop, match["op"], float(match["bound"]), side)
        _check_range(condition)
        _check_baseline(condition, baseline)
        found.append(condition)
    if not found:
        raise UsageError("the gate is empty.", remedy=f"Write, for instance, {EXAMPLE}.")
    return found


def _check_range(condition: Condition) -> None:
    """Raises UsageError for a bound that no score reaches, or that every score keeps: such a gate says nothing."""
    most = largest(condition.metric)
    least = -most if condition.drop else 0.0
    never = not any(OPERATORS[condition.op](value, condition.bound) for value in (least, most))
    if never or not least <= condition.bound <= most:
        what = f"a drop of {condition.metric}" if condition.drop else condition.metric
        between = f"from {least:g} to {most:g}" if math.isfinite(most) else "at least 0"
        percent = " Write a share of 1, not a percentage." if most == 1 and 1 < condition.bound <= 100 else ""
        why = "can never hold" if never else "always holds"
        raise UsageError(
            f"the gate {str(condition)!r} {why}: {what} is {between}.{percent}",
            remedy=f"Write, for instance, {EXAMPLE}.",
        )


def _check_baseline(condition: Condition, baseline: Baseline | None) -> None:
    if condition.drop and baseline is None:
        raise UsageError(f"the gate {str(condition)!r} needs a baseline.", remedy=remedy.option("baseline", "FILE"))
    if condition.drop and baseline and condition.metric not in baseline.metrics:
        raise UsageError(
            f"{baseline.file} has no {condition.metric}, only {', '.join(baseline.metrics)}.",
            remedy=remedy.option("metric", condition.metric, say="Make it with {}."),
        )
    if condition.drop and condition.side and baseline and not _has_queries(baseline, condition.metric):
        raise UsageError(
            f"the interval of {str(condition)!r} needs the scores of every query, which {baseline.file} has not.",
            remedy=remedy.option("per_query", say="Make the baseline with {}."),
        )


def _has_queries(baseline: Baseline, metric: str) -> bool:
    return bool(baseline.per_query) and all(metric in scores for scores in baseline.per_query.values())


def read_baseline(file: Path) -> Baseline:
    """Read an earlier evaluation. Raises UsageError for a file that is not the JSON output of one."""
    try:
        data = jsontext.loads(file.read_text("utf-8-sig"))
        metrics = {str(name): float(value) for name, value in data["metrics"].items()}
        scores = data.get("per_query", {}).items()
        per_query = {str(q): {str(name): float(value) for name, value in row.items()} for q, row in scores}
        if not all(math.isfinite(value) for row in (metrics, *per_query.values()) for value in row.values()):
            raise ValueError
        return Baseline(file, str(data["judged"]), str(data.get("digest", "")), metrics, per_query)
    except OSError as error:
        made = remedy.command("eval", "JUDGED_DIR", json=True, say=f"Make it: {{}} > {file}")
        raise UsageError(f"the baseline {file} cannot be read: {error.strerror}.", remedy=made) from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        made = remedy.command("eval", "JUDGED_DIR", json=True, say=f"Make it: {{}} > {file}")
        raise UsageError(f"{file} is not what an evaluation writes as JSON.", remedy=made) from None


def check_data(baseline: Baseline, judged: JudgedSet) -> None:
    """Raise UsageError for a baseline of other judged data, so that this is known before anything is embedded."""
    if baseline.digest and baseline.digest != judged.digest:
        raise UsageError(
            f"{baseline.file} was measured on other queries or documents, {baseline.judged} {baseline.digest} and not "
            f"{judged.name} {judged.digest}.",
            remedy=remedy.command("eval", "JUDGED_DIR", json=True, say=f"Make a new baseline: {{}} > {baseline.file}"),
        )


def check_gates(conditions: Sequence[Condition], made: Evaluation, baseline: Baseline | None) -> list[GateResult]:
    """Hold each condition against what was measured; `baseline` is needed for conditions on a drop."""
    return [_checked(condition, made, baseline) for condition in conditions]


def _checked(condition: Condition, made: Evaluation, baseline: Baseline | None) -> GateResult:
    now = made.metrics[condition.metric]
    if not condition.drop:
        if not condition.side:
            return _result(condition, now, f"{condition.metric} is {now:.4f}")
        return _bounded(condition, f"{condition.metric} is {now:.4f}", made.intervals[condition.metric], made)
    assert baseline is not None
    before = baseline.metrics[condition.metric]
    said = f"{condition.metric} was {before:.4f}, is {now:.4f}"
    if not condition.side:
        return _result(condition, before - now, said)
    return _bounded(condition, said, _interval_of_drop(condition, made, baseline), made)


def _bounded(condition: Condition, said: str, interval: tuple[float, float], made: Evaluation) -> GateResult:
    """The condition held against an end of the interval."""
    low, high = interval
    what = "a drop of" if condition.drop else "95 % interval"
    few = f"; {len(made.per_query)} queries are too few for it" if len(made.per_query) < MIN_QUERIES else ""
    detail = f"{said}, {what} {low:.4f} to {high:.4f}{few}"
    return _result(condition, low if condition.side == "lower" else high, detail)


def _interval_of_drop(condition: Condition, made: Evaluation, baseline: Baseline) -> tuple[float, float]:
    """Of how far the mean fell, by the same queries before and now. Raises UsageError where they are others."""
    import numpy as np

    if set(baseline.per_query) != set(made.per_query):
        raise UsageError(f"{baseline.file} has scores of other queries than those that were asked.")
    metric = condition.metric
    fell = [[baseline.per_query[query][metric] - scores[metric]] for query, scores in made.per_query.items()]
    low, high = bootstrap(np.array(fell))
    return float(low[0]), float(high[0])


def _result(condition: Condition, value: float, detail: str) -> GateResult:
    slack = TOLERANCE if condition.op in (">", ">=") else -TOLERANCE
    slack = slack if "=" in condition.op else 0.0
    return GateResult(condition, value, OPERATORS[condition.op](value + slack, condition.bound), detail)
