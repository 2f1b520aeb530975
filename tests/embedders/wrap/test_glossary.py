"""Terms are spelled out for the model."""

from __future__ import annotations

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
