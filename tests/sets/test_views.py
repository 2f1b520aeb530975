"""Filtered views: what of another set passes a filter, under a name of its own, and without vectors of its own."""

from __future__ import annotations

import asyncio
import json
import sqlite3

import pytest

import embassay
from embassay.errors import FilterError, HomeCorrupt, SetNotFound, UsageError
from embassay.home import Home
from embassay.sets.folder import HomeFolder
from embassay.sets.migration.beginning import begin
from embassay.sets.migration.job import run
from embassay.sets.migration.switching import rollback, switch
from embassay.sets.migration.target import MigrationTarget
from tests.cli.test_cli import run as command

COUNT = 60
DE = 'lang = "de"'
RECORDS = [
    {
        "id": f"{i:02}",
        "text": f"Text {i} says how key {i % 7} and lock {i % 5} are turned in house {i}.",
        "metadata": {"lang": "de" if i % 3 == 0 else "en", "floor": i % 4},
    }
    for i in range(COUNT)
]
GERMAN = [record["id"] for record in RECORDS if record["metadata"]["lang"] == "de"]


@pytest.fixture
def home(tmp_path):
    with embassay.open(tmp_path / ".embassay") as home:
        home.set("docs").upsert(RECORDS, model="hash/64")
        assert not home.create_view("de", of="docs", where=DE)
        yield home


def ids(found):
    return [hit.chunk.document for hit in found.hits]


PIPELINES = [
    "dense(60) >> top(60)",
    "lexical(60) >> top(60)",
    "dense(60) | lexical(60) >> convex(0.5) >> top(60)",
]


@pytest.mark.parametrize("pipeline", PIPELINES)
@pytest.mark.parametrize("where", [None, "floor = 2", 'lang = "en"', "not (floor = 0) or floor = 3"])
def test_a_search_of_a_view_is_one_of_its_parent_with_both_filters(home, pipeline, where):
    both = DE if where is None else f"({DE}) and ({where})"
    seen = home.search("how key 3 and lock 2 are turned", set="de", pipeline=pipeline, where=where)
    whole = home.search("how key 3 and lock 2 are turned", set="docs", pipeline=pipeline, where=both)
    assert ids(seen) == ids(whole) and set(ids(seen)) <= set(GERMAN)
    assert [hit.score for hit in seen.hits] == [hit.score for hit in whole.hits], "words are as rare as in the parent"
    assert (not ids(seen)) == (where == 'lang = "en"')
    assert {hit.set for hit in seen.hits} <= {"de"} and seen.set == "de"


def test_what_is_in_a_view(home):
    view = home.set("de")
    assert view.exists and home.sets() == ["de", "docs"]
    assert [one.id for one in view.list()] == GERMAN == [chunk.document for chunk in view.chunks()]
    assert [one.id for one in view.list(where="floor = 2")] == [one for one in GERMAN if int(one) % 4 == 2]
    assert [record.id for record in view.get(["01", "03", "00"])] == ["03", "00"]
    assert sorted(view.sources()) == GERMAN
    status = view.status()
    assert (status.documents, status.chunks, status.bytes) == (len(GERMAN), len(GERMAN), 0)
    told = home.describe("de").to_dict()
    assert (told["kind"], told["of"], told["where"], told["bytes"]) == ("filter", "docs", DE, 0)
    assert home.describe("docs").to_dict()["kind"] == "full"
    assert home.describe_all()[0].to_dict() == told
    assert not [one for one in home.doctor("de") if one.level == "problem"]
    assert view.history()[0].what == "created" and view.history()[0].detail == {"of": "docs", "where": DE}
    assert ids(asyncio.run(view.asearch("key 3", pipeline="dense(60) >> top(60)"))) == ids(
        view.search("key 3", pipeline="dense(60) >> top(60)")
    )


def test_what_is_written_to_the_parent_is_seen_at_once(home):
    view = home.set("de")
    view.search("a word of elephants")
    home.set("docs").upsert([{"id": "new", "text": "Ein Elefant.", "metadata": {"lang": "de"}}])
    assert ids(view.search("Elefant", k=1)) == ["new"]
    home.set("docs").upsert([{"id": "new", "text": "An elephant.", "metadata": {"lang": "en"}}])
    assert "new" not in ids(view.search("elephant", pipeline="dense(60) >> top(60)"))


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda home, de: de.add([RECORDS[0]]), "add --set docs"),
        (lambda home, de: de.upsert([RECORDS[0]]), "add --set docs"),
        (lambda home, de: de.delete(ids=["00"]), "delete docs"),
        (lambda home, de: de.deletion(ids=["00"]), "delete docs"),
        (lambda home, de: de.index(["."]), "set='docs'"),
        (lambda home, de: de.index(), "set='docs'"),
        (lambda home, de: de.watch(["."]), "watch --set docs"),
        (lambda home, de: de.migrate("hash/128"), "migrate docs --to MODEL"),
        (lambda home, de: de.plan_migration("hash/128"), "migrate docs --to MODEL"),
        (lambda home, de: de.migration(), "migrate docs --to MODEL"),
        (lambda home, de: de.switch(), "switch docs"),
        (lambda home, de: de.rollback(), "rollback docs"),
        (lambda home, de: de.relink("hash/64"), "relink docs --to MODEL"),
        (lambda home, de: home.import_set(".", set="de"), "import --set docs"),
        (lambda home, de: home.create_set("de", model="hash/64"), ""),
        (lambda home, de: home.create_view("de", of="docs", where="floor = 1"), ""),
    ],
)
def test_nothing_is_written_through_a_view(home, ask, words):
    before = home.set("docs").status()
    with pytest.raises(UsageError) as refused:
        ask(home, home.set("de"))
    if words:
        assert "'docs'" in refused.value.message and words in str(refused.value.remedy)
    assert home.set("docs").status() == before and home.sets() == ["de", "docs"]


def test_a_switch_of_the_parent_is_one_of_the_view(home):
    view, sets = home.set("de"), home._sets
    first = view.search("key 3", pipeline="dense(60) >> top(60)")
    begin(sets, "docs", MigrationTarget.of("hash/128"))
    assert run(sets, "docs").state == "ready"
    assert view.search("key 3", k=3).space == first.space
    cascaded = view.search("key 3", k=3, cascade=True)
    assert cascaded.cascade is not None and set(ids(cascaded)) <= set(GERMAN)
    with view.searcher() as index:  # one that began before finishes on the old one
        switch(sets, "docs")
        assert index.search("key 3", first.pipeline).space == first.space
    second = view.search("key 3", pipeline="dense(60) >> top(60)")
    assert second.space.dimensions == 128 and set(ids(second)) == set(ids(first)) == set(GERMAN)
    with Home(HomeFolder(home.folder)) as other:
        assert other.search("key 3", set="de").space == second.space
    rollback(sets, "docs")
    assert view.search("key 3", pipeline="dense(60) >> top(60)").space == first.space
    assert not [one for one in home.gc().found if one.set == "de" or one.kind == "unknown"]


def test_names(home):
    home.rename_set("docs", "handbook")
    assert (
        ids(home.search("key 3", set="de", pipeline="dense(60) >> top(60)"))
        and home.describe("de").to_dict()["of"] == "handbook"
    )
    with pytest.raises(UsageError, match=r"has views.*: de"):
        home.delete_set("handbook")
    with pytest.raises(UsageError, match="already"):
        home.rename_set("de", "handbook")
    home.rename_set("de", "deutsch")
    assert home.set("deutsch").history()[0].detail == {"from": "de", "to": "deutsch"}
    with pytest.raises(SetNotFound):
        home.search("key 3", set="de")
    home.default_set = "deutsch"
    assert home.default_set == "deutsch" and set(ids(home.search("key 3"))) <= set(GERMAN)
    with pytest.raises(UsageError, match="is a view of"):
        home.index(["."])
    assert home.delete_set("deutsch").documents == len(GERMAN)
    assert home.default_set == "handbook" == home.sets()[0] and len(home.set("handbook").sources()) == COUNT
    home.delete_set("handbook")
    assert home.sets() == []


def test_the_only_set_is_meant_beside_its_views(home):
    assert home.default_set == "docs"


def test_a_view_of_a_view_is_one_of_its_parent(home):
    home.create_view("low", of="de", where="floor = 0")
    assert home.describe("low").to_dict()["of"] == "docs"
    assert [one.id for one in home.set("low").list()] == [one for one in GERMAN if int(one) % 4 == 0]
    home.delete_set("de")
    assert home.set("low").status().chunks == 5


def test_a_filter_that_nothing_passes_or_that_is_none(home):
    (why,) = home.create_view("odd", of="docs", where="lagn = 'de'")
    assert "has the field 'lagn'. Did you mean 'lang'?" in why
    found = home.search("key 3", set="odd")
    assert not found.hits and any("lagn" in notice for notice in found.notices)
    assert [one.check for one in home.doctor("odd") if one.level == "notice"] == ["view"]
    home.set("docs").upsert([{"id": "x", "text": "Now there is one.", "metadata": {"lagn": "de"}}])
    assert ids(home.search("one", set="odd")) == ["x"]
    for where in ("lang =", "", 5):
        with pytest.raises((FilterError, UsageError)):
            home.create_view("bad", of="docs", where=where)
    with pytest.raises(SetNotFound):
        home.create_view("bad", of="nope", where=DE)
    assert "bad" not in home.sets()


def test_a_view_is_searched_beside_other_sets(home):
    home.set("more").upsert([{"id": "m", "text": "key 3 and lock 3"}], model="hash/64")
    found = home.search("key 3", 60, set=["de", "more"])
    assert {hit.set for hit in found.hits} == {"de", "more"}


@pytest.mark.parametrize("format", ["parquet", "jsonl"])
def test_a_view_is_exported_as_a_set_of_its_own(home, tmp_path, format):
    report = home.set("de").export(tmp_path / "out", format=format)
    assert (report.set, report.documents, report.chunks) == ("de", len(GERMAN), len(GERMAN))
    made = home.import_set(tmp_path / "out", set="copy")
    assert made.documents == len(GERMAN) and home.describe("copy").to_dict()["kind"] == "full"
    assert ids(home.search("key 3", set="copy", pipeline="dense(5) >> top(5)")) == ids(
        home.search("key 3", set="de", pipeline="dense(5) >> top(5)")
    )


def test_what_waits_in_the_parent_waits_in_its_view(tmp_path):
    with embassay.open(tmp_path / "other") as home:
        home.create_set("later", model="hash/64")
        home.set("later").upsert(RECORDS)
        home.create_view("later-de", of="later", where=DE)
        assert home.set("later-de").status().waiting == len(GERMAN)
        code, _, err = command("ls", "later-de", "--home", home.folder, cwd=tmp_path)
        assert code == 0 and "embassay index --set later`" in " ".join(err.split())
        assert set(ids(home.search("key 3", set="later-de", mode="lexical"))) <= set(GERMAN)
        home.index(set="later")
        assert home.set("later-de").status().waiting == 0


def test_a_damaged_filter_is_told(home):
    with sqlite3.connect(home.folder / "state.db") as db:
        db.execute("UPDATE views SET filter = 'lang ='")
    db.close()
    with pytest.raises(HomeCorrupt):
        home.search("key 3", set="de")


def test_the_command(tmp_path, home):
    made = json.loads(
        command("sets", "create", "low", "--of", "docs", "--where", "floor = 0", "--json", cwd=tmp_path, check=0)[1]
    )
    assert made == {"set": "low", "kind": "filter", "of": "docs", "where": "floor = 0", "notices": []}
    assert "view of docs" in command("sets", "list", cwd=tmp_path, check=0)[1]
    assert "15 documents" in command("sets", "show", "low", cwd=tmp_path, check=0)[1]
    code, _, err = command("index", ".", "--set", "low", cwd=tmp_path)
    assert code == 2 and "embassay index --set docs" in err
    code, _, err = command("sets", "delete", "docs", "--yes", cwd=tmp_path)
    assert code == 2 and "de, low" in err
    for odd in (["--of", "docs"], ["--where", "floor = 0"], ["--of", "docs", "--where", "floor = 0", "--model", "m"]):
        code, _, err = command("sets", "create", "odd", *odd, cwd=tmp_path)
        assert code == 2 and "sets create odd --of docs" in err.replace("--of SET", "--of docs"), odd
