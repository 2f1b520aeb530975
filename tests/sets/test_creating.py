"""Sets that are told when to embed: what no rule has embedded is found by words only until the set is indexed."""

from __future__ import annotations

import json
import os
from contextlib import closing

import pytest

from embassay.errors import DimensionsRefused, UsageError
from embassay.sets.followers import waiting_for_model
from embassay.stores.values import VECTOR
from tests.cli.test_cli import run as command
from tests.servers import hash_openai, serving
from tests.sets.watching.watched import watched


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


@pytest.mark.parametrize("default", [False, True])
def test_a_hosted_model_with_fewer_dimensions(project, default):
    """The model is named, or it is the default one of the configuration."""
    line = ["sets", "create", "fast", "--truncate-dim", "256", "--auto-embed", "on_create,on_update", "./docs"]
    if default:
        (project / "embassay.yaml").write_text("embeddings: {default_model: openai/text-embedding-3-small}")
    else:
        line += ["--model", "openai/text-embedding-3-small"]
    with serving(hash_openai(1536)) as server:
        env = {"OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": "sk-test"}
        _, out, _ = command(*line, cwd=project, check=0, env=env)
        assert "256" in out and "wait" not in out
        shown = json.loads(command("sets", "show", "fast", "--json", cwd=project, check=0, env=env)[1])
        assert shown["model"] == "openai/text-embedding-3-small@dims=256" and shown["waiting"] == 0
        assert shown["auto_embed"] == ["on_create", "on_update"] and shown["chunks"] > 0
        assert ":256" in shown["space"]
        found = command("search", "rotate the key", "--json", cwd=project, check=0, env=env)[1]
        assert json.loads(found)["hits"] and json.loads(found)["mode"] == "hybrid"


def test_numbers_are_kept_as_they_are_told(home, docs, model):
    home.create_set("small", [docs], auto_embed=["on_create"], model=model, dtype="float16")
    assert home.describe("small").spec.dtype == "float16"
    home.create_set("whole", [docs], auto_embed=["on_create"], model=model)
    first, second = (home.search("rotate the key", set=name, mode="dense").hits[0] for name in ("small", "whole"))
    assert first.chunk.key == second.chunk.key and first.score == pytest.approx(second.score, abs=2e-3)


def test_dimensions_and_types_that_cannot_be(home, model):
    for options in ({"truncate_dim": 0}, {"dtype": "float8"}, {"truncate_dim": 16}, {"truncate_dim": 2**40}):
        with pytest.raises((UsageError, DimensionsRefused)):
            home.create_set("other", model=model, **options)
    with pytest.raises(UsageError, match="dimensions of its own"):
        home.create_set("other", model="nomic-ai/nomic-embed-text-v1.5@dims=128", truncate_dim=256)
    assert not home._sets.exists or home.sets() == []


@pytest.mark.parametrize(
    ("rules", "created", "updated"), [((), True, True), (("on_create",), False, True), (("on_update",), True, False)]
)
def test_a_watched_set_embeds_by_its_rules(home, docs, model, rules, created, updated):
    home.create_set("fast", auto_embed=rules, model=model)
    with watched(home.watch([docs], set="fast")) as told:
        first = told.all[-1].index
        assert (first.waiting > 0, zeros(home) > 0, first.embedded == 0) == (created, created, created)
        home.set("fast").index()
        assert zeros(home) == 0
        (docs / "keys.md").write_text("# Keys\n\nOkapis rotate them.\n")
        told.until(lambda: "Okapis" in home.set("fast").get(["docs/keys.md"])[0].text)
    assert (zeros(home) > 0, waiting(home)) == (updated, int(updated))
    assert home.search("okapis", set="fast", mode="lexical").hits


def test_what_waits_is_not_read_again_while_it_stays_as_it_is(home, docs, model):
    for file in (one for one in docs.rglob("*") if one.is_file()):
        os.utime(file, (1, 1))  # a file that was just written is read again: its clock may not have ticked
    report = home.create_set("fast", [docs], model=model)
    with watched(home.watch(set="fast")) as told:
        assert told.all[-1].index.files == 0 and told.all[-1].index.waiting == report.waiting > 0


def test_a_set_of_records_alone_is_indexed_without_a_path(home, model):
    home.create_set("notes", model=model)
    report = home.set("notes").upsert([{"id": "1", "text": "Zebras graze."}])
    assert report.waiting == 1 and report.embedded == 0
    done = home.index(set="notes")
    assert (done.embedded, done.waiting) == (1, 0) and home.search("zebras", set="notes", mode="dense").hits
    with pytest.raises(UsageError, match="remembers no files"):
        home.index(set="notes")


def test_every_command_says_what_waits_and_what_embeds_it(project):
    made = command("sets", "create", "later", "docs", "--model", "../model", cwd=project, check=0)[1]
    line = "`embassay index --set later`"
    assert line in made
    for asked in (("status",), ("sets", "show", "later"), ("ls", "later")):
        _, out, err = command(*asked, cwd=project, check=0)
        assert line in out + err, asked
    listed = json.loads(command("ls", "later", "--json", cwd=project, check=0)[1])
    assert all(one["waits"] for one in listed["documents"]) and line in listed["notices"][0]
    (row,) = json.loads(command("sets", "list", "--json", cwd=project, check=0)[1])["sets"]
    assert row["waiting"] == row["chunks"] > 0
    code, _, err = command("export", "later", "out", cwd=project)
    assert code == 2 and "embassay index --set later" in err
    command("index", "--set", "later", cwd=project, check=0)
    assert "wait" not in command("status", cwd=project, check=0)[1]


@pytest.fixture
def project(docs, model):
    return docs.parent
