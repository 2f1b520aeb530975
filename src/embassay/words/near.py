"""Words of a vocabulary that a mistyped one may have been meant to be.

A slip is a letter too many, too few or another one, or two neighbours in the wrong order (Damerau 1964); it is counted
between whole words as the optimal string alignment does, which changes no part of a word twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Counts = NDArray[np.uint8]

FEWEST = 4
"""Letters from which on a word may have a slip: of a shorter one too many others are one slip away."""
LONGER = 8
"""Letters from which on it may have two."""
LONGEST = 40
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


def near_terms(word: str, stem: str, vocabulary: Mapping[str, int], most: int) -> list[str]:
    """The `most` terms of a vocabulary that `word`, whose term would be `stem`, is likeliest a slip of; best first.

    Both are folded, and so are the terms, which are stems. A slip in the ending of a word spoils its stem, so that
    a term counts as well that all but the ending of the word is near to. Terms as near as each other come by how many
    rows have them, which `vocabulary` tells.
    """
    import numpy as np

    allowed = most_slips(len(word))
    low = max(2, min(len(stem) - allowed, len(word) - ENDING - allowed))
    high = len(word) + allowed
    terms = [term for term in vocabulary if low <= len(term) <= high and term.isalpha()]
    if not allowed or not terms:
        return []
    lengths = np.fromiter(map(len, terms), np.int64, len(terms))
    letters = np.array(terms, f"<U{high}").view(np.uint32).reshape(len(terms), high).T.copy()
    counts = _slips_to_beginnings(letters, lengths, word)
    places = _places(counts, len(word), allowed)
    if stem != word:
        of_stem = _slips_to_beginnings(letters, lengths, stem)[-1].astype(np.int64)
        places = np.minimum(places, np.where(of_stem <= most_slips(len(stem)), of_stem * (ENDING + 1), _FAR))
    chosen = np.flatnonzero(places < _FAR).tolist()
    best = sorted(chosen, key=lambda at: (places[at], -vocabulary[terms[at]], terms[at]))
    return [terms[at] for at in best[:most]]


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


def _slips_to_beginnings(letters: Any, lengths: Any, word: str) -> Counts:
    """uint8 (len(word) + 1, terms): how many slips lie between each term and the beginnings of `word`, by their length.

    `letters` (positions, terms) has the terms by their code points. All terms are compared at once: 40,000 of them with
    a word of ten letters take 5 ms.
    """
    import numpy as np

    count = letters.shape[1]
    found = np.zeros((len(word) + 1, count), np.uint8)
    last = np.repeat(np.arange(len(word) + 1, dtype=np.uint8)[:, None], count, axis=1)
    before, now = np.zeros_like(last), np.zeros_like(last)
    codes = list(map(ord, word))
    same_before: list[Any] = []
    for at in range(1, len(letters) + 1):
        same = [letters[at - 1] == code for code in codes]
        now[0] = at
        for to in range(1, len(word) + 1):
            least = np.minimum(last[to], now[to - 1]) + np.uint8(1)
            np.minimum(least, last[to - 1] + ~same[to - 1], out=least)
            if at > 1 and to > 1:
                turned = same[to - 2] & same_before[to - 1]
                np.minimum(least, before[to - 2] + np.uint8(1), out=least, where=turned)
            now[to] = least
        ended = lengths == at
        found[:, ended] = now[:, ended]
        same_before = same
        before, last, now = last, now, before
    return found
