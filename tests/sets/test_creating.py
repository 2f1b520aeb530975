"""Sets that are told when to embed: what no rule has embedded is found by words only until the set is indexed."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from embassay.errors import UsageError
from embassay.sets.followers import waiting_for_model
from embassay.stores.values import VECTOR
from tests.cli.test_cli import run as command


def zeros(home, name="fast"):
    """Rows without a vector."""
    generation = home._sets.live(name)
    with closing(home._sets.folder.store(generation)) as store, store.snapshot() as version:
        return sum(int((~by_label[VECTOR].any(axis=1)).sum()) for _, by_label in version.scan())


def waiting(home, name="fast"):
    return waiting_for_model(home._sets.state, home._sets.live(name))


def test_without_a_rule_files_wait_until_the_set_is_indexed(home, docs, model):
    report = home.create_set("fast", [docs], model=model)
    assert report.embedded == 0 and zeros(home) == report.chunks > 0 and waiting(home) == 5
    assert home.search("rotate the key", set="fast", mode="lexical").hits
    levels = {one.check: one.level for one in home.doctor("fast")}
    assert levels["waiting"] == "notice" and "vectors" not in levels and "unfinished" not in levels
    assert home.set("fast").index([docs]).embedded == report.chunks
    assert zeros(home) == waiting(home) == 0
    assert home.search("rotate the key", set="fast", mode="dense").hits


@pytest.mark.parametrize(
    ("rules", "created", "updated"),
    [((), 2, 2), (("on_create",), 0, 1), (("on_update",), 2, 1), (("on_update", "on_create"), 0, 0)],
)
def test_each_rule_embeds_what_it_says(home, model, rules, created, updated):
    home.create_set("fast", auto_embed=rules, model=model)
    fast = home.set("fast")
    fast.upsert([{"id": "1", "text": "Zebras graze."}, {"id": "2", "text": "Okapis hide."}])
    assert waiting(home) == zeros(home) == created
    fast.upsert([{"id": "1", "text": "Zebras run."}])
    assert waiting(home) == zeros(home) == updated
    assert fast.search("zebras", k=1, mode="lexical").hits[0].chunk.text == "Zebras run."


def test_files_are_embedded_at_once_with_the_rule(home, docs, model):
    report = home.create_set("fast", [docs], auto_embed=["on_create"], model=model)
    assert report.embedded == report.chunks > 0 and waiting(home) == 0


def test_what_is_no_set(home, docs, model):
    home.create_set("fast", model=model)
    for ask in (
        lambda: home.create_set("fast", model=model),
        lambda: home.create_set("a/b", model=model),
        lambda: home.create_set("x" * 300, model=model),
        lambda: home.create_set("nul\0", model=model),
        lambda: home.create_set("other", model=model, auto_embed=["on_delete"]),
        lambda: home.create_set("other", [docs / "nope"], model=model),
    ):
        with pytest.raises(UsageError):
            ask()
    assert home.sets() == ["fast"]


def test_a_set_that_was_made_on_purpose_outlives_a_first_run_that_fails(home, model, tmp_path):
    home.create_set("fast", model=model)
    with pytest.raises(UsageError):
        home.set("fast").index([tmp_path / "nope"])
    assert home.sets() == ["fast"]


def test_the_list_needs_no_store(home, docs, model, monkeypatch):
    home.create_set("fast", [docs], auto_embed=["on_create"], model=model)
    told = home.describe("fast").to_dict()
    monkeypatch.setattr("embassay.sets.folder.HomeFolder.store", None)
    (listed,) = home.describe_all()
    assert listed.bytes > 0 and listed.to_dict() == home.describe("fast").to_dict() == told


def test_the_command(project):
    made = command("sets", "create", "later", "docs", "--model", "../model", "--json", cwd=project, check=0)[1]
    assert json.loads(made)["auto_embed"] == [] and json.loads(made)["indexed"]["embedded"] == 0
    code, _, err = command("sets", "create", "later", cwd=project)
    assert code == 2 and "there is a set 'later' already" in err
    assert "embedded" in command("index", "docs", "--set", "later", cwd=project, check=0)[1]


@pytest.fixture
def project(docs, model):
    return docs.parent
