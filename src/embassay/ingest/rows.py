"""Files of records, of which somebody says what their fields mean: rows in, what makes a record out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from embassay import plugins, remedy
from embassay.errors import ReadError, UsageError
from embassay.ingest.field_names import IDS, TEXTS, TITLES
from embassay.ingest.read import reader_name
from embassay.text import did_you_mean

if TYPE_CHECKING:
    from embassay.ingest.base import RawRecord, RowReader, SourceFile

READERS = "embassay.ingest.readers"


def formats() -> list[str]:
    """Names of the formats whose files hold rows."""
    return [name for name, module in plugins.load_all(READERS).items() if hasattr(module, "rows")]


def rows_of(source: SourceFile, format: str | None = None) -> Iterator[RawRecord | ReadError]:
    """The rows of a file, read as its suffix says, or as `format` does.

    A row that cannot be read stands there as a ReadError, and so does what ends the file before its end. Raises
    UsageError for a format that has no rows.
    """
    name = format or reader_name(source.file.suffix)
    reader = plugins.load(READERS, name) if format is None or format in formats() else None
    if not hasattr(reader, "rows"):
        what = f"{format!r} is no format of records" if format else f"{source.file} is no file of records by its name"
        known = formats()
        hint = did_you_mean(name, known) or remedy.option("format", "NAME", say=f"Say which it is, {', '.join(known)}")
        raise UsageError(f"{what}.", remedy=hint)
    return _until_fault(cast("RowReader", reader), source)


def _until_fault(reader: RowReader, source: SourceFile) -> Iterator[RawRecord | ReadError]:
    try:
        yield from reader.rows(source)
    except ReadError as error:
        yield error
    except OSError as error:
        yield ReadError(f"{source.file}: {error.strerror or error}")
    except (ValueError, MemoryError) as error:  # a library that reads a format
        yield ReadError(f"{source.file}: {type(error).__name__}: {' '.join(str(error).split())[:200]}")


@dataclass(frozen=True, slots=True)
class RecordFields:
    """Which fields of a row are the parts of a record; every other one is metadata.

    A name is that of a field, or leads into one that holds fields: ``meta.lang``. Where none is given, the usual names
    are tried.
    """

    id: str | None = None
    text: str | None = None
    title: str | None = None
    vector: str | None = None

    def record(self, row: RawRecord) -> dict[str, object]:
        """The row as a record: ``id``, ``text``, ``title``, ``metadata`` and ``vector``.

        Raises ReadError, with its line, for one without an id or a text.
        """
        rest = dict(row.fields)
        identity, of_id = _take(rest, self.id, IDS)
        text, of_text = _take(rest, self.text, TEXTS)
        title, _ = _take(rest, self.title, TITLES)
        identity, text, title = _words(identity), _text(text), _words(title)
        if not identity:
            raise ReadError(f"line {row.line}: no id in {of_id}")
        if not text.strip():
            raise ReadError(f"line {row.line}: no text in {of_text}")
        made: dict[str, object] = {"id": identity, "text": text, "title": title}
        if self.vector is not None:
            vector, _ = _take(rest, self.vector, ())
            if vector is None:
                raise ReadError(f"line {row.line}: no vector in {self.vector!r}")
            made["vector"] = vector
        return made | {"metadata": {name: value for name, value in rest.items() if name.strip() and value is not None}}


def _take(rest: dict[str, object], name: str | None, usual: tuple[str, ...]) -> tuple[object, str]:
    """What the field `name` holds, or the first of the `usual` ones that is there, taken out; and where it was."""
    if name is not None:
        return _taken(rest, name), repr(name)
    lower = {field.lower(): field for field in reversed(rest)}
    for one in usual:
        if one in lower:
            return rest.pop(lower[one]), repr(lower[one])
    return None, f"any of {', '.join(usual[:4])}"


def _taken(rest: dict[str, object], name: str) -> object:
    """The value at `name`, a field or a path with dots; what the path leads through is copied, never changed."""
    if name in rest:
        return rest.pop(name)
    first, dot, following = name.partition(".")
    inner = rest.get(first)
    if not dot or not isinstance(inner, Mapping):
        return None
    inner = dict(inner)
    value = _taken(inner, following)
    rest[first] = inner
    if not inner:
        del rest[first]
    return value


def _words(value: object) -> str:
    """An id or a title as a string; empty for what is none."""
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return str(value).strip() if isinstance(value, str) or math.isfinite(value) else ""
    return ""


def _text(value: object) -> str:
    """A text as a string: paragraphs of a list are put together."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "\n\n".join(value)
    return value if isinstance(value, str) else _words(value)
