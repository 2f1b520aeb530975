"""Sets that are made on purpose, before anything is in them, and told when to embed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.errors import UsageError
from embassay.ingest.sample import sample_texts
from embassay.sets.beginning import begun
from embassay.sets.build.deferring import check_rules
from embassay.sets.generations import check_name
from embassay.sets.indexing import Reading, index_files
from embassay.sets.leaving import leaving
from embassay.sets.tokens import ask_for_tokens
from embassay.stores.filters.bounds import check_filter
from embassay.stores.filters.parser import read_filter
from embassay.stores.filters.values import And

if TYPE_CHECKING:
    from embassay.sets.build.report import IndexReport
    from embassay.sets.opened import OpenSets
    from embassay.sets.spec import Wishes
    from embassay.sets.views.table import View
    from embassay.stores.filters.values import Filter


def create_set(
    sets: OpenSets,
    name: str,
    wishes: Wishes,
    auto_embed: Collection[str] = (),
    files: Sequence[Path] = (),
    *,
    tokens: bool = False,
) -> IndexReport | None:
    """A new set, with what `files` say in it; the report of that where there are any.

    Without the rule ``on_create`` the files are found by words only until the set is indexed. Raises UsageError for a
    name that is taken or cannot be one, for unknown rules and missing files, and as indexing does.
    """
    rules = check_rules(auto_embed)
    if sets.exists and name in sets.state.roster.names():
        raise UsageError(f"there is a set {name!r} already.", remedy=remedy.say("Choose another name."))
    for file in files:
        if not file.exists():
            raise UsageError(f"{file}: no such file or folder.")
    left_out = leaving(sets, name, (), ())
    with begun(sets, name, wishes, lambda: sample_texts(files, left_out.foreseen())) as (generation, embedder):
        ask_for_tokens(sets, generation, embedder, wanted=tokens or None)
    sets.state.roster.tell_when_to_embed(name, rules)
    if not files:
        return None
    return index_files(sets, name, files, wishes, Reading(by_rules=True))


def create_view(sets: OpenSets, name: str, of: str, where: str | Filter) -> View:
    """A view: what of set `of` passes `where`. One of a view is one of its parent, by both filters.

    Raises UsageError for a name that is taken or cannot be one, FilterError, SetNotFound.
    """
    check_name(name)
    parent, passing = sets.content(of), read_filter(where)
    if passing is None:
        raise UsageError(
            "a view shows what passes a filter, and there is none.", remedy=remedy.option("where", "FILTER")
        )
    passing = passing if parent.view is None else And(parent.view.where, passing)
    check_filter(passing)
    sets.writable_state().views.create(name, parent.own, passing)
    view = sets.content(name).view
    assert view is not None, "it was just made"
    return view
