"""``spell``: words of the query that no chunk has are read as near words that some chunk has, and the arms are asked
again, for the query as it was read beside the one that was typed.

The vocabulary is that of the set itself, so that its names and terms are known, and no dictionary is needed. A word
of four to seven letters is read as one that is a single slip away, a longer one as one that is two away at most.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from embassay.search.again import ask_for_more
from embassay.search.arguments import argument
from embassay.search.base import Candidates, Inner
from embassay.search.spelling import Correction, read
from embassay.stores.values import WeightedTexts
from embassay.words.analyser import analyser, plain_letters
from embassay.words.near import ENDING, most_slips, near_terms, slips
from embassay.words.scripts import fold, spaced_words

if TYPE_CHECKING:
    from embassay.search.context import Context
    from embassay.words.analyser import Analyser, Word

MOST_WORDS = 100
"""Different words of a query that are looked up: a longer one is no query but a text."""
MOST_UNKNOWN = 8
"""Of them that are read as others; what has more words that nobody knows is of another language."""
TERMS = 8
"""Near terms of a word whose forms are looked at."""
ROWS = 8
"""Chunks of each of them in which its forms are looked for."""


@dataclass(frozen=True)
class Spell(Inner):
    """Stands before the stage that joins the arms. A query all of whose words are known costs a look-up of each."""

    needs_model: ClassVar[bool] = True
    asks: ClassVar[bool] = True

    weight: float = argument(1.0, least=0, most=10)
    """Of the query as it was read, beside the one that was typed, which counts 1: a word that no chunk has may be right
    all the same."""

    def run(self, context: Context, candidates: Candidates) -> Candidates:
        """What the arms find for the query with its words as they were read; the same as before where every word is
        known. The result tells what was read as what. Raises StoreError, and what the arms raise.
        """
        if context.trace.spelling is None:  # arms that look deeper are asked for the same
            context.trace.spelling = corrections(context)
        if not context.trace.spelling:
            return candidates
        query = read(context.query, context.trace.spelling)
        made = lambda: [context.embed(query, "query")]  # noqa: E731
        return ask_for_more(context, candidates, {query: self.weight}, made, self.weight)


def corrections(context: Context) -> list[Correction]:
    """What the words of the query are read as that no chunk has which may be found. Raises StoreError.

    A word is left as it is where the set has none near to it, and so are words of less than four letters, those
    with digits and signs, and those that are searched by their parts, which a slip does not hide.
    """
    query, cut = context.query, analyser(context.language)
    places: dict[str, list[Word]] = {}
    for word in cut.words(query):
        if _can_be_mended(word, query):
            places.setdefault(query[word.start : word.end], []).append(word)
    looked_up = list(places)[:MOST_WORDS]
    unknown = [typed for typed in looked_up if not _found(context, places[typed][0].terms, 1)][:MOST_UNKNOWN]
    made = []
    for typed in unknown:
        near = _nearest(context, cut, typed, places[typed][0].terms, context.snapshot.vocabulary())
        made += [Correction(typed, near, word.start) for word in places[typed] if near]
    return sorted(made, key=lambda one: one.at)


def _can_be_mended(word: Word, query: str) -> bool:
    """Whether one term, or one with and one without accents, stands for a word of letters alone."""
    written = query[word.start : word.end]
    return bool(word.terms) and not word.by_parts and written.isalpha() and bool(most_slips(len(fold(written))))


def _found(context: Context, terms: Sequence[str], most: int) -> list[Hashable]:
    """Rows that have any of these terms, and may be found."""
    asked = WeightedTexts(dict.fromkeys(terms, 1.0), cut=False)
    return [one.ref for one in context.snapshot.lexical(asked, most, context.where)]


def _nearest(
    context: Context, cut: Analyser, typed: str, terms: Sequence[str], vocabulary: Mapping[str, int]
) -> str | None:
    """The word of the set with the fewest slips to the one that was typed, or between their stems; of several the one
    that most rows have, in the form that is nearest."""
    word, stem = _plain(typed), terms[0]
    best: tuple[int, int, int, bool, str] | None = None
    for term, least_slips in near_terms(word, stem, vocabulary, TERMS):
        if best is not None and best[0] < least_slips:
            break
        between = slips(stem, term)
        for written in _forms(context, cut, term):
            count = slips(word, _plain(written))
            least = min(count, between) if between <= most_slips(len(stem)) else count
            found = least, -vocabulary[term], count, not written.islower(), written
            if found[0] <= most_slips(len(word)) and (best is None or found < best):
                best = found
    return best[-1] if best else None


def _forms(context: Context, cut: Analyser, term: str) -> Iterator[str]:
    """The forms in which a term stands in the texts that have it, as written there; frequent ones first."""
    seen: Counter[str] = Counter()
    for chunk in context.snapshot.fetch(_found(context, [term], ROWS)):
        seen.update(spaced_words(chunk.indexed))
    near = len(term) - ENDING, len(term) + ENDING
    for written, _ in seen.most_common():
        if near[0] <= len(written) <= near[1] and written.isalpha() and term in cut.terms(written):
            yield written


def _plain(word: str) -> str:
    """A word as slips are counted in it: without case and accents."""
    return plain_letters(fold(word))


STAGE = Spell
