"""Several sets that are searched as one: only such whose vectors may be compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.canaries import SAME_SPACE, least_likeness
from embassay.errors import SpaceMismatch, UsageError
from embassay.search.joint import JointIndex
from embassay.space import describe_difference
from embassay.types import ROLES

if TYPE_CHECKING:
    from embassay.sets.opened import OpenSets
    from embassay.sets.proofs import Proofs
    from embassay.sets.state import Generation


@contextmanager
def joint_index(sets: OpenSets, names: Sequence[str]) -> Iterator[JointIndex]:
    """The live generations of these sets, ready to be searched together for the time of the block.

    Raises UsageError for a set that is named twice, SetNotFound, and SpaceMismatch, which names both spaces, unless
    those of all sets are equal or were proven so.
    """
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None:
        raise UsageError(f"set {twice!r} is named twice.")
    with ExitStack() as held:
        opened = [held.enter_context(sets.searched(name)) for name in names]
        first, *others = [generation for generation, _ in opened]
        for other in others:
            check_same_space(first, other, sets.state.proofs)
        yield JointIndex([index for _, index in opened], sets.events)


def check_same_space(first: Generation, other: Generation, proofs: Proofs) -> None:
    """Raises SpaceMismatch where vectors of the two sets are not known to lie in one space.

    They are where the spaces are equal, where the model of one was proven to put texts where that of the other does,
    and where both sets keep the same canaries.
    """
    if first.space != other.space and not (_proven(first, other, proofs) or _same_canaries(first, other, proofs)):
        raise SpaceMismatch(
            f"sets {first.set_name!r} and {other.set_name!r} cannot be searched together: their vectors are of "
            f"{first.space} and {other.space}: {describe_difference(first.space, other.space)}.",
            remedy=remedy.say("Search them one after the other, or index both with one model."),
        )


def _proven(first: Generation, other: Generation, proofs: Proofs) -> bool:
    """Whether a stand-in of one set lives in the space of the other."""
    return any(
        str(theirs.space) in {proof.space for proof in proofs.of(ours.id)}
        for ours, theirs in ((first, other), (other, first))
    )


def _same_canaries(first: Generation, other: Generation, proofs: Proofs) -> bool:
    """Whether the models of both put the canaries in the same place, in both roles."""
    ours, theirs = proofs.anchor(first.id), proofs.anchor(other.id)
    if ours is None or theirs is None or first.space.similarity != other.space.similarity:
        return False
    return all(
        least_likeness(ours.made[role], theirs.made[role], first.space.similarity) >= SAME_SPACE for role in ROLES
    )
