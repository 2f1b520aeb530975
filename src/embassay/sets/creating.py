"""Sets that are made on purpose, before anything is in them, and told when to embed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.errors import UsageError
from embassay.ingest.sample import sample_texts
from embassay.sets.build.deferring import ON_CREATE, check_rules
from embassay.sets.generations import generation_for_writing
from embassay.sets.indexing import Reading, index_files
from embassay.sets.leaving import leaving

if TYPE_CHECKING:
    from embassay.sets.build.report import IndexReport
    from embassay.sets.opened import OpenSets
    from embassay.sets.spec import Wishes


def create_set(
    sets: OpenSets, name: str, wishes: Wishes, auto_embed: Collection[str] = (), files: Sequence[Path] = ()
) -> IndexReport | None:
    """A new set, with what `files` say in it; the report of that where there are any.

    Without the rule ``on_create`` the files are found by words only until the set is indexed. Raises UsageError for a
    name that is taken or cannot be one, for unknown rules and missing files, and as indexing does.
    """
    rules = check_rules(auto_embed)
    if sets.exists and name in sets.state.sets():
        raise UsageError(f"there is a set {name!r} already.", remedy=remedy.say("Choose another name."))
    for file in files:
        if not file.exists():
            raise UsageError(f"{file}: no such file or folder.")
    left_out = leaving(sets, name, (), ())
    generation_for_writing(sets, name, wishes, lambda: sample_texts(files, left_out.foreseen()))
    sets.state.roster.tell_when_to_embed(name, rules)
    if not files:
        return None
    return index_files(sets, name, files, wishes, replace(Reading(), embed=ON_CREATE in rules))
