"""What a service says it billed, held against what is counted here: the greater counts, unless it is plausible."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal

from embassay.errors import BillingMismatch
from embassay.text import encodable

UsagePolicy = Literal["checked", "trusted", "ignored"]

LEAST, LEAST_FOREIGN, FLOOR = 0.65, 0.2, 0.2
"""The fewest tokens that a real tokenizer makes of a text, for each token of the estimate: `LEAST`, less
`LEAST_FOREIGN` for each byte that the text has beyond one a character, but never under `FLOOR`."""
MOST, MOST_FOREIGN, MOST_DIGIT, FRAME = 1.75, 0.75, 0.7, 12
"""The most: `MOST` for each token of the estimate, `MOST_FOREIGN` for each byte beyond one a character, `MOST_DIGIT`
for each digit (many vocabularies have no longer numbers), and `FRAME` tokens for what a service puts around a text.

Measured with seven tokenizers (cl100k_base, Qwen, Mistral's Tekken and SentencePiece, Claude's, DeepSeek's, BERT's) on
passages of 1,000 characters, smallest and largest ratio of truth to estimate: English 0.78 1.30, German 0.73 1.50,
Spanish 0.76 1.54, Russian 0.46 1.77, Chinese 0.56 1.39, Markdown 0.75 1.40, Python 0.72 1.17, JSON 0.69 1.70, base64
0.67 1.50, capitals 0.47 1.31, numbers 0.88 2.33, nothing but digits 1.0 3.0, emoji 1.15 3.99, letters at random of
Hindi 1.2 2.0, Thai 1.1 2.0, Tamil 1.5 2.65, Georgian 0.9 2.2, Ethiopic 2.0 3.2, rare Chinese characters 2.6 3.2. All of
them but single passages of capitals lie within the band. Vocabularies of many languages may need 0.3 tokens for a
character of Thai."""
ABSURD = 1000
"""A number above so many times the most that is possible is no count of tokens."""
PERSISTENT = 3
"""Replies after which numbers that part are no accident."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Tokens of what was sent, as they are counted here: as estimated, and the fewest and most there can be."""

    tokens: int
    least: int
    most: int

    @classmethod
    def of(cls, texts: Sequence[str], tokens: int, *, frame: int = FRAME, most: int | None = None) -> Counted:
        """The band around an estimate of `tokens` for `texts` together; `most` where a limit was agreed upon.

        `frame`: most tokens that the service puts around a text.
        """
        foreign = sum(len(encodable(text).encode()) - len(text) for text in texts if not text.isascii())
        digits = sum(text.count(digit) for text in texts for digit in "0123456789")
        least = max(tokens * FLOOR, tokens * LEAST - foreign * LEAST_FOREIGN)
        high = tokens * MOST + foreign * MOST_FOREIGN + digits * MOST_DIGIT + frame * len(texts)
        return cls(tokens, int(least), ceil(high) if most is None else most)


@dataclass(frozen=True, slots=True)
class Settled:
    """What counts of one reply."""

    tokens: int | None
    """What was billed, as it is reported; None: the service does not say."""
    counts: int
    """What counts against a cap: as `tokens`, and the most there can be where nobody says."""


class BillCheck:
    """All that one service says it billed for one model. Threads may share it."""

    def __init__(self, name: str, price: float | None, policy: UsagePolicy = "checked", unit: str = "tokens") -> None:
        """`price` 0: nothing is paid for, so that no number has to be right. `unit`: what is billed."""
        self._name, self._policy, self._free, self._unit = name, policy, price == 0, unit
        self._said = self._least = self._most = self._counted = 0
        self._replies = self._row = 0
        self._impossible: BillingMismatch | None = None
        self._parted = False
        self._lock = threading.Lock()

    def settle(self, said: object, counted: Counted) -> Settled:
        """What counts of a reply that says it billed `said` tokens. `check` raises what there is to object.

        The number counts where it is plausible or higher than what is counted here; otherwise what is counted here.
        """
        if said is None or self._policy == "ignored":
            return Settled(None, counted.most)
        tokens = whole_number(said)
        if tokens is None or tokens > ABSURD * max(counted.most, 1):
            with self._lock:
                self._impossible = None if self._free else self._objection(said, counted)
            return Settled(None, counted.most)
        if self._free or self._policy == "trusted":
            return Settled(tokens, tokens)
        self._compare(tokens, counted)
        settled = tokens if tokens >= counted.least else counted.tokens
        return Settled(settled, settled)

    def check(self) -> None:
        """Raises BillingMismatch: a number that can be none, or numbers that part for good."""
        with self._lock:
            impossible, self._impossible = self._impossible, None
        if impossible:
            raise impossible
        if self._parted:
            raise BillingMismatch(
                f"{self._name}: it says that it billed {self._said:,} {self._unit} in {self._replies} replies, where "
                f"about {self._counted:,} are counted here: no count is that far off.",
                self._said,
                self._counted,
            )

    def _objection(self, said: object, counted: Counted) -> BillingMismatch:
        words = (
            f"{self._name}: it says that it billed {str(said)[:40]!r} {self._unit}, where about {counted.tokens:,} are "
            f"counted here: that can be no number of {self._unit}."
        )
        return BillingMismatch(words, said, counted.tokens)

    def _compare(self, tokens: int, counted: Counted) -> None:
        with self._lock:
            self._replies += 1
            self._said += tokens
            self._counted += counted.tokens
            self._least += counted.least
            self._most += counted.most
            self._row = 0 if counted.least <= tokens <= counted.most else self._row + 1
            whole = self._replies >= PERSISTENT and not self._least <= self._said <= self._most
            self._parted = self._parted or whole or self._row >= PERSISTENT


def whole_number(said: object) -> int | None:
    """A number of tokens, which some services write as a float; None for whatever cannot be one."""
    if isinstance(said, bool) or not isinstance(said, (int, float)):
        return None
    if not 0 <= said < float("inf") or said != int(said):
        return None
    return int(said)
