"""What was read of the files of a set, and what was not, in the words of the command line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from embassay.cli import words
from embassay.cli.tables import line

if TYPE_CHECKING:
    from rich.console import Console

    from embassay.sets.coverage import Coverage

Named = Sequence[tuple[str, str]]
"""(path, reason) of files."""
EXAMPLES = 3
"""Files that are named of those which share a reason."""
MORE = "embassay status --json"


def coverage(read: Coverage) -> str:
    """How much was read, and how many files give less than they hold, on one line."""
    documents, held = words.count(read.documents, "document"), read.chars + read.chars_left_out
    chars = f"{held:,} characters"
    if read.chars_left_out:
        chars = f"{read.chars:,} of {chars} ({read.share:.1%})"
    counts = (
        (len(read.read_in_part), "read in part"),
        (len(read.skipped), "skipped"),
        (len(read.quarantined), "quarantined"),
    )
    told = [f"{words.count(number, 'file')} {what}" for number, what in counts if number]
    return f"{', '.join([f'{documents}, {chars} read', *told])}."


def by_reason(files: Iterable[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """The reasons with the paths that have each, the most frequent first."""
    grouped: dict[str, list[str]] = {}
    for path, reason in files:
        grouped.setdefault(reason, []).append(path)
    return sorted(grouped.items(), key=lambda pair: -len(pair[1]))


def print_files(out: Console, what: str, files: Named, most: int | None = None) -> None:
    """A line for each of the first `most` files, and how many there are besides."""
    for path, reason in files[:most]:
        out.print(line((what, "yellow"), f" {path}: {reason}"))
    if most is not None and len(files) > most:
        out.print(f"… and {len(files) - most:,} more: {MORE}")


def print_skipped(out: Console, what: str, files: Named, most: int) -> None:
    """A line for each of the first `most` reasons, with some of the files that were skipped for it."""
    grouped = by_reason(files)
    for reason, paths in grouped[:most]:
        named = ", ".join(paths[:EXAMPLES]) + (", …" if len(paths) > EXAMPLES else "")
        out.print(line((what, "dim"), f" {words.count(len(paths), 'file')}: {reason}: {named}"))
    if len(grouped) > most:
        out.print(f"… and {len(grouped) - most:,} more reasons: {MORE}")
