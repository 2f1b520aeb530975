"""What is handed over in the wrong kind is an error of ours, in words, from every public call that there is."""

from __future__ import annotations

import inspect

import pytest

import embassay
from embassay.arguments import KINDS, check
from embassay.embedding_set import EmbeddingSet
from embassay.errors import EmbassayError, UsageError
from embassay.home import Home
from embassay.sets.log.querylog import QueryLog
from tests.tiny import CASES, write_model

WRONG = [
    5, 1.5, b"x", True, [], [5], {}, {"a": 1}, {5: 6}, object(), float("nan"), -1, 10**30, len, ("a",), iter([1]), None,
]  # fmt: skip
SKIPPED = {
    "self",
    "writing",
    "dry_run",
    "replace",
    "overwrite",
    "unjudged",
    "retry_failed",
    "checksum",
    "sources",
    "fields",
    "options",
    "making",
}
"""Switches, which are read as Python reads any value, and what only the command line hands over."""
USUAL = {
    "query": "rotate", "texts": ["a"], "role": "query", "ids": ["1"], "search": "0" * 16, "id": "0" * 16, "new": "other",
    "name": "nowhere", "records": [{"id": "1", "text": "rotate a key"}], "paths": [], "file": "/nowhere/x",
    "folder": "/proc/nowhere/out", "place": "/nowhere/in", "set": "copy",
}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("arguments")
    with embassay.open(folder / ".embassay") as opened:
        opened.set("faq").upsert(USUAL["records"], model=str(write_model(folder / "model", CASES["bert"])))
        opened.default_set = "faq"
        yield opened


def calls():
    for kind in (EmbeddingSet, Home, QueryLog):
        for name, method in vars(kind).items():
            if inspect.isfunction(method) and not name.startswith("_") and not inspect.iscoroutinefunction(method):
                parameters = inspect.signature(method).parameters.values()
                for one in parameters:
                    if one.name not in SKIPPED and (one.name in KINDS or kind is not QueryLog):
                        required = [x.name for x in parameters if x.default is x.empty and x.name in USUAL]
                        yield pytest.param(kind, name, one.name, required, id=f"{kind.__name__}.{name}({one.name})")


@pytest.mark.parametrize(("kind", "method", "argument", "required"), calls())
def test_wrong_kinds(home, kind, method, argument, required):
    bound = {EmbeddingSet: home.set("faq"), Home: home, QueryLog: home.query_log}[kind]
    call = getattr(bound, method)
    for wrong in WRONG:
        given = {name: USUAL[name] for name in required} | {argument: wrong}
        try:
            answer = call(**given)
            if inspect.isgenerator(answer):
                list(answer)
        except EmbassayError as error:
            assert error.message


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda faq: faq.search(5), "query is 5; it must be a string"),
        (lambda faq: faq.search(None), "query is None"),
        (lambda faq: faq.search("a", where=5), "where is 5; it must be a string or a Filter"),
        (lambda faq: faq.upsert([], space="x"), "space is the string 'x'; it must be a Space"),
        (lambda faq: faq.embed("text", "query"), "texts is the string 'text'; it must be a list"),
        (lambda faq: faq.search("a", beside="docs"), "beside is the string 'docs'"),
        (lambda faq: list(faq.chunks(7)), "glob is 7"),
        (lambda faq: faq.index("docs"), "paths is the string 'docs'; it must be a list of paths"),
        (lambda faq: faq.upsert([], model=["a"]), "model is a list"),
    ],
)
def test_what_is_said(home, call, message):
    with pytest.raises(UsageError, match="it must be") as error:
        call(home.set("faq"))
    assert message in error.value.message


def test_a_searcher_is_asked_in_words(home):
    from embassay.search.modes import pipeline

    with home.searcher("faq") as index, pytest.raises(UsageError, match="the query is 5"):
        index.search(5, pipeline("lexical"))


def test_iterators_are_not_used_up():
    paths = iter(["a", "b"])
    check("paths", paths)
    assert list(paths) == ["a", "b"]


def test_signatures_stay():
    assert list(inspect.signature(EmbeddingSet.search).parameters)[:3] == ["self", "query", "k"]
    assert EmbeddingSet.search.__doc__
