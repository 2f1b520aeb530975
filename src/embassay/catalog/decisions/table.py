"""A user's own table of models, as CSV: columns are known by many names, and a line that cannot be read is named."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from embassay.catalog.card import ModelCard
from embassay.catalog.decisions.facts import Facts, of_card
from embassay.errors import UsageError

LARGEST_MB = 64
COLUMNS = {
    "id": ("id", "model", "modelid", "modelname", "name", "repo", "repoid", "huggingfaceid"),
    "downloads": ("downloads", "downloadslastmonth", "downloadspermonth", "monthlydownloads", "downloads30d"),
    "updated": ("updated", "updatedat", "lastmodified", "lastupdated", "lastupdate", "modified"),
    "domain": ("domain",),
    "languages": ("language", "languages", "lang"),
    "size_mb": ("sizemb", "size", "mb", "modelsizemb", "memorymb"),
}
"""What a column holds, by the letters and digits of its name."""
_NUMBER = re.compile(r"^([0-9]+(?:[, _][0-9]{3})*(?:\.[0-9]+)?)\s*([a-zA-Z]*)$")
_COUNTS = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9}
_SIZES = {"": 1.0, "mb": 1.0, "mib": 1.048576, "gb": 1e3, "gib": 1073.741824, "kb": 1e-3}
_DAY = re.compile(r"^[0-9]{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?")


@dataclass(frozen=True, slots=True)
class Table:
    """What was read of a file."""

    models: tuple[Facts, ...]
    malformed: tuple[tuple[int, str], ...]
    """(line of the file, counted from 1; what is wrong with it)"""
    missing: tuple[str, ...]
    """Facts for which the file has no column."""


def read_table(file: Path, cards: Mapping[str, ModelCard]) -> Table:
    """The models of a CSV file, separated by commas, semicolons or tabs, with the names of its columns first.

    What it has no column or no value for is taken from the card of the model, if there is one. Raises UsageError for a
    file that cannot be read, is larger than 64 MB, or has no column for the model.
    """
    lines = _lines(file)
    rows = csv.reader(lines, delimiter=_delimiter(lines[0]) if lines else ",")
    places = _places(_header(file, rows))
    if "id" not in places:
        names = ", ".join(COLUMNS["id"][:4])
        raise UsageError(f"{file} has no column for the model.", remedy=f"Call it one of {names}.")
    models: dict[str, Facts] = {}
    malformed: list[tuple[int, str]] = []
    width, line = max(places.values()) + 1, rows.line_num
    while True:
        line = rows.line_num + 1
        try:
            row = next(rows)
            if not any(cell.strip() for cell in row):
                continue
            facts = _facts(row, places, width, cards)
            if facts.id in models:
                raise ValueError(f"{facts.id} stands on an earlier line already")
            models[facts.id] = facts
        except StopIteration:
            break
        except (ValueError, csv.Error) as error:
            malformed.append((line, str(error)))
    missing = tuple(name for name in COLUMNS if name not in places)
    return Table(tuple(models.values()), tuple(malformed), missing)


def _lines(file: Path) -> list[str]:
    try:
        if file.stat().st_size > LARGEST_MB * 10**6:
            raise UsageError(
                f"{file} is larger than {LARGEST_MB} MB.", remedy="Leave out models that are of no interest."
            )
        return file.read_text("utf-8-sig").splitlines(keepends=True)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.", remedy="Name a CSV file.") from error
    except ValueError as error:
        raise UsageError(f"{file} is no UTF-8 text.", remedy="Save it as UTF-8.") from error


def _delimiter(header: str) -> str:
    return max(",;\t", key=header.count)


def _header(file: Path, rows: Iterator[list[str]]) -> Sequence[str]:
    try:
        return next(rows)
    except StopIteration:
        raise UsageError(f"{file} is empty.", remedy="Its first line names the columns.") from None
    except csv.Error as error:
        raise UsageError(f"{file}, line 1: {error}.", remedy="Its first line names the columns.") from error


def _places(header: Sequence[str]) -> dict[str, int]:
    """What is known by the name of a column, and where it stands; the first of several counts."""
    plain = [re.sub(r"[^a-z0-9]", "", name.lower()) for name in header]
    found = {fact: [plain.index(name) for name in names if name in plain] for fact, names in COLUMNS.items()}
    return {fact: at[0] for fact, at in found.items() if at}


def _facts(row: Sequence[str], places: Mapping[str, int], width: int, cards: Mapping[str, ModelCard]) -> Facts:
    """Raises ValueError that says what is wrong with the row."""
    if len(row) < width:
        raise ValueError(f"it has {len(row)} fields, and the columns that are read need {width}")
    cells = {fact: row[at].strip() for fact, at in places.items()}
    model = cells.pop("id")
    if not model:
        raise ValueError("it names no model")
    card = cards.get(model)
    known = of_card(card) if card else Facts(model)
    return replace(known, **{fact: _READ[fact](cell) for fact, cell in cells.items() if cell})


def _count(cell: str) -> float:
    return _scaled(cell, _COUNTS, "no number of downloads")


def _size(cell: str) -> float:
    return _scaled(cell, _SIZES, "no size in MB or GB")


def _scaled(cell: str, units: Mapping[str, float], otherwise: str) -> float:
    match = _NUMBER.match(cell) if len(cell) < 40 else None
    factor = units.get(match[2].lower()) if match else None
    if match is None or factor is None:
        raise ValueError(f"{cell[:40]!r} is {otherwise}")
    return float(re.sub("[, _]", "", match[1])) * factor


def _day(cell: str) -> str:
    if not (match := _DAY.match(cell)):
        raise ValueError(f"{cell[:40]!r} is no day; write YYYY-MM-DD")
    return match[0]


def _languages(cell: str) -> tuple[str, ...]:
    return tuple(part for part in re.split(r"[^a-z]+", cell.lower()) if part)


_READ: Mapping[str, Callable[[str], Any]] = {
    "downloads": _count, "updated": _day, "domain": str.lower, "languages": _languages, "size_mb": _size,
}  # fmt: skip
