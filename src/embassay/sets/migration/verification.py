"""A new generation is held against the live one before it may be switched to.

Counts, read-back and the recall of vectors against themselves all pass where every vector went through a map the wrong
way round. So the model itself is asked again: for a sample of the rows and those that look odd, and for questions whose
answer is known. It embeds at most 600 texts, or 5 % of a large set.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from embassay import plugins
from embassay.errors import EmbassayError
from embassay.events import Noted
from embassay.sets.migration.check import Check, Verifier
from embassay.sets.migration.evidence.gathered import Evidence
from embassay.sets.migration.evidence.side import Side

if TYPE_CHECKING:
    from embassay.sets.opened import OpenSets
    from embassay.sets.state import Generation

CHECKS = "embassay.sets.migration.checks"
LOGGED = 200
"""Logged searches that are looked at for what people asked lately."""
WIDTH = 80


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """What all checks of a new generation found."""

    checks: Sequence[Check]

    @property
    def passed(self) -> bool:
        """Whether the generation may be switched to."""
        return all(one.passed for one in self.checks)

    @property
    def failed(self) -> Sequence[Check]:
        """The checks that it did not pass."""
        return [one for one in self.checks if not one.passed]

    @property
    def reason(self) -> str:
        """What failed, in words; empty where it passed."""
        return " ".join(f"{one.name}: {one.detail}" for one in self.failed)

    def to_dict(self) -> dict[str, object]:
        """The report as it is stored with the migration, and as JSON has it."""
        return {"passed": self.passed, "checks": [one.to_dict() for one in self.checks]} if self.checks else {}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> VerificationReport:
        """The report that `to_dict` made; an empty one of a migration that was not verified yet."""
        return cls(tuple(Check.from_dict(one) for one in stored.get("checks", ())))

    def text(self, width: int = WIDTH) -> str:
        """A paragraph for each check, failed ones first."""
        rank = sorted(self.checks, key=lambda one: (one.passed, not one.warned))
        return "\n".join(line for one in rank for line in _lines(one, width))


class Verification:
    """Makes every check of `checks/`. Those that need the model are left out where one that does not has failed."""

    def __init__(self, *, judged: bool = False, seed: int = 0) -> None:
        """`judged`: a judged set decides about quality. `seed` is that of the sample."""
        self._judged, self._seed = judged, seed

    def __call__(self, sets: OpenSets, live: Generation, new: Generation) -> list[Check]:
        """Every check that was made. Raises ModelError, ProviderError, SpendCapReached, StoreError."""
        with ExitStack() as held:
            evidence = Evidence(
                _side(sets, live, held),
                _side(sets, new, held),
                _changing(sets, live, new),
                seed=self._seed,
                logged=_logged(sets, live.set_name),
                judged=self._judged,
                tell=lambda said: sets.events.tell(Noted(said)),
            )
            return [*made(evidence)]


class _Strict:
    """A verifier whose warnings are failures."""

    def __init__(self, inner: Verifier) -> None:
        self._inner = inner

    def __call__(self, sets: OpenSets, live: Generation, new: Generation) -> list[Check]:
        return [replace(one, passed=one.passed and not one.warned) for one in self._inner(sets, live, new)]


def verifiers(gate: Verifier | None = None, *, strict: bool = False, seed: int = 0) -> list[Verifier]:
    """All that decides whether a generation is ready. `gate`: a judged set as a verifier, if there is one.

    With `strict` a warning counts as a failure.
    """
    found: list[Verifier] = [Verification(judged=gate is not None, seed=seed), *([gate] if gate else ())]
    return [_Strict(one) for one in found] if strict else found


def made(evidence: Evidence) -> Iterator[Check]:
    """What every check says of the evidence, those first that embed nothing. Each is made when it is asked for."""
    modules = [*plugins.load_all(CHECKS).values()]
    sound = True
    for module in sorted(modules, key=lambda one: bool(one.EMBEDS)):
        if module.EMBEDS and not sound:
            return
        check = module.check(evidence)
        if check is not None:
            sound &= check.passed or module.EMBEDS
            yield check


def _side(sets: OpenSets, generation: Generation, held: ExitStack) -> Side:
    store = sets.folder.store(generation)
    held.callback(store.close)
    snapshot = held.enter_context(store.snapshot())
    anchor = sets.state.proofs.anchor(generation.id)
    sources = {row.path: row for row in sets.state.sources(generation)}
    return Side(generation, snapshot, lambda: sets.embedder(generation), anchor, sources)


def _changing(sets: OpenSets, live: Generation, new: Generation) -> set[str]:
    """Paths of origins in which the two differ: written meanwhile, or waiting for the model. The switch brings them.

    Asked behind the snapshots, so that what is written between them counts as changing.
    """
    found = sets.state.lags.between(live.id, new.id)
    return {*found.todo, *found.gone}


def _logged(sets: OpenSets, name: str) -> list[str]:
    """What people asked this set lately, as far as the log has the texts."""
    try:
        entries = [*islice(sets.query_log.entries(name), LOGGED)]
    except EmbassayError:  # a verification does without
        return []
    return [*dict.fromkeys(entry.query for entry in entries if entry.form == "kept" and entry.query.strip())]


def _lines(check: Check, width: int) -> Iterator[str]:
    mark = "warning" if check.passed and check.warned else "passed" if check.passed else "FAILED"
    head = f"{mark:<8} {check.name:<11} "
    yield from textwrap.wrap(check.detail, width, initial_indent=head, subsequent_indent=" " * len(head))
