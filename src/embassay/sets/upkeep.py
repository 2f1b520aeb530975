"""The verbs of a home that make sets on purpose, and clear away what nobody needs any more."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from embassay.arguments import checks_arguments

if TYPE_CHECKING:
    from embassay.sets.build.report import IndexReport
    from embassay.sets.gc import Collected
    from embassay.sets.opened import OpenSets
    from embassay.sets.options import CreatingOptions
    from embassay.sets.standing import SetWork
    from embassay.stores.filters.values import Filter


@checks_arguments
class Upkeep:
    """What `embassay.home.Home` can do about its sets as a whole."""

    _sets: OpenSets

    def create_set(
        self,
        name: str,
        paths: Iterable[str | os.PathLike[str]] = (),
        *,
        auto_embed: Collection[str] = (),
        **making: Unpack[CreatingOptions],
    ) -> IndexReport | None:
        """Make a set, told when to embed, with what the files and folders of `paths` say in it; the report of those.

        `auto_embed`: ``on_create`` where new documents get their vectors at once, ``on_update`` where changed ones do;
        the others are found by words only until the set is indexed. Of the options, `truncate_dim` cuts vectors to so
        many dimensions, where the model was trained for that, and `dtype` is what their numbers are kept as:
        ``float32``, ``float16`` or ``int8``; with `tokens` the vectors of its tokens are kept as well, for ``maxsim``.
        Raises UsageError, and as `index` does.
        """
        from embassay.sets.creating import create_set
        from embassay.sets.spec import Wishes

        tokens = making.pop("tokens", False)
        wishes, files = Wishes(**making), [Path(path) for path in paths]  # type: ignore[misc]
        return create_set(self._sets, name, wishes, auto_embed, files, tokens=tokens)

    def create_view(self, name: str, *, of: str, where: str | Filter) -> Sequence[str]:
        """Make a view of set `of`: a set that shows what passes `where`, and has no vectors of its own. It is searched,
        listed and exported like any other, and follows every switch of its parent; it is written through the parent.

        What comes back says why it shows nothing, where that is so now. Raises UsageError for a name that is taken or
        cannot be one, FilterError, SetNotFound, StoreError.
        """
        from embassay.sets.creating import create_view
        from embassay.sets.records.listing import nothing

        view = create_view(self._sets, name, of, where)
        return nothing(self._sets, view.name, None, None)

    def moved_sets(self) -> Sequence[str]:
        """The names of the sets that are or were moved to another model, in order. Raises HomeNotFound."""
        return self._sets.state.migrations.sets()

    def newest_work(self, limit: int = 100, *, sets: Collection[str] | None = None) -> Sequence[SetWork]:
        """The newest runs that wrote a set, of all sets or of `sets`. Raises HomeNotFound."""
        from embassay.sets.standing import newest_work

        return newest_work(self._sets, limit, sets)

    def gc(self, *, apply: bool = False) -> Collected:
        """What this home holds and nobody needs any more, and what it would free; with `apply` it is removed.

        What counts, and what stays, says `embassay.sets.gc`. Raises HomeNotFound, HomeNotWritable.
        """
        from embassay.sets.gc import collect

        return collect(self._sets, apply=apply)
