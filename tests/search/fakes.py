"""A snapshot that finds what it is told to find, and a model whose vectors nobody looks at."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from embassay.search.base import Arm, Found
from embassay.search.context import Context
from embassay.search.stages.dense import Dense
from embassay.search.stages.lexical import Lexical
from embassay.stores.values import Scored
from embassay.types import Chunk

DENSE = [Scored("a", 0.9), Scored("b", 0.5), Scored("c", 0.1)]
LEXICAL = [Scored("c", 8.0), Scored("d", 4.0)]


def chunk(key: Hashable) -> Chunk:
    return Chunk(str(key), f"doc-{key}", f"{key}.md", "", f"text of {key}", 0, (1, 1), (0, 9), 3)


class FakeSnapshot:
    """Finds the first k of two lists, and writes down what it was asked."""

    def __init__(self, dense: Sequence[Scored] = DENSE, lexical: Sequence[Scored] = LEXICAL) -> None:
        self.lists = {"dense": list(dense), "lexical": list(lexical)}
        self.asked: list[tuple[object, ...]] = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.asked.append(("exit",))

    def dense(self, vector, k, where=None, *, label="vector"):
        self.asked.append(("dense", vector.tolist(), k, where, label))
        return self.lists["dense"][:k]

    def lexical(self, query, k, where=None):
        self.asked.append(("lexical", query, k, where))
        return self.lists["lexical"][:k]

    def dense_scores(self, vector, refs, *, label="vector"):
        self.asked.append(("dense_scores", vector.tolist(), list(refs), label))
        return self._scores("dense", refs, np.nan)

    def lexical_scores(self, query, refs):
        self.asked.append(("lexical_scores", query, list(refs)))
        return self._scores("lexical", refs, 0)

    def _scores(self, arm, refs, missing):
        known = {one.ref: one.score for one in self.lists[arm]}
        return np.array([known.get(ref, missing) for ref in refs], np.float32)

    def fetch(self, refs):
        return [chunk(ref) for ref in refs]


def context(snapshot=None, embed=None, **options) -> Context:
    made = snapshot or FakeSnapshot()
    return Context("the query", lambda: made, embed or (lambda text, role: np.ones(2, np.float32)), **options)


def found(dense: Sequence[Scored] = DENSE, lexical: Sequence[Scored] = LEXICAL) -> Mapping[str, Found]:
    return {"dense": Found(Dense(), dense), "lexical": Found(Lexical(), lexical)}


def arms(**lists: tuple[Arm, Sequence[Scored]]) -> Mapping[str, Found]:
    return {label: Found(arm, scored) for label, (arm, scored) in lists.items()}
