"""Two opinions of the same candidates as one: what a ranking said of them, and scores that came later."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

from embassay.stores.values import Scored

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def blended(ranking: Sequence[Scored], new: Mapping[Hashable, float], weight: float) -> list[Scored]:
    """`ranking` with what both opinions say together, in standard deviations from their means: `weight` of the new one.

    The candidates that have a `new` score change places among themselves, and every other one keeps its own. The
    scores stay in the scale of the ranking, and none is above that of the one before it.
    """
    import numpy as np

    places = [at for at, one in enumerate(ranking) if one.ref in new]
    if not places:
        return [*ranking]
    old = np.array([ranking[at].score for at in places], np.float64)
    said = (1 - weight) * _standardised(old) + weight * _standardised(np.array([new[ranking[at].ref] for at in places]))
    made, scores = [*ranking], (old.mean() + old.std() * said).tolist()
    for place, best in zip(places, np.argsort(-said, kind="stable").tolist(), strict=True):
        made[place] = Scored(ranking[places[best]].ref, scores[best])
    return _falling(made)


def _standardised(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    deviation = float(scores.std())
    made: NDArray[np.float64] = (scores - scores.mean()) / deviation if deviation > 0 else scores * 0
    return made


def _falling(ranking: Sequence[Scored]) -> list[Scored]:
    made: list[Scored] = []
    for one in ranking:
        made.append(Scored(one.ref, made[-1].score) if made and one.score > made[-1].score else one)
    return made
