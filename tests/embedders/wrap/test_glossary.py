"""Terms are spelled out for the model."""

from __future__ import annotations

from itertools import permutations

import pytest

from embassay.config.values import Glossary
from embassay.embedders.providers.hash import HashEmbedder
from embassay.embedders.wrap.glossary import Expanded, Terms


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("rotate the JWT", "rotate the JWT (JSON Web Token)"),
        ("JWT and JWT", "JWT (JSON Web Token) and JWT"),
        ("a JSON Web Token is a JWT", "a JSON Web Token is a JWT"),
        ("JWTs are not JWT-like, jwt", "JWTs are not JWT (JSON Web Token)-like, jwt"),
        ("An SLO, an slo", "An SLO (service level objective), an slo"),
        ("the C++ ABI", "the C++ (the language) ABI"),
        ("", ""),
    ],
)
def test_terms_are_spelled_out_once(text, expanded):
    terms = Terms({"JWT": "JSON Web Token", "slo": "service level objective", "C++": "the language", "C": "a letter"})
    assert terms.expand(text) == expanded


@pytest.mark.parametrize("text", ["the API", "an api", "an Api", "IT, it and It"])
def test_the_order_of_terms_does_not_matter(text):
    terms = {"API": "application interface", "api": "some interface", "it": "this", "IT": "information technology"}
    orders = [Terms(dict(order)) for order in permutations(terms.items())]
    assert len({one.expand(text) for one in orders}) == len({one.digest for one in orders}) == 1
    assert orders[0].expand("the API") == "the API (application interface)", "the one that matches less comes first"


def test_every_term_and_meaning_is_in_the_digest():
    """Whatever stands in them: NUL once parted them."""
    glossaries = [
        {"a": "b", "c": "d"},
        {"a": "b\0c\0d"},
        {"a\0b": "c\0d"},
        {"a\0b\0c": "d"},
        {"a": "b\0c", "d": ""},
        {},
        {"": ""},
        {'[["a", "b"]]': ""},
        {"a": "\ud800"},
    ]
    assert len({Terms(one).digest for one in glossaries}) == len(glossaries)


def test_the_digest_of_a_plain_glossary_stays():
    """Sets of documents that were expanded carry it."""
    assert Terms({"JWT": "JSON Web Token", "slo": "service level objective"}).digest == "bb8835e2"
    assert Terms({"it": "a", "IT": "b"}).digest != Terms({"it": "b", "IT": "a"}).digest


def test_a_glossary_for_documents_is_part_of_the_space():
    inner = HashEmbedder(64)
    queries = Expanded(inner, Glossary(terms={"JWT": "JSON Web Token"}))
    documents = Expanded(inner, Glossary(terms={"JWT": "JSON Web Token"}, apply_to="document"))
    other = Expanded(inner, Glossary(terms={"JWT": "another meaning"}, apply_to="both"))
    assert queries.space == inner.space
    assert len({inner.space, documents.space, other.space}) == 3
    plain = inner.embed(["JWT"], "query").vectors
    assert (queries.embed(["JWT"], "document").vectors == plain).all()
    assert (queries.embed(["JWT"], "query").vectors == inner.embed(["JWT (JSON Web Token)"], "query").vectors).all()
    assert documents.tokens.count(["JWT"]) > inner.tokens.count(["JWT"])
