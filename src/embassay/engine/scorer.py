"""Pairs of texts in, what a classifier makes of each out: one local cross-encoder at one precision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from embassay.engine.ahead import Ahead
from embassay.engine.batches import TOKEN_BUDGET, even_budget
from embassay.engine.engine import in_groups
from embassay.engine.heads.arrays import NumpyArrays
from embassay.engine.heads.pooled import Head, finished
from embassay.engine.pace import Pace
from embassay.engine.pairs import Pairs
from embassay.engine.runtimes.base import Runtime
from embassay.engine.runtimes.padding import check_width
from embassay.engine.stream import Stream, Text
from embassay.engine.unsupported import damaged
from embassay.threads import cpu_count

if TYPE_CHECKING:
    from embassay.engine.tokens import Encoded
    from embassay.types import Vectors


KNOWN_TEXTS = 256
"""So many are tokenised before the first is computed, so that batches can be chosen that come out even."""


@dataclass(frozen=True, slots=True)
class Classified:
    """What the classifier says of consecutive pairs, in the order they came."""

    values: Vectors
    """float32 (pairs, labels), behind the activation."""
    tokens: Sequence[int]
    """Of each pair before it was cut."""
    truncated: Sequence[bool]


class Scorer:
    """Runs pairs through a runtime. Threads may share it.

    The graph ends at the state of the first token. The classifier behind it is computed here, in float32 whatever the
    precision of the graph: a score in bfloat16 has 256 steps to each power of two, and ties would decide the order.
    """

    def __init__(self, pairs: Pairs, runtime: Runtime, width: int, head: Head, prompt: str = "") -> None:
        """`width`: of the states; `head`: the steps of the classifier; `prompt`: put before every query."""
        self.pairs, self._runtime, self._width, self._head = pairs, runtime, width, head
        self._prompt = prompt
        self.labels = head.width(width)

    def score(self, query: str, texts: Sequence[str]) -> Classified:
        """What the classifier says of `query` with each of `texts`. A few short ones are a single batch.

        Raises ModelUnsupported where that is no number.
        """
        query = self._prompt + query
        if len(texts) > KNOWN_TEXTS:
            groups = (self.pairs.encode(query, group) for _, group in in_groups(texts))
            return self._classified(list(self._stream(groups, TOKEN_BUDGET)))
        encoded = self.pairs.encode(query, texts)
        lengths = [len(one.ids) for one in encoded]
        if texts and sum(lengths) <= TOKEN_BUDGET:
            return self._classified([(self._runtime.once([one.ids for one in encoded]), _texts(encoded))])
        return self._classified(list(self._stream(iter([encoded]), even_budget(lengths, cpu_count()))))

    def _stream(self, groups: Iterator[Sequence[Encoded]], budget: int) -> Iterator[tuple[Vectors, Sequence[Text]]]:
        queue = self._runtime.queue()
        work = Stream(queue, self._width, Pace(None), budget)
        with Ahead(_texts, groups, "tokenise") as encoded:
            try:
                for done in work.run(encoded):
                    yield np.stack([row for text in done for row in text.rows if row is not None]), done
            finally:
                queue.close()

    def _classified(self, blocks: Sequence[tuple[Vectors, Sequence[Text]]]) -> Classified:
        states = np.concatenate([np.empty((0, self._width), np.float32), *(states for states, _ in blocks)])
        check_width(states, self._width)
        with np.errstate(all="ignore"):
            values = finished(NumpyArrays(), states, self._head)
        if not np.isfinite(values).all():
            raise damaged(f"{self._head.model}: its weights give scores that are no numbers.")
        texts = [text for _, some in blocks for text in some]
        return Classified(values, [text.tokens for text in texts], [text.truncated for text in texts])


def _texts(encoded: Sequence[Encoded]) -> list[Text]:
    return [Text([one], one.tokens, one.truncated) for one in encoded]
