import sqlite3
import subprocess
import sys

import numpy as np
import pytest

from embassay.errors import StoreError
from embassay.stores.tokens.codes import PackedTokens
from embassay.stores.tokens.file import TokenFile
from tests.search.fakes import chunk

CHUNKS = [chunk(name) for name in "abc"]
TEXTS = {one.key: one.indexed for one in CHUNKS}


def tokens(seed):
    return PackedTokens(np.array([seed, seed + 1], np.int32), np.full((3, 4), seed, np.uint8))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "g1.tokens"


@pytest.fixture
def file(path):
    made = TokenFile(path, "space")
    made.create()
    yield made
    made.close()


def same(found, expected):
    assert found.keys() == expected.keys()
    for key, one in expected.items():
        np.testing.assert_array_equal(found[key].ids, one.ids)
        np.testing.assert_array_equal(found[key].codes, one.codes)


def test_what_is_put_comes_back(file, path):
    kept = {name: tokens(at) for at, name in enumerate("ab")}
    file.put({name: TEXTS[name] for name in kept}, kept)
    same(file.get(CHUNKS), kept)
    file.close()
    same(TokenFile(path, "space").get(CHUNKS), kept)
    assert file.counts() == (2, 0, 2 * (8 + 12))


def test_a_text_without_tokens(file):
    file.put({"a": TEXTS["a"]}, {"a": PackedTokens(np.empty(0, np.int32), np.empty((0, 4), np.uint8))})
    assert file.get(CHUNKS)["a"].codes.shape == (0, 0)


def test_rows_are_due_until_they_have_tokens(file):
    file.note(CHUNKS)
    assert file.due(10) == TEXTS and len(file.due(2)) == 2
    file.put({"a": TEXTS["a"]}, {"a": tokens(1)})
    assert file.due(10).keys() == {"b", "c"}
    file.note(CHUNKS)
    assert file.due(10).keys() == {"b", "c"}, "what has its tokens is not due again"
    file.forget(["b", "unknown"])
    file.keep_only("c")
    assert file.counts()[:2] == (0, 1)


def test_tokens_of_another_text_are_not_found_and_due_again(file):
    file.put({"a": "what it said before"}, {"a": tokens(1)})
    assert file.get(CHUNKS) == {}
    file.note(CHUNKS[:1])
    assert file.due(10) == {"a": TEXTS["a"]}


def test_a_text_that_changed_while_it_was_read_stays_due(file):
    file.note(CHUNKS[:1])
    file.put({"a": "what it said before"}, {"a": tokens(1)})
    assert file.due(10) == {"a": TEXTS["a"]}


def test_a_file_of_another_space_is_not_used_and_made_anew(file, path):
    file.put(TEXTS, {name: tokens(1) for name in TEXTS})
    other = TokenFile(path, "another")
    assert other.get(CHUNKS) == {}
    other.create()
    assert other.counts() == (0, 0, 0) and not other.whole
    other.note_whole()
    other.create()
    assert other.whole, "one of its own space stays"


@pytest.mark.parametrize("content", [b"no database" * 500, b""])
def test_a_damaged_file(path, content):
    path.write_bytes(content)
    file = TokenFile(path, "space")
    if content:
        with pytest.raises(StoreError, match=r"damaged.*Have them made again: index\(tokens=True\)"):
            file.get(CHUNKS)
    file.create()
    assert file.get(CHUNKS) == {}
    file.remove()
    assert not file.exists and not [*path.parent.iterdir()]
    with pytest.raises(StoreError, match="is gone"):
        file.get(CHUNKS)


def test_a_row_that_was_changed_by_hand(file, path):
    file.put({"a": TEXTS["a"]}, {"a": tokens(1)})
    file.close()
    db = sqlite3.connect(path)
    db.execute("UPDATE tokens SET codes = x'000102'")
    db.execute("UPDATE tokens SET vectors = 2")
    db.commit()
    db.close()
    with pytest.raises(StoreError, match="no tokens have"):
        file.get(CHUNKS)


def test_a_file_of_a_later_version(file, path):
    file.close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 9")
    db.close()
    with pytest.raises(StoreError, match="later embassay"):
        file.get(CHUNKS)


WRITER = """
import sys, os
import numpy as np
from pathlib import Path
from embassay.stores.tokens.codes import PackedTokens
from embassay.stores.tokens.file import TokenFile
file = TokenFile(Path(sys.argv[1]), "space")
file.create()
for at in range(200):
    key = f"{sys.argv[2]}{at}"
    file.put({key: key}, {key: PackedTokens(np.array([at], np.int32), np.zeros((1, 4), np.uint8))})
    if sys.argv[3] == "dies" and at == 100:
        os.kill(os.getpid(), 9)
"""


def test_two_processes_write_and_one_dies(path):
    started = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), name, how])
        for name, how in (("x", "dies"), ("y", "ends"))
    ]
    assert [one.wait() for one in started] == [-9, 0]
    rows, due, _ = TokenFile(path, "space").counts()
    assert (rows, due) == (301, 0)
