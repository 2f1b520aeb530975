"""A baseline as a file, which a repository can keep: what is good of a set that is made anew wherever it is checked."""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path

from embassay import jsontext, remedy
from embassay.errors import ReadError, UsageError
from embassay.files import write_whole
from embassay.monitor.monitor import Monitor
from embassay.sets.monitoring.table import BaselineRow

FORMAT = 1
MOST_BYTES = 64 << 20


def write_baseline(monitor: Monitor, file: Path) -> None:
    """Write the baseline of the set in its space to `file`, whole or not at all. Raises UsageError where there is none,
    SetNotFound, HomeNotWritable."""
    name = monitor.set.name
    row = monitor.home.monitoring.baseline(name, monitor.space.digest)
    if row is None:
        raise UsageError(
            f"set {name!r} has no baseline in its space.", remedy=remedy.command("monitor baseline", set=name)
        )
    found = {
        "format": FORMAT,
        "set": name,
        "space": row.space,
        "made": row.made,
        "judged": row.judged,
        "parts": dict(row.parts),
        "vectors": b64encode(row.vectors).decode("ascii"),
    }
    write_whole(file, jsontext.dumps(found, indent=1, sort_keys=True) + "\n")


def take_baseline(monitor: Monitor, file: Path) -> bool:
    """Hold the set against the baseline of `file` from now on; whether it was not already. Raises UsageError for one of
    another space, ReadError for what is no baseline, SetNotFound, HomeError."""
    name, space, tables = monitor.set.name, monitor.space, monitor.home.monitoring
    row = _read(file, name)
    if row.space != space.digest:
        raise UsageError(
            f"{file} was made in another space ({row.space}) than set {name!r} is in now ({space.digest}).",
            remedy=remedy.command("monitor baseline", set=name, out=str(file), say="Make it anew: {}"),
        )
    if tables.baseline(name, row.space) == row:
        return False
    tables.keep_baseline(row)
    return True


def _read(file: Path, name: str) -> BaselineRow:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise ValueError("it is too large")
        found = jsontext.loads(file.read_text("utf-8"))
        if found["format"] != FORMAT:
            raise ValueError(f"its format is {found['format']!r}, this embassay reads {FORMAT}")
        space, judged, parts = found["space"], found["judged"], found["parts"]
        if not (isinstance(space, str) and isinstance(judged, str) and isinstance(parts, dict)):
            raise TypeError("a field is of another kind")
        return BaselineRow(name, space, float(found["made"]), judged, parts, b64decode(found["vectors"], validate=True))
    except OSError as error:
        raise ReadError(f"{file} cannot be read: {error.strerror}.") from error
    except KeyError as error:
        raise ReadError(f"{file} is no baseline: it has no {error.args[0]}.") from error
    except (ValueError, TypeError) as error:
        raise ReadError(f"{file} is no baseline: {error}.") from error
