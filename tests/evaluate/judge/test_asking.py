"""Questions by rule: only where a rule is sound, and as the reader would put them."""

import pytest

from embassay.evaluate.judge.asking import question_of_goal, question_of_heading
from embassay.words.pointing import needs_neighbours


@pytest.mark.parametrize(
    ("title", "language", "question"),
    [
        ("Setting up logging", "en", "how do I set up logging"),
        ("Configure the proxy", "en", "how do I configure the proxy"),
        ("Protokolle einrichten", "de", "wie kann ich Protokolle einrichten"),
        ("Release Notes", "en", ""),
        ("Logging", "en", ""),
        ("Einrichten der Protokolle", "de", ""),
    ],
)
def test_the_question_of_a_heading(title, language, question):
    assert question_of_heading(title, language) == question


@pytest.mark.parametrize(
    ("sentence", "language", "question", "clause"),
    [
        ("To rotate your key, call `rotate`.", "en", "how do I rotate my key", "To rotate your key,"),
        (
            "If you want to limit the rate, set it.", "en", "how do I limit the rate", "If you want to limit the rate,",
        ),
        (
            "Um den Schlüssel zu drehen, ruf an.", "de", "wie kann ich den Schlüssel drehen",
            "Um den Schlüssel zu drehen,",
        ),
        ("The key is old.", "en", "", ""),
    ],
)  # fmt: skip
def test_the_question_of_a_clause_of_purpose(sentence, language, question, clause):
    asked, length = question_of_goal(sentence, language)
    assert (asked, sentence[:length].strip()) == (question, clause)


@pytest.mark.parametrize(
    ("sentence", "language", "points"),
    [
        ("However, this is old.", "en", True),
        ("Keys are rotated on Mondays.", "en", False),
        ("Dies ist alt.", "de", True),
        ("Schlüssel werden montags gedreht.", "de", False),
    ],
)
def test_sentences_that_need_their_neighbours(sentence, language, points):
    assert needs_neighbours(sentence, language) is points
