"""Verbs that write a set are done to the set itself, and not to a view of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embassay.sets.opened import OpenSets


def own_name(sets: OpenSets, name: str, verb: str) -> str:
    """The name of a set that `verb` writes, which need not be there yet.

    Raises UsageError for a view: it names the parent, and the command to run there.
    """
    if sets.exists:
        sets.state.views.refuse(name, verb)
    return name
