"""JSON files of a model repository, whose fields are read by type: what is not as it should be names file and field."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from embassay import jsontext
from embassay.engine.unsupported import damaged
from embassay.errors import ModelUnsupported

Json: TypeAlias = Any
"""A value as a JSON file holds it, whose type is not known yet."""


class Fields:
    """The object that a JSON file holds. A field that is null counts as absent."""

    def __init__(self, path: Path, values: Mapping[str, Json]) -> None:
        self.path, self.values = path, values

    def __contains__(self, key: str) -> bool:
        return self.values.get(key) is not None

    def integer(self, key: str, default: int, least: int = 0) -> int:
        """A whole number of at least `least`. Raises ModelUnsupported."""
        value = self._value(key, default)
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # transformers writes "no limit" as 1e30
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self._expected(key, f"a whole number of at least {least}")
        return value

    def number(self, key: str, default: float) -> float:
        """A number that is finite and not negative. Raises ModelUnsupported."""
        value = self._value(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
            raise self._expected(key, "a number that is not negative")
        return float(value)

    def text(self, key: str, default: str = "") -> str:
        """Raises ModelUnsupported for anything but a string."""
        value = self._value(key, default)
        if not isinstance(value, str):
            raise self._expected(key, "a string")
        return value

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Raises ModelUnsupported for anything but true or false."""
        value = self._value(key, default)
        if not isinstance(value, bool):
            raise self._expected(key, "true or false")
        return value

    def texts(self, key: str) -> Mapping[str, str]:
        """An object of strings; fields that are null are left out. Raises ModelUnsupported."""
        value = self._value(key, {})
        found = {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else None
        if found is None or not all(isinstance(v, str) for v in found.values()):
            raise self._expected(key, "an object of strings")
        return found

    def list(self, key: str) -> Sequence[Json]:
        """Raises ModelUnsupported for anything but a list."""
        value = self._value(key, [])
        if not isinstance(value, list):
            raise self._expected(key, "a list")
        return value

    def _value(self, key: str, default: Json) -> Json:
        value = self.values.get(key)
        return default if value is None else value

    def _expected(self, key: str, what: str) -> ModelUnsupported:
        said = jsontext.dumps(self.values[key], ascii_only=True)[:60]
        return damaged(f"{self.path}: {key!r} is {said}, expected {what}.")


def read_json(path: Path) -> Json:
    """What a JSON file holds; None where there is no such file. Raises ModelUnsupported."""
    try:
        values = jsontext.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise damaged(f"{path} cannot be read: {why}.") from error
    if values is None:
        raise damaged(f"{path} holds null.")
    return values


def read_fields(path: Path) -> Fields:
    """The object in a JSON file; an empty one where there is no such file. Raises ModelUnsupported."""
    values = read_json(path)
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise damaged(f"{path} holds no JSON object.")
    return Fields(path, values)


def need_fields(path: Path) -> Fields:
    """The object in a JSON file that has to be there. Raises ModelUnsupported."""
    if not path.is_file():
        raise damaged(f"{path.parent} holds no {path.name}, so it is not a model repository.")
    return read_fields(path)


def inside(folder: Path, path: str, file: Path) -> Path:
    """`path` below `folder`, as `file` names it. Raises ModelUnsupported for one that leads out of the folder."""
    parts = Path(path).parts if "\0" not in path else (path,)
    if "\0" in path or Path(path).is_absolute() or ".." in parts or "\\" in path:
        raise damaged(f"{file} names {path!r}, which is no path inside of the model's folder.")
    return folder / path
