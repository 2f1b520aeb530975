"""Words of a vocabulary that a mistyped one may have been meant to be.

A slip is a letter too many, too few or another one, or two neighbours in the wrong order (Damerau 1964); it is counted
between whole words as the optimal string alignment does, which changes no part of a word twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Counts = NDArray[np.uint8]

FEWEST = 4
"""Letters from which on a word may have a slip: of a shorter one too many others are one slip away."""
LONGER = 8
"""Letters from which on it may have two."""
LONGEST = 30
"""Letters of a word that is looked for; what is longer is no word of a language."""
ENDING = 4
"""Letters that a stem leaves out at the most, as far as it is looked for here."""


def most_slips(letters: int) -> int:
    """How many slips a word of so many letters may have."""
    return 0 if not FEWEST <= letters <= LONGEST else 1 if letters < LONGER else 2


def slips(one: str, other: str) -> int:
    """How many slips lie between two words.

    >>> slips("recieve", "receive"), slips("adress", "address"), slips("cat", "dog")
    (1, 1, 3)
    """
    before, last = list[int](), list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        now = [at]
        for to, its in enumerate(other, 1):
            least = min(last[to - 1] + (letter != its), last[to] + 1, now[-1] + 1)
            if at > 1 and to > 1 and letter == other[to - 2] and one[at - 2] == its:
                least = min(least, before[to - 2] + 1)
            now.append(least)
        before, last = last, now
    return last[-1]


class TermCounts(dict[str, int]):
    """Terms, each with how many rows have it. What terms are compared by is made once, when it is first needed."""

    @cached_property
    def letters(self) -> Letters:
        """The terms that can be words, as numbers."""
        return Letters.of(term for term in self if 1 < len(term) <= LONGEST + 2 and term.isalpha())


@dataclass(frozen=True, slots=True)
class Letters:
    """Terms by their code points, the short ones first."""

    terms: Sequence[str]
    codes: Any
    """(longest, terms): the code points of all first letters, then of all second ones."""
    starts: Sequence[int]
    """Of each length: the first term that has so many letters, or more."""

    @classmethod
    def of(cls, terms: Iterable[str]) -> Letters:
        """Of these terms, none of which is longer than is looked for."""
        import numpy as np

        ordered = sorted(terms, key=len)
        longest = LONGEST + 2
        codes = np.array(ordered, f"<U{longest}").view(np.uint32).reshape(len(ordered), longest).T
        narrow = not codes.size or int(codes.max()) < 1 << 16
        lengths = np.fromiter(map(len, ordered), np.int64, len(ordered))
        starts = np.searchsorted(lengths, np.arange(longest + 2)).tolist()
        return cls(ordered, np.ascontiguousarray(codes, np.uint16 if narrow else np.uint32), starts)


def near_terms(word: str, stem: str, vocabulary: Mapping[str, int], most: int) -> list[tuple[str, int]]:
    """The `most` terms of a vocabulary that `word`, whose term would be `stem`, is likeliest a slip of, best first;
    each with the least number of slips that can lie between.

    Both are folded, and so are the terms, which are stems. A slip in the ending of a word spoils its stem, so that
    a term counts as well that all but the ending of the word is near to. Terms as near as each other come by how many
    rows have them.
    """
    import numpy as np

    allowed = most_slips(len(word))
    if not allowed:
        return []
    known = (vocabulary if isinstance(vocabulary, TermCounts) else TermCounts(vocabulary)).letters
    low = max(2, min(len(stem) - allowed, len(word) - ENDING - allowed))
    high = len(word) + allowed
    first, end = known.starts[low], known.starts[high + 1]
    if first == end:
        return []
    places = _places(_slips_to_beginnings(known, low, high, word), len(word), allowed)
    if stem != word:
        of_stem = _slips_to_beginnings(known, low, high, stem)[-1].astype(np.int64)
        places = np.minimum(places, np.where(of_stem <= most_slips(len(stem)), of_stem * (ENDING + 1), _FAR))
    chosen = [(int(places[at]), known.terms[first + at]) for at in np.flatnonzero(places < _FAR).tolist()]
    best = sorted(chosen, key=lambda one: (one[0], -vocabulary[one[1]], one[1]))
    return [(term, place // (ENDING + 1)) for place, term in best[:most]]


_FAR = 1 << 20
"""The place of a term that is not near."""


def _places(counts: Counts, letters: int, allowed: int) -> Any:
    """How far each term is behind: by its slips, then by what the word has behind it. One slip lies there, at least."""
    import numpy as np

    places = np.where(counts[letters] <= allowed, counts[letters].astype(np.int64) * (ENDING + 1), _FAR)
    for behind in range(1, min(ENDING, letters - 2) + 1):
        count = counts[letters - behind].astype(np.int64)
        places = np.minimum(places, np.where(count < allowed, count * (ENDING + 1) + behind, _FAR))
    return places


def _slips_to_beginnings(known: Letters, low: int, high: int, word: str) -> Counts:
    """uint8 (len(word) + 1, terms): how many slips lie between each term of `low` to `high` letters and the beginnings
    of `word`, by their length. All terms are compared at once, and those that have ended are left behind."""
    import numpy as np

    first, end = known.starts[low], known.starts[high + 1]
    count = end - first
    found = np.zeros((len(word) + 1, count), np.uint8)
    last = np.repeat(np.arange(len(word) + 1, dtype=np.uint8)[:, None], count, axis=1)
    before, now = np.zeros_like(last), np.zeros_like(last)
    codes = list(map(ord, word))
    same_before: list[Any] = []
    one = np.uint8(1)
    for at in range(1, high + 1):
        begun = max(known.starts[at], first) - first
        row = known.codes[at - 1, first:end]
        same = [row == code for code in codes]
        now[0] = at
        for to in range(1, len(word) + 1):
            least = np.minimum(last[to, begun:], now[to - 1, begun:])
            least += one
            np.minimum(least, last[to - 1, begun:] + ~same[to - 1][begun:], out=least)
            if at > 1 and to > 1:
                turned = same[to - 2][begun:] & same_before[to - 1][begun:]
                np.minimum(least, before[to - 2, begun:] + one, out=least, where=turned)
            now[to, begun:] = least
        ended = slice(begun, max(known.starts[at + 1], first) - first)
        found[:, ended] = now[:, ended]
        same_before = same
        before, last, now = last, now, before
    return found
