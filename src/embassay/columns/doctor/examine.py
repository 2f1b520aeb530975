"""Puts together what a table of vectors is: findings from all rows, and from a sample held against a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from embassay.columns.doctor.report import LISTED, VectorFinding, VectorReport
from embassay.columns.opening import ColumnNames, open_table
from embassay.errors import UsageError

if TYPE_CHECKING:
    from embassay.columns.doctor.comparison import ComparedRow, SampleComparison
    from embassay.columns.doctor.survey import RowSurvey, Tally
    from embassay.embedders.base import Embedder

SAMPLE = 200
"""Rows that are embedded again: enough that 1 in 100 rows of another model is missed in one of eight cases."""
NORMAL_95 = 1.96
"""Of the interval that a share is told with: the two-sided quantile of the normal distribution."""


def examine_table(
    place: Path,
    embedder: Embedder,
    names: ColumnNames,
    *,
    format: str | None = None,
    sample: int = SAMPLE,
    seed: int = 0,
) -> VectorReport:
    """Hold the vectors of a table against its texts and a model; nothing is written.

    Raises UsageError where columns cannot be told or there is nothing to compare, ReadError, ModelError, ProviderError.
    """
    from embassay.columns.doctor.comparison import SampleComparison
    from embassay.columns.doctor.survey import RowSurvey, Sample

    if sample < 1:
        raise UsageError(f"the sample has {sample} rows; at least one is needed.")
    with open_table(place, format) as table:
        text, vector = names.text_in(table), names.vector_in(table)
        survey = RowSurvey(table.vectors[vector], Sample(sample, seed))
        survey.take(table.blocks([text], vector), text)
        findings = [*_of_all_rows(survey, embedder)]
        compared = None
        if survey.used <= embedder.space.dimensions and survey.used:
            compared = SampleComparison(embedder, survey.sample.rows, survey.used)
            compared.seek(table.blocks([text], vector), text)
            findings += _of_sample(compared)
    agreeing = compared.of("document", "query") if compared else []
    return VectorReport(
        place=str(place),
        rows=survey.rows,
        dimensions=survey.dimensions,
        text_field=text,
        vector_field=vector,
        space=str(embedder.space),
        compared=len(compared.rows) if compared else 0,
        agreeing=len(agreeing),
        role=_role(compared, agreeing),
        least_cosine=round(min(one.cosine for one in agreeing), 6) if agreeing else None,
        findings=sorted(findings, key=lambda one: one.level != "problem"),
    )


def _role(compared: SampleComparison | None, agreeing: Sequence[ComparedRow]) -> str:
    if compared is None or not agreeing:
        return ""
    if compared.is_one_role:
        return "either"
    documents = sum(one.kind == "document" for one in agreeing)
    return "document" if 2 * documents >= len(agreeing) else "query"


def _of_all_rows(survey: RowSurvey, embedder: Embedder) -> Iterator[VectorFinding]:
    rows, space = survey.rows, embedder.space
    if survey.broken.count:
        yield _all(survey, "broken", "have no vector, or NaN or infinity in it", survey.broken)
    if survey.zero.count:
        yield _all(survey, "zero", "have a vector of zeros, which matches nothing", survey.zero)
    if survey.doubled.count:
        yield _all(survey, "doubled", "have the vector of an earlier row, whose text is another one", survey.doubled)
    if survey.repeated.count:
        said = "repeat an earlier row, text and vector"
        yield _all(survey, "repeated", said, survey.repeated, level="notice")
    if survey.off_length.count and space.similarity == "cosine":
        lengths = f"lengths are from {survey.shortest:.3g} to {survey.longest:.3g}"
        said = f"are not normalised: {lengths}, so that a dot product is no cosine"
        yield _all(survey, "length", said, survey.off_length)
    if survey.used < survey.dimensions and survey.used:
        words = f"of {survey.dimensions:,} dimensions only the first {survey.used:,} are used; all others are 0."
        yield VectorFinding("padded", "problem", words, rows, rows, [0])
    if (cut := survey.cut).count:
        yield _all(survey, "cut", "are 0 in dimensions that other rows use: they were cut and padded", cut)
    if survey.used > space.dimensions:
        words = f"the vectors have {survey.used:,} dimensions, and those of {space} {space.dimensions:,}."
        yield VectorFinding("dimensions", "problem", words, rows, rows, [0])
    elif 0 < survey.used < space.dimensions:
        words = f"the vectors have the first {survey.used:,} dimensions at most of the {space.dimensions:,} of {space}."
        yield VectorFinding("cut", "problem", words, rows, rows, [0])


def _all(survey: RowSurvey, check: str, what: str, tally: Tally, level: str = "problem") -> VectorFinding:
    words = f"{tally.count:,} of {survey.rows:,} rows {what}; row {tally.rows[0]:,} is the first."
    return VectorFinding(check, level, words, tally.count, survey.rows, tally.rows[:LISTED])  # type: ignore[arg-type]


def _of_sample(compared: SampleComparison) -> Iterator[VectorFinding]:
    of = len(compared.rows)
    agreeing = compared.of("document", "query")
    queries, documents = compared.of("query"), compared.of("document")
    if queries:
        said = "were embedded as queries" + (", others as documents" if documents else "")
        yield _sampled("role", said, queries, of, "document vectors are what a search expects")
    if negated := compared.of("negated"):
        yield _sampled("negated", "are what the model makes of their texts, negated", negated, of)
    if shuffled := compared.of("shuffled"):
        yield _sampled(
            "shuffled", "are not of their own text, but of that of another row", shuffled, of, _shift(shuffled)
        )
    if other := compared.of("other"):
        least, most = min(one.cosine for one in other), max(one.cosine for one in other)
        said = f"are not what the model makes of their texts (cosine {least:.3f} to {most:.3f})"
        if agreeing:
            yield _sampled("mixed", said, other, of, f"{_interval(len(other), of)}{_where(other, agreeing)}")
        else:
            yield _sampled("model", said, other, of, "they are of another model, or were made of other texts")


def _sampled(check: str, what: str, rows: Sequence[ComparedRow], of: int, more: str = "") -> VectorFinding:
    numbers = [one.row.number for one in rows]
    example = f"row {numbers[0]:,}: {' '.join(rows[0].row.text.split())[:40]!r}"
    words = f"{len(rows):,} of {of:,} sampled rows {what}{f'; {more}' if more else ''} ({example})."
    return VectorFinding(check, "problem", words, len(rows), of, numbers[:LISTED])


def _shift(rows: Sequence[ComparedRow]) -> str:
    """Whether all vectors stand as many rows away from their texts."""
    shifts = {one.found_at - one.row.number for one in rows}
    if len(shifts) > 1:
        return f"that of row {rows[0].row.number:,} stands at row {rows[0].found_at:,}"
    (shift,) = shifts
    return (
        f"each stands {abs(shift):,} {'row' if abs(shift) == 1 else 'rows'} too {'far down' if shift > 0 else 'far up'}"
    )


def _where(other: Sequence[ComparedRow], agreeing: Sequence[ComparedRow]) -> str:
    """Where they lie, if they lie together."""
    first, last = other[0].row.number, other[-1].row.number
    numbers = [one.row.number for one in agreeing]
    if len(other) > 1 and first > numbers[-1]:
        return f", all of them behind row {numbers[-1]:,}"
    if len(other) > 1 and last < numbers[0]:
        return f", all of them before row {numbers[0]:,}"
    return ""


def _interval(count: int, of: int) -> str:
    """The share of all rows that a count in a sample tells of, at 95 %: the interval of Wilson (1927)."""
    share, square = count / of, NORMAL_95**2
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = NORMAL_95 / (1 + square / of) * (share * (1 - share) / of + square / (4 * of**2)) ** 0.5
    return f"of all rows that is {max(0.0, middle - half):.1%} to {min(1.0, middle + half):.1%}"
