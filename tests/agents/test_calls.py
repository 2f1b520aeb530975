"""Whatever an agent hands to a tool, it is answered within bounds, and a failure is one that embassay knows."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import embassay
from embassay.agents.base import MOST_ASKED, Desk, Owner, OwnProcess
from embassay.agents.calls import ERROR, called, schema, tools
from tests.conftest import DOCS

LONGEST = 2 * MOST_ASKED
TOOLS = tools()


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzzed")
    for name, text in DOCS.items():
        (folder / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "docs" / name).write_text(text)
    with embassay.open(folder / ".embassay") as home:
        home.index([folder / "docs"], model="hash/64")
        home.set("faq").upsert([{"id": "ümlaut", "text": "Ask \x1b[2J Maria."}], model="hash/64")
        yield Desk(home, Owner(), OwnProcess(home.session))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
LIKELY = {
    "query": st.sampled_from(["rotate a key", "timeout", "", "\0", "a" * 1_000]) | st.text(max_size=50),
    "set": st.sampled_from(["default", "faq", "nothing", "", "../x", "\ud800"]) | st.none(),
    "mode": st.sampled_from(["hybrid", "dense", "lexical", "two_stage", "x"]),
    "where": st.sampled_from(['path ~ "**"', "year > 3", "x =", "not", "(" * 5_000]) | st.text(max_size=20),
    "pipeline": st.sampled_from(
        ["dense(5) >> top(3)", "lexical >> top", "dense(5) | lexical >> rrf >> top(2)", 'dense(5, set="faq") >> top(2)', "top", "x(1)", "dense(0) >> top(1)", "dense(5) >> llm >> top(1)"]
    ) | st.text(max_size=30),
    "id": st.sampled_from(["docs/keys.md", "docs/app.py", "ümlaut", "x", "\ud800", "a" * 5_000]),
    "document": st.sampled_from(["docs/keys.md", "x"]),
    "section": st.sampled_from(["Security", "Keys", "x", "", "\ud800"]),
    "k": st.integers(-1, 200),
    "start": st.integers(-1, 20),
    "from_line": st.integers(-1, 20),
    "to_line": st.integers(-1, 20),
    "max_chars": st.sampled_from([0, 200, 500, MOST_ASKED, 10**30]),
    "context": st.integers(-1, 7),
    "search": st.sampled_from(["0123456789abcdef", "", "\ud800"]),
}  # fmt: skip


@st.composite
def arguments(draw, name):
    """Some of the fields of a tool, most of them likely, and at times one that it does not have."""
    fields = [*schema(TOOLS[name].Arguments)["properties"]]
    chosen = draw(st.sets(st.sampled_from(fields)) | st.just(set(fields[:2])))
    given = {field: draw(LIKELY.get(field, JSON) if draw(st.integers(0, 9)) else JSON) for field in sorted(chosen)}
    return given | (draw(st.dictionaries(st.text(max_size=5), JSON, max_size=1)) if not draw(st.integers(0, 9)) else {})


@pytest.mark.parametrize("name", sorted(TOOLS))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_handed_over_is_answered(name, data, desk):
    answer = called(TOOLS[name], data.draw(arguments(name)), lambda: desk)
    said = answer.content[0].text
    assert len(said) < LONGEST
    said.encode()  # can be sent
    answer.model_dump_json()
    if answer.is_error:
        assert answer.meta[ERROR]["code"] not in ("error", "internal"), said
    else:
        assert msgspec.convert(answer.structured_content, TOOLS[name].Reply)


def test_a_defect_is_told_without_what_it_quotes(desk, caplog):
    def run(_, __):
        raise RuntimeError("secret text of a document")

    broken = SimpleNamespace(
        **{name: getattr(TOOLS["list_sets"], name) for name in ("Arguments", "Reply", "TITLE")}, run=run
    )
    with caplog.at_level(logging.DEBUG):
        answer = called(broken, {}, lambda: desk)
    assert answer.is_error and "secret" not in answer.model_dump_json() + caplog.text
    assert "RuntimeError" in caplog.text
