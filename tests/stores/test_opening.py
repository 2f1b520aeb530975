"""Stores by the name of their backend: what they cannot do is refused, and temporary ones leave nothing behind."""

import subprocess
import sys

import pytest

from embassay import plugins
from embassay.errors import HomeNotWritable, PluginError, StoreError
from embassay.stores.opening import BACKENDS, exact_store, open_collection, temporary_stores
from embassay.stores.values import VECTOR, Capabilities, Collection, VectorSpec
from embassay.testing import sample_chunks

CHUNKS, VECTORS = sample_chunks(20, 8)
NAMES = plugins.names(BACKENDS)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("collection", "message"),
    [
        (
            Collection("one", {VECTOR: VectorSpec(8, dtype="int4")}),
            "keeps vectors as float16, float32, int8, not as int4",
        ),
        (Collection("one", {VECTOR: VectorSpec(8, "int8", similarity="dot")}), "have lengths, and int8 keeps none"),
        (Collection("one", {VECTOR: VectorSpec(8), "tokens": VectorSpec(8, many=True)}), r"not many \('tokens'\)"),
        (Collection("one", {VECTOR: VectorSpec(8, similarity="l2")}), "compares vectors by cosine, dot, not by l2"),
    ],
)
def test_what_a_backend_cannot_do_is_refused(name, collection, message, tmp_path):
    with pytest.raises(StoreError, match=message):
        open_collection(name, tmp_path, collection, create=True)
    assert list(tmp_path.iterdir()) == [], "it is refused before anything is made"


def test_several_vectors_need_a_backend_that_has_labels():
    both = Collection("one", {VECTOR: VectorSpec(8), "coarse": VectorSpec(4)})
    able = Capabilities(labels=False)
    with pytest.raises(StoreError, match="the store plain keeps one vector a row, not 2"):
        able.check("plain", both)
    able.check("plain", Collection.single("one", 8))


def test_unknown_backends(tmp_path):
    with pytest.raises(PluginError, match="Did you mean 'lance'"):
        open_collection("lanse", tmp_path, Collection.single("one", 8))
    with pytest.raises(PluginError), temporary_stores("lanse", tmp_path):
        pass


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_collection_is_not_made_by_opening_it(name, tmp_path):
    with pytest.raises(StoreError):
        open_collection(name, tmp_path, Collection.single("one", 8))


def test_the_exact_store_is_empty():
    with exact_store(3).snapshot() as version:
        assert version.count() == 0


@pytest.mark.parametrize("name", NAMES)
def test_temporary_stores_are_new_and_leave_nothing(name, tmp_path):
    with temporary_stores(name, tmp_path) as new_store:
        first, second = new_store(8), new_store(8)
        first.upsert(CHUNKS, {VECTOR: VECTORS})
        with first.snapshot() as ours, second.snapshot() as other:
            assert (ours.count(), other.count()) == (20, 0)
    with pytest.raises(StoreError):
        first.snapshot()
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] in ([], ["making.lock"])


def test_a_store_in_memory_makes_no_folder(tmp_path):
    with temporary_stores("memory", tmp_path / "never"):
        assert not (tmp_path / "never").exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from embassay.stores.opening import temporary_stores

with temporary_stores("lance", Path(sys.argv[1])) as new_store:
    new_store(8)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_next_run_removes_what_a_killed_one_left_and_nothing_else(tmp_path):
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    (left,) = (folder for folder in (tmp_path / "scratch").iterdir() if folder.is_dir())
    assert (left / "vectors").is_dir()
    with temporary_stores("lance", tmp_path) as new_store:
        assert not left.exists()
        living = new_store(8)
        with temporary_stores("lance", tmp_path) as other:
            other(8)
            living.upsert(CHUNKS, {VECTOR: VECTORS})
        with living.snapshot() as version:
            assert version.count() == 20, "a store that is in use stays"
    assert [file.name for file in (tmp_path / "scratch").iterdir()] == ["making.lock"]


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "scratch").write_text("a file where the folder should be")
    with pytest.raises(HomeNotWritable, match="scratch"), temporary_stores("lance", tmp_path):
        pass
