"""Questions whose answer is known, as texts make them."""

from __future__ import annotations

import numpy as np

from embassay.sets.migration.evidence.questions import ask
from embassay.types import Chunk


def chunk(document, title, body, section=""):
    indexed = f"{title}\n{body}" if title else body
    at = len(indexed) - len(body)
    return Chunk(f"k{document}", document, document, section, indexed, at, (1, 1), (0, len(body)), 10)


def test_each_document_is_asked_for_once_by_what_it_has():
    body = "The first sentence says one thing. The second sentence says quite another thing, and at length."
    chunks = [chunk(f"d{at}", f"Title {at}", body, f"Guide > Heading {at}") for at in range(30)]
    asked = ask([*chunks, *chunks], 100, np.random.default_rng(1))
    assert sorted(one.document for one in asked) == sorted(f"d{at}" for at in range(30))
    assert {one.kind for one in asked} == {"title", "heading", "sentence"}
    assert all(one.text in f"Title {one.document[1:]}\nHeading {one.document[1:]}\n{body}" for one in asked)
    assert len(ask(chunks, 7, np.random.default_rng(1))) == 7


def test_no_question_is_the_whole_text():
    """A model that only knows equal texts would answer it."""
    (asked,) = ask([chunk("d", "", "seven words make up all of this")], 5, np.random.default_rng(1))
    assert (asked.kind, asked.text) == ("sentence", "up all of this")
    assert ask([chunk("d", "", "short")], 5, np.random.default_rng(1)) == []
