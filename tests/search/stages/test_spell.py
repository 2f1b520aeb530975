import numpy as np
import pytest

from embassay.errors import ModelError
from embassay.search.context import Context
from embassay.search.modes import pipeline, refined
from embassay.search.parse import parse_pipeline
from embassay.search.run import run
from embassay.search.spelling import Correction, read
from embassay.stores.filters.parser import parse
from embassay.stores.narrowed import NarrowedSnapshot
from tests.search.stored import on, opened, row

TEXTS = [
    "You receive a letter.",
    "The inhibition of proteins.",
    "Inhibitors, an Inhibitor.",
    "A decrease of disease.",
    "Love your life.",
    "All love is blind.",
    "Albert Einstein was here.",
    "Die Überprüfung der Studien.",
]


@pytest.fixture(scope="module")
def version():
    with opened([row(at, one) for at, one in enumerate(TEXTS)], np.eye(len(TEXTS))) as made:
        yield made


def searched(version, query, text="lexical(10) >> spell >> top(10)", **options):
    return run(parse_pipeline(text), on(version, query, vector=np.ones(len(TEXTS)), **options))


def keys(found):
    return {hit.chunk.key for hit in found.hits}


@pytest.mark.parametrize(
    ("query", "read_as", "hits"),
    [
        ("recieve", "receive", {"key-0"}),
        ("recieved", "receive", {"key-0"}),
        ("inhibitoin of protien", "inhibition of proteins", {"key-1"}),
        ("desease", "disease", {"key-3"}),
        ("decraese", "decrease", {"key-3"}),
        ("lofe", "love", {"key-4", "key-5"}),
        ("einstien", "Einstein", {"key-6"}),
    ],
)
def test_a_word_that_nobody_has_is_read_as_a_near_one(version, query, read_as, hits):
    """Of words that are as near as each other the one that more chunks have, in the form that is nearest to it."""
    found = searched(version, query)
    assert read(query, found.trace.spelling) == read_as
    assert hits <= keys(found)
    assert keys(searched(version, query, "lexical(10) >> top(10)")) == set()


@pytest.mark.parametrize(
    "query", ["receive", "receiving letters", "xylophone", "lov", "4711", "of the", "C++", "机器", "ERR_RECIEVE_1"]
)
def test_what_is_known_or_near_to_nothing_stays(version, query):
    found, plain = searched(version, query), searched(version, query, "lexical(10) >> top(10)")
    assert list(found.trace.spelling) == []
    assert [(hit.chunk.key, hit.score) for hit in found.hits] == [(hit.chunk.key, hit.score) for hit in plain.hits]


def test_words_of_other_languages_are_read_by_their_own_forms():
    with opened([row(at, one) for at, one in enumerate(TEXTS)], np.eye(len(TEXTS))) as made:
        found = run(parse_pipeline("lexical(10) >> spell >> top(10)"), on(made, "uberprufng"))
    assert [one.read_as for one in found.trace.spelling] == ["Überprüfung"]


@pytest.mark.parametrize(("weight", "first"), [(0.5, "key-0"), (2, "key-1")])
def test_arms_of_vectors_compare_with_the_query_as_it_was_read_and_as_it_was_typed(version, weight, first):
    asked = []

    def embed(text, role):
        asked.append((text, role))
        return np.eye(len(TEXTS), dtype=np.float32)[len(asked) - 1]

    text = f"dense(3) >> spell(weight={weight}) >> top(2)"
    made = run(parse_pipeline(text), Context("To recieve it", lambda: version, embed))
    assert asked == [("To recieve it", "query"), ("To receive it", "query")]
    assert keys(made) == {"key-0", "key-1"} and made.hits[0].chunk.key == first


def test_a_search_goes_on_without_it_where_the_model_fails_in_between(version):
    def embed(text, role):
        if "receive" in text:
            raise ModelError("gone")
        return np.ones(len(TEXTS), np.float32)

    context = Context("recieve", lambda: version, embed, without_model=True)
    found = run(parse_pipeline("dense(3) | lexical(3) >> spell >> convex >> top(3)"), context)
    assert len(found.hits) == 3 and any("spell" in notice and "gone" in notice for notice in found.trace.notices)


def test_words_alone_need_no_model(version):
    assert not parse_pipeline("lexical(10) >> spell >> top").needs_model
    assert parse_pipeline("dense(10) >> spell >> top").needs_model

    def embed(text, role):
        raise AssertionError("no vector is needed")

    context = Context("recieve", lambda: version, embed)
    assert len(run(parse_pipeline("lexical(10) >> spell >> top"), context).hits) == 1


def test_a_filter_or_a_view_decides_which_words_there_are(version):
    """A word that only hidden chunks have is neither known nor suggested."""
    only = parse('document != "doc-0"')
    assert list(searched(version, "recieve", where=only).trace.spelling) == []
    hidden = NarrowedSnapshot(version, only)
    assert list(searched(hidden, "recieve").trace.spelling) == []
    assert [one.read_as for one in searched(hidden, "desease").trace.spelling] == ["disease"]


def test_later_stages_take_the_query_as_it_was_read(version):
    found = searched(version, "recieve", "lexical(10) >> spell >> prf(1, terms=1) >> top(10)")
    assert "key-0" in keys(found)
    asked = []

    class Reranker:
        def within(self, query, texts, budget_ms):
            asked.append(query)
            raise ModelError("that is enough")

    context = on(version, "recieve", vector=np.ones(len(TEXTS)), reranker=lambda name: Reranker(), without_model=True)
    run(parse_pipeline("lexical(10) >> spell >> rerank(5) >> top(10)"), context)
    assert asked == ["receive"]


def test_terms_of_a_stage_before_it_stay(version):
    found = searched(version, "recieve letter", "lexical(10) >> prf(1) >> spell >> top(10)")
    assert [one.read_as for one in found.trace.spelling] == ["receive"]
    assert "key-0" in keys(found)


def test_it_is_an_expansion_by_its_name():
    made = refined(pipeline(), expand="spell")
    assert str(made).startswith("dense(100) | lexical(100) >> spell(1) >> ")


def test_a_text_in_the_place_of_a_query_is_looked_up_in_part(version):
    """The first hundred words, and of them eight that nobody has; a word that comes again is read alike."""
    strange = " ".join(f"xq{letter * 6}" for letter in "abcdefghijklmnop")
    long = searched(version, f"recieve {strange} desease {strange} recieve " * 200)
    assert {one.read_as for one in long.trace.spelling} == {"receive"} and len(long.trace.spelling) == 400
    twice = searched(version, "recieve recieve")
    assert read("recieve recieve", twice.trace.spelling) == "receive receive"


def test_a_correction_says_where_the_word_stood():
    made = [Correction("recieve", "receive", 3), Correction("leter", "letter", 13)]
    assert read("To recieve a leter now", made) == "To receive a letter now"
    assert made[0].to_dict() == {"word": "recieve", "read_as": "receive", "at": 3}
