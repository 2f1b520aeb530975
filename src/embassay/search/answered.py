"""Whether a search has found an answer at all, told by how near texts come that have nothing to do with a set.

A cosine says little by itself: in one space unrelated texts have 0.1, in another 0.7. So each set is asked some
everyday questions that hardly any set is about; what their best hits score is its noise. Its own texts say what near
is: how far those that stand most alone are from their nearest neighbour. The threshold lies between the two.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from embassay.errors import EmbassayError, HomeError
from embassay.stores.values import VECTOR
from embassay.words.analyser import analyser

if TYPE_CHECKING:
    from embassay.search.base import Found
    from embassay.stores.base import Snapshot
    from embassay.types import Hit, Vectors

FOREIGN = (
    "where did I leave my blue umbrella",
    "is the bakery on the corner open tomorrow",
    "what shall we cook for dinner tonight",
    "my neighbour's dog barks all night",
    "which shoes go with a green dress",
    "how do I get wine stains out of a carpet",
    "can you recommend a dentist near the station",
    "what time does the last bus leave",
    "my daughter has lost her first tooth",
    "should I bring a cake to the party",
    "how much should I tip the hairdresser",
    "are there still tickets for the concert on Saturday",
    "the washing machine makes a strange noise",
    "is it too late to plant tulips",
    "which film shall we watch this evening",
    "my back hurts when I sit too long",
    "how do I tell my boss that I am leaving",
    "the baby does not want to sleep",
    "what is a good present for my grandmother",
    "does the hotel have a swimming pool",
    "who is going to feed the cat next week",
    "how long can I keep cooked rice in the fridge",
    "my suitcase did not arrive with the flight",
    "is there a quiet beach without many tourists",
    "how do I fold a fitted sheet",
    "which wine goes with roast lamb",
    "he never called me back after our date",
    "what should I wear for the job interview",
    "the milk has gone sour again",
    "can we move the picnic to Sunday",
    "where can I have my bicycle repaired",
    "do I need a visa for my holiday",
    "how do I stop biting my nails",
    "the bride wants white roses on every table",
    "is this mushroom safe to eat",
    "my knee is swollen after playing tennis",
    "which side of the bed do you sleep on",
    "how often should I water a cactus",
    "what is the score of tonight's match",
    "will it rain at the weekend",
)
"""Questions of a day at home, in the role of queries."""
FEWEST = 50
"""Chunks that a set has at least, so that anything is said of it."""
PROBES = 64
"""Chunks of the set whose nearest neighbour is looked for."""
MIDWAY = 0.4
"""Where the threshold lies between the noise and what is near. Over seven sets and ten lists of queries 0.3 gave false
alarms for 0.0 % of the real queries and caught 84 % of the foreign ones, 0.4 gave 0.2 and 89 %. A threshold made of the
noise alone, its median and 3 deviations of its lower half, gave 0.6 and 86 %."""
LONESOME = 0.02
"""Share of the set's own texts that stand further from the others than what counts as near."""
NAMED = 0.75
"""Share of the query's words in one hit from which on the hit is about what was asked, however far its vector lies."""
LOOKED_AT = 10
"""Hits whose words are looked at."""
STALE = 0.25
"""Share by which a set may have grown or shrunk since it was calibrated."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """The raw score below which the best dense hit of a set is no better than noise."""

    least: float
    """Minus infinity where its own texts are no nearer to each other than foreign ones: nothing can be told then."""
    rows: int
    """Chunks that the set had then."""

    @property
    def tells(self) -> bool:
        """Whether noise can be told from what is near."""
        return self.least > -math.inf

    def fits(self, rows: int) -> bool:
        """Whether a set of so many chunks still is nearly the one that was calibrated."""
        return abs(rows - self.rows) <= STALE * self.rows


class CalibrationMemory(Protocol):
    """Remembers the calibration of one set, across processes."""

    def recall(self) -> Calibration | None:
        """What is known. Raises HomeError."""

    def keep(self, calibration: Calibration) -> None:
        """Keep it. Raises HomeError."""


def calibrate(snapshot: Snapshot, embed: Callable[[Sequence[str]], Vectors], rows: int) -> Calibration:
    """The calibration of a set of `rows` chunks.

    `embed` makes vectors (texts, dimensions) in the role of queries. Raises ModelError, ProviderError, StoreError.
    """
    import numpy as np

    asked = embed(FOREIGN)
    noise = [found[0].score for vector in asked if (found := snapshot.dense(vector, 1))]
    own = _sample(snapshot)
    nearest = [found[1].score for vector in own if len(found := snapshot.dense(vector, 2)) > 1]
    lengths = np.linalg.norm(asked, axis=1), np.linalg.norm(own, axis=1)  # of dot products: queries may be shorter
    near = np.quantile(nearest, LONESOME) * np.median(lengths[0]) / max(float(np.median(lengths[1])), 1e-12)
    unrelated, loud = np.quantile(noise, [0.5, 0.75])  # the set may be about some of the rest
    if near <= loud:
        return Calibration(-math.inf, rows)
    return Calibration(float(unrelated + MIDWAY * (near - unrelated)), rows)


def _sample(snapshot: Snapshot) -> Vectors:
    """Vectors (at most PROBES, dimensions) of some of the set's chunks, spread over its first block."""
    chunks, by_label = next(iter(snapshot.scan()))
    sample: Vectors = by_label[VECTOR][:: max(1, len(chunks) // PROBES)][:PROBES]
    return sample


class Gauge:
    """The calibration of one set, read or made when it is first needed. Threads may share it."""

    def __init__(self, memory: CalibrationMemory, embed: Callable[[Sequence[str]], Vectors]) -> None:
        """`embed` makes vectors (texts, dimensions) in the role of queries."""
        self._memory, self._embed = memory, embed
        self._lock = threading.Lock()
        self._known: Calibration | None = None
        self._failed = False

    def read(self, snapshot: Snapshot) -> Calibration | None:
        """The calibration; None for a set of fewer than FEWEST chunks, and where it cannot be made now."""
        with self._lock:
            if self._known is None and not self._failed:
                try:
                    self._known = self._found(snapshot)
                except EmbassayError:  # a search has its hits, and goes without
                    self._failed = True
            return self._known

    def _found(self, snapshot: Snapshot) -> Calibration | None:
        rows = snapshot.count()
        if rows < FEWEST:
            return None
        known = self._memory.recall()
        if known is None or not known.fits(rows):
            known = calibrate(snapshot, self._embed, rows)
            with suppress(HomeError):  # a disk that cannot be written: the next process finds it out again
                self._memory.keep(known)
        return known


def best_dense(found: Mapping[str, Found], set_of: Callable[[Hashable], str]) -> dict[str, float]:
    """The best raw score that vectors gave in each set; nothing where no arm compares the plain ones."""
    best: dict[str, float] = {}
    for one in found.values():
        if one.arm.dense and not one.arm.elsewhere and getattr(one.arm, "vectors", VECTOR) == VECTOR:
            for candidate in one.scored:
                name = set_of(candidate.ref)
                best[name] = max(best.get(name, candidate.score), candidate.score)
    return best


def names_what_was_asked(query: str, hits: Sequence[Hit], language: str) -> bool:
    """Whether one of the first hits has most words of the query."""
    cut = analyser(language)
    asked = set(cut.query(query))
    return bool(asked) and any(
        len(asked.intersection(cut.terms(hit.chunk.indexed))) >= NAMED * len(asked) for hit in hits[:LOOKED_AT]
    )
