"""What candidates find for questions, as passages of the judged set: models and sets alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from embassay.errors import EmbassayError
from embassay.evaluate.compare.set_system import SetSystem
from embassay.evaluate.compare.systems import System
from embassay.evaluate.data.judged import JudgedSet
from embassay.evaluate.data.places import Place, covering
from embassay.types import Document


class CandidateSearch:
    """The candidates of a comparison, asked questions that nobody has judged."""

    def __init__(self, systems: Sequence[System], documents: tuple[Document, ...], depth: int) -> None:
        """`depth`: passages of each candidate."""
        self.failed: dict[str, EmbassayError] = {}
        """Candidate to why it failed; it is not asked again."""
        self._systems, self._documents, self._depth = systems, documents, depth
        self._places: dict[str, list[Place]] = {}
        for document in documents:
            place = Place.parse(document.id)
            self._places.setdefault(place.path, []).append(place)

    def find(
        self, questions: Mapping[str, str], advance: Callable[[int], None] = lambda _: None
    ) -> dict[str, dict[str, list[str]]]:
        """Question id to candidate to ids of passages, best first.

        `advance` is told of texts embedded. A candidate that fails is left out from then on; raises its error where
        fewer than two are left, since there is nothing to tell apart then.
        """
        asked = JudgedSet("", self._documents, questions, {})
        found: dict[str, dict[str, list[str]]] = {question: {} for question in questions}
        for system in self._systems:
            if system.name in self.failed:
                continue
            try:
                run = system.run(asked, self._depth, advance)
            except EmbassayError as error:
                self.failed[system.name] = error
                continue
            for question, ranking in run.rankings.items():
                found[question][system.name] = self._passages(system, ranking)
        self._check_enough()
        return found

    def _passages(self, system: System, ranking: Sequence[str]) -> list[str]:
        """What a set finds are places in files: each is the passage that it is about, if there is one."""
        if not isinstance(system, SetSystem):
            return list(ranking)
        places = [Place.parse(name) for name in ranking]
        nearest = [covering(place, self._places.get(place.path, ()))[:1] for place in places]
        return list(dict.fromkeys(found.name for near in nearest for found in near))

    def _check_enough(self) -> None:
        if len(self._systems) - len(self.failed) >= 2:
            return
        name, error = next(iter(self.failed.items()))
        error.message = f"candidate {name} failed: {error.message}"
        raise error
