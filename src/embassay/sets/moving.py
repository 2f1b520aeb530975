"""The verbs of a set that point it at another generation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay.arguments import checks_arguments

if TYPE_CHECKING:
    from embassay.sets.migration.switching import Switched
    from embassay.sets.opened import OpenSets


@checks_arguments
class Moving:
    """What `embassay.embedding_set.EmbeddingSet` can do about its generations."""

    name: str
    _sets: OpenSets

    def switch(self, to: str | None = None, *, keep_days: float = 7.0, force: bool = False, why: str = "") -> Switched:
        """Make the generation that was built by a migration the live one, in one step that searches do not notice.

        `to` names one of the set's generations; by default it is the one that was built. The one that was live is kept
        for `keep_days`: it is written as well, so that `rollback` loses nothing. One that is built and not proven is
        switched to only by `force`, of which the history keeps who did it and `why`. Waits for whoever writes the set.
        Raises SetNotFound, MigrationState, UsageError, HomeError, StoreError.
        """
        from embassay.sets.migration.switching import SECONDS_A_DAY, switch

        return switch(self._sets, self.name, to=to, keep_seconds=keep_days * SECONDS_A_DAY, force=force, why=why)

    def rollback(self, *, keep_days: float = 7.0, why: str = "") -> Switched:
        """Make the generation live again that was it before; the present one is kept for `keep_days` in its place.

        What was written since is brought along. Documents that the former model cannot embed now are found by words
        only: `Switched.words_only` says how many. Raises SetNotFound, MigrationState where none is kept, UsageError,
        HomeError, StoreError.
        """
        from embassay.sets.migration.switching import SECONDS_A_DAY, rollback

        return rollback(self._sets, self.name, keep_seconds=keep_days * SECONDS_A_DAY, why=why)
