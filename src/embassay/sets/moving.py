"""The verbs of a set that build another generation of it, and point it at that."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Unpack

from embassay.arguments import checks_arguments
from embassay.sets.views.own import own_name

if TYPE_CHECKING:
    from embassay.canaries import Canaries
    from embassay.search.fusion import Fusion
    from embassay.sets.canary_check import CanaryFound
    from embassay.sets.description import SetDescription
    from embassay.sets.migration.check import Verifier
    from embassay.sets.migration.planning import MigrationPlan
    from embassay.sets.migration.status import MigrationStatus
    from embassay.sets.migration.switching import Switched
    from embassay.sets.migration.target import MigrationTarget
    from embassay.sets.opened import OpenSets
    from embassay.sets.options import MoveOptions
    from embassay.sets.relinking import Relinked
    from embassay.sets.spec import SetSpec
    from embassay.sets.standing import StandingGeneration
    from embassay.sets.trials.status import TrialStatus
    from embassay.sets.trials.terms import TrialTerms
    from embassay.sets.trials.verbs import Observer
    from embassay.space import Space
    from embassay.types import Role


@checks_arguments
class Moving:
    """What `embassay.embedding_set.EmbeddingSet` can do about its generations."""

    name: str
    _sets: OpenSets

    def _own(self, verb: str) -> str:
        """Its name, for a verb that a view does not have. Raises UsageError."""
        return own_name(self._sets, self.name, verb)

    def spec(self) -> SetSpec:
        """How the live generation is made. Raises HomeNotFound, SetNotFound."""
        return self._sets.content(self.name).generation.spec

    def generation(self) -> str:
        """The name of the live generation: another one after each switch. Raises HomeNotFound, SetNotFound."""
        return self._sets.content(self.name).generation.name

    def space(self) -> Space:
        """The space of the live generation, as it was stored: no model is opened. Raises HomeNotFound, SetNotFound."""
        return self._sets.content(self.name).generation.space

    def generations(self) -> Sequence[StandingGeneration]:
        """Its generations, the live one first; of a view those of its parent. Raises HomeNotFound, SetNotFound."""
        from embassay.sets.standing import generations_of

        return generations_of(self._sets, self._sets.content(self.name).own)

    def describe(self) -> SetDescription:
        """What it is made with, and what it holds, as the state has it: no store is opened. Raises SetNotFound."""
        from embassay.sets.description import describe

        return describe(self._sets, self.name)

    def ask_canaries(self, known: Canaries | None = None) -> Mapping[Role, CanaryFound]:
        """The canary texts in both roles, asked of its model now, past every cache, and held against where it put them
        when the set was made, or else against what is `known`. Raises SetNotFound, SpaceMismatch, ModelError,
        ProviderError."""
        from embassay.sets.canary_check import ask_canaries

        return ask_canaries(self._sets, self.name, known)

    def check_coarse(self, dimensions: int) -> None:
        """Raises UsageError where it cannot be searched by coarse vectors of so many dimensions, and SetNotFound."""
        from embassay.sets.coarse import coarse_form

        generation = self._sets.content(self.name).generation
        coarse_form(self._sets.state, self._sets.models, generation, dimensions)

    def fit_coarse(self, dimensions: int) -> Space:
        """Have the set searched by coarse vectors of so many dimensions first: ``coarse(100, dims=64) >> exact``.

        Where its model was trained to be cut to them nothing has to be fitted; else a PCA is, to its vectors, and
        kept as long as they are. The space of the coarse vectors is returned. Raises SetNotFound, StoreError, and
        UsageError for dimensions that it cannot have.
        """
        from embassay.sets.fitting import fit_coarse

        return fit_coarse(self._sets, self._own("compress"), dimensions).space

    @property
    def fusion(self) -> Fusion | None:
        """How its hybrid searches join their arms, where that was fitted to it; else None. Raises SetNotFound."""
        from embassay.sets.joining import fusion_of

        return fusion_of(self._sets, self.name)

    def use_fusion(self, fusion: str | Fusion | None, **detail: object) -> bool:
        """Have hybrid searches of the set, `eval` and `compare` join arms by `fusion`; None: as every set does.

        `detail`, which JSON can say, is kept beside it. It counts as long as the set is in its present space. Whether
        anything was changed. Raises UsageError for what is no fusion, SetNotFound, HomeError.
        """
        from embassay.sets.joining import use_fusion

        return use_fusion(self._sets, self.name, fusion, detail)

    def use_rules(self, auto_embed: Collection[str]) -> None:
        """Have the set embed by these rules from now on, see `Home.create_set`; what waits goes on waiting.

        Raises UsageError for another rule, and for a view, which has none; SetNotFound, HomeError.
        """
        from embassay.sets.build.deferring import check_rules

        self._sets.state.roster.tell_when_to_embed(self._own("index"), check_rules(auto_embed))

    def entitle(self, title: str) -> None:
        """Call the set by a title that people read; its name stays. Raises UsageError, SetNotFound, HomeError."""
        self._sets.state.roster.check(self.name)
        self._sets.state.titles.put(self.name, title)

    def migrate(
        self,
        to: str | None = None,
        *,
        precision: str | None = None,
        truncate_dim: int | None = None,
        pca: int | None = None,
        dtype: str | None = None,
        gate: Verifier | None = None,
        max_spend: float | None = None,
        rate: float = 0.0,
        strict: bool = False,
        gate_from: str = "",
        background: bool = False,
    ) -> MigrationStatus:
        """Build a second generation of the set with model `to` beside the live one, as far as ``ready``.

        Without `to`, vectors of fewer dimensions or another stored type are derived from those that are stored:
        `truncate_dim`, where the model was trained for that, `pca`, or `dtype` (``float16``, ``int8``).

        The set stays searchable, and what is written to it meanwhile reaches both. Texts come from the store. One that
        is under way to the same model is gone on with, wherever it stands. `gate` is one more check before it is ready;
        where a check does not hold, the state is ``failed``, with `strict` also where one passes with a warning.
        `max_spend`: USD at most in all its runs; `rate`: chunks a second at most. `gate_from`: the folder that `gate`
        was read from, which is kept for whoever resumes it. With `background` a process of its own does the work, with
        the `gate` that it reads from there, and the status is that of its beginning. Ends with MigrationPaused where a
        cap, a quota, the provider or the disk stops it, or somebody by `pause_migration`. Raises UsageError where the
        set is in that space already, SetNotFound, MigrationState, SetInUse where another process is at it, ModelError,
        ProviderError, HomeError, StoreError.
        """
        from embassay.sets.migration.beginning import JobOptions
        from embassay.sets.migration.moving import migrate
        from embassay.sets.migration.target import MigrationTarget

        target = MigrationTarget.of(to, precision, truncate_dim=truncate_dim, pca=pca, dtype=dtype)
        options = JobOptions(rate, max_spend, gate_from, strict)
        return migrate(self._sets, self._own("migrate"), target, options, gate, background=background)

    def plan_migration(self, to: str | None = None, **options: Unpack[MoveOptions]) -> MigrationPlan:
        """What `migrate` would take: tokens, money, time and disk. Nothing is sent to a hosted model, nothing is made.

        Tokens are counted, and the speed of a model that runs here is measured, on a sample of the set's chunks.
        `options` are those of `migrate` that say where to. Raises UsageError where the set is in that space already,
        SetNotFound, StoreError, ModelError.
        """
        from embassay.sets.migration.planning import plan
        from embassay.sets.migration.target import MigrationTarget

        return plan(self._sets, self._own("migrate"), MigrationTarget.of(to, **options))

    def resume_migration(
        self,
        *,
        gate: Verifier | None = None,
        max_spend: float | None = None,
        rate: float | None = None,
        gate_from: str | None = None,
        background: bool = False,
    ) -> MigrationStatus:
        """Go on with the migration that is under way, also after its process died; what is not given stays as it was.

        Raises as `migrate` does, and UsageError where it is held by a gate that is not given.
        """
        from embassay.sets.migration.moving import change, resume

        change(self._sets, self._own("migrate"), rate=rate, max_spend=max_spend, gate=gate_from)
        return resume(self._sets, self._own("migrate"), gate, background=background)

    def pause_migration(self) -> MigrationStatus:
        """Have the process that migrates the set stop soon; what it has embedded is kept. Raises MigrationState."""
        from embassay.sets.migration.moving import pause

        return pause(self._sets, self._own("migrate"))

    def abort_migration(self) -> bool:
        """Give the migration that is under way up: what it built is removed. Raises MigrationState.

        Whether that is gone already; what its process does not let go of yet, `Home.gc` removes later.
        """
        from embassay.sets.migration.moving import abort

        return abort(self._sets, self._own("migrate"))

    def is_at(self, target: MigrationTarget) -> bool:
        """Whether the live generation is made as `target` says. Raises SetNotFound."""
        return target.is_met_by(self._sets.live(self._own("migrate")).spec)

    def migration_to(self, target: MigrationTarget) -> MigrationStatus | None:
        """The last migration, if it leads where `target` says; else None. Raises SetNotFound."""
        from embassay.sets.migration.status import migration_to

        return migration_to(self._sets, self._own("migrate"), target)

    def migration(self) -> MigrationStatus:
        """How the migration that began last stands. Raises SetNotFound, and MigrationState where there was none."""
        from embassay.sets.migration.status import status_of_migration

        return status_of_migration(self._sets, self._own("migrate"))

    def switch(
        self,
        to: str | None = None,
        *,
        keep_days: float = 7.0,
        force: bool = False,
        why: str = "",
        trial: TrialTerms | None = None,
    ) -> Switched:
        """Make the generation that was built by a migration the live one, in one step that searches do not notice.

        `to` names one of the set's generations; by default it is the one that was built. The one that was live is kept
        for `keep_days`: it is written as well, so that `rollback` loses nothing. One that is built and not proven is
        switched to only by `force`, of which the history keeps who did it and `why`. With a `trial` the one that was
        live is kept until that is decided, see the verb of that name. Waits for whoever writes the set. Raises
        SetNotFound, MigrationState, UsageError, HomeError, StoreError.
        """
        from embassay.sets.migration.switching import switch
        from embassay.sets.trials.terms import SECONDS_A_DAY
        from embassay.sets.trials.verbs import prepared

        terms = trial and prepared(self._sets, self._own("switch"), trial)
        seconds = keep_days * SECONDS_A_DAY
        return switch(self._sets, self._own("switch"), to=to, keep_seconds=seconds, force=force, why=why, trial=terms)

    def trial(self, observer: Observer | None = None) -> TrialStatus:
        """How the trial of the set stands; with an `observer` it is measured now, and decided if it is due.

        `embassay.evaluate.migration.trial.TrialObserver()` asks the judged set of both generations and reads the query
        log. A trial that is due is kept, reverted or left undecided, once, by whoever looks first; before that a look
        decides nothing. Raises SetNotFound, and MigrationState where the set has had no trial.
        """
        from embassay.sets.trials.verbs import look

        return look(self._sets, self._own("trial"), observer)

    def open_trial(self) -> TrialStatus | None:
        """How the trial of the set stands while nobody has decided it; else None. Raises SetNotFound."""
        from embassay.sets.trials.status import open_trial

        self._sets.state.roster.check(self.name)
        return open_trial(self._sets, self.name)

    def keep_trial(self, *, why: str = "") -> TrialStatus:
        """Decide the open trial of the set by hand: the new generation stays. `rollback` decides the other way.

        Raises SetNotFound, MigrationState where no trial is open.
        """
        from embassay.sets.trials.verbs import keep

        return keep(self._sets, self._own("trial"), why)

    def extend_trial(self, days: float) -> TrialStatus:
        """Have the open trial of the set run so many days longer, also one that was undecided when it was due.

        Raises SetNotFound, UsageError, MigrationState where no trial is open.
        """
        from embassay.sets.trials.verbs import extend

        return extend(self._sets, self._own("trial"), days)

    def rollback(self, *, keep_days: float = 7.0, why: str = "") -> Switched:
        """Make the generation live again that was it before; the present one is kept for `keep_days` in its place.

        What was written since is brought along. Documents that the former model cannot embed now are found by words
        only: `Switched.words_only` says how many. Raises SetNotFound, MigrationState where none is kept, UsageError,
        HomeError, StoreError.
        """
        from embassay.sets.migration.switching import rollback
        from embassay.sets.trials.terms import SECONDS_A_DAY

        return rollback(self._sets, self._own("rollback"), keep_seconds=keep_days * SECONDS_A_DAY, why=why)

    def relink(self, to: str | None = None, *, precision: str | None = None, back: bool = False) -> Relinked:
        """Have model `to`, which lives in the space of the set under another name or at another provider, make its
        vectors from now on. Nothing is embedded anew: both are proven equal by canaries in both roles and by some of
        the stored texts. With `back` the last relinking is taken back, in the same way.

        Raises SpaceMismatch, with the least cosine, where it makes other vectors; UsageError where it takes fewer
        tokens than the chunks of the set have, or is its model already; MigrationState while the set is being
        migrated; SetNotFound, ModelError, ProviderError.
        """
        from embassay.errors import UsageError
        from embassay.sets.relinking import relink, relink_back

        if back == (to is not None):
            raise UsageError("either a model is named to relink a set to, or it is taken back.")
        return (
            relink_back(self._sets, self._own("relink"))
            if to is None
            else relink(self._sets, self._own("relink"), to, precision)
        )
