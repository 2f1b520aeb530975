"""What somebody wants to do, as a sentence begins with it, asks for what the sentence says about it.

"To rotate a key, call `rotate`" becomes "how do I rotate a key", and the passage is left with "call `rotate`".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from embassay.evaluate.judge.asking import question_of_goal
from embassay.evaluate.judge.base import Proposal
from embassay.evaluate.judge.passages import Passages
from embassay.evaluate.judge.phrases import keyword, plain, usable
from embassay.evaluate.judge.sentences import prose_of
from embassay.words.pointing import needs_neighbours

BIAS = (-0.05, 0.15)
"""The passage goes on about what is wanted in the words that say it, which favours a search by words."""


def propose(passages: Passages) -> Iterator[Proposal]:
    """Clauses of purpose in manuals that mean something without the sentences around them, each asked once."""
    found = [] if passages.is_prose else list(_all(passages))
    times = Counter(proposal.query.lower() for proposal in found)
    yield from (proposal for proposal in found if times[proposal.query.lower()] == 1)


def _all(passages: Passages) -> Iterator[Proposal]:
    language = passages.language
    for passage, sentence in prose_of(passages):
        question, length = question_of_goal(sentence, language)
        clause = sentence[:length]
        if not question or passage.text.count(clause) != 1 or needs_neighbours(clause, language):
            continue
        query = plain(question)
        if keyword(plain(clause), clause, language) and usable(query, language):
            yield Proposal(query, (passage.id,), passage.document.id, ((passage.id, clause),), "how-to", plain(clause))
