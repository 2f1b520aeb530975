"""The few folders that tell the documents of a set apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

MOST = 8
"""As many as can be told apart by colour and shape."""
REST, TOP = "", "."
"""Stand for all folders that are not named, and for what is in no folder."""
LEAST = 0.02
"""Share of the documents that a folder has at least, to be named."""
NAMED = 0.8
"""Share of the documents that are in named folders at least, where a folder is told apart by what is in it."""

Folder = tuple[str, ...]


def folders_of(paths: Sequence[str], most: int = MOST) -> list[str]:
    """For each path the folder that it is counted to, of at most `most`, as it is called in the one that all have in
    common; see `REST` and `TOP`.

    It begins with what stands directly below the folder that all have in common, and looks into the largest one while
    there is room: a corpus whose documents are mostly in one folder is told apart by what is in that.
    """
    parts = [tuple(path.replace("\\", "/").split("/")[:-1]) for path in paths]
    shared = _shared(parts)
    split: frozenset[Folder] = frozenset()
    groups = [one[: shared + 1] for one in parts]
    while (found := _split(parts, groups, split, most)) is not None:
        split, groups = found
    named = set(_large(groups)[:most])
    return ["/".join(name[shared:]) or TOP if name in named else REST for name in groups]


def _split(
    parts: Sequence[Folder], groups: Sequence[Folder], split: frozenset[Folder], most: int
) -> tuple[frozenset[Folder], list[Folder]] | None:
    """The groups with a large one in its folders; None where there is none that can be so told apart."""
    before = _large(groups)
    for name in before:
        if not name or name in split:
            continue
        tried = split | {name}
        made = [one[: len(name) + 1] if group == name else group for one, group in zip(parts, groups, strict=True)]
        large = set(_large(made))
        share = sum(group in large for group in made) / len(made)
        if len(before) < len(large) <= most and share >= NAMED:
            return tried, made
    return None


def _large(groups: Sequence[Folder]) -> list[Folder]:
    """Those that can be named, the largest first."""
    counts = Counter(groups)
    return [name for name, n in sorted(counts.items(), key=lambda one: (-one[1], one[0])) if n >= LEAST * len(groups)]


def _shared(parts: Sequence[Folder]) -> int:
    """How many folders all have in common."""
    if not parts:
        return 0
    low, high = min(parts), max(parts)
    return next((at for at, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
