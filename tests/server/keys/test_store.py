"""Keys at rest: shown once, kept as a hash, seen by every process at once, and whole whatever happens."""

import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

from embassay.errors import UsageError
from embassay.server.keys import store as store_module
from embassay.server.keys.key import Grant, digest_of, id_of
from embassay.server.keys.rates import PerMinute
from embassay.server.keys.store import KEYS_FILE, KeyStore
from embassay.server.refusals import KeysError
from tests.disks import fill, small_disk

FULL = Grant("write", ("a", "b"), ("m",), PerMinute(600, 1_000_000), 2e9)


@pytest.fixture
def store(tmp_path):
    store = KeyStore(tmp_path / "home")
    yield store
    store.close()


def test_a_key_comes_back_as_it_was_made(store):
    made, token = store.create("ci", FULL)
    assert re.fullmatch(r"ek_[0-9a-f]{12}_[0-9a-f]{64}", token)
    assert made.grant == FULL and made.id == id_of(token) and made.digest == digest_of(token)
    assert KeyStore(store.file.path.parent).all() == [made] == store.all()
    principal = made.principal()
    assert principal.sets == {"a", "b"} and principal.models == {"m"} and principal.rates == PerMinute(600, 1_000_000)


def test_no_key_is_in_any_file(store):
    tokens = [store.create(f"k{i}", Grant())[1] for i in range(5)]
    tokens.append(store.rotate("k1")[1])
    folder = store.file.path.parent
    kept = b"".join(file.read_bytes() for file in folder.iterdir())
    assert digest_of(tokens[0]) in kept
    for token in tokens:
        assert token.encode() not in kept and token.rpartition("_")[2].encode() not in kept
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_names_are_those_of_keys_that_are_not_revoked(store):
    store.create("ci", Grant())
    with pytest.raises(UsageError, match="there is a key 'ci' already"):
        store.create("ci", Grant())
    store.revoke("ci")
    again, _ = store.create("ci", Grant())
    assert [key.state(time.time()) for key in store.all()] == ["revoked", "live"]
    assert store.rotate("ci")[0].id == again.id
    with pytest.raises(UsageError, match=r"no key 'cj' that is not revoked.*There are: ci"):
        store.revoke("cj")


@pytest.mark.parametrize("name", ["", " ci", "a\nb", "x" * 65, "a\x1b[2J"])
def test_what_cannot_name_a_key(store, name):
    with pytest.raises(UsageError, match="cannot name a key"):
        store.create(name, Grant())
    assert not store.file.is_there


def test_nothing_is_made_by_looking(store):
    assert store.all() == []
    for ask in (store.revoke, store.rotate):
        with pytest.raises(UsageError, match="no key was made yet"):
            ask("ci")
    assert not store.file.path.parent.exists()


def test_a_key_that_has_expired_is_not_rotated(tmp_path):
    now = [1000.0]
    store = KeyStore(tmp_path, clock=lambda: now[0])
    store.create("short", Grant(expires=1010.0))
    assert store.rotate("short")
    now[0] = 1010.0
    assert store.all()[0].state(now[0]) == "expired"
    with pytest.raises(UsageError, match="has expired"):
        store.rotate("short")


def test_another_process_is_seen_at_once(store):
    store.create("ci", Grant())
    assert len(store.current()) == 1
    folder = store.file.path.parent
    script = (
        "import sys; from pathlib import Path\n"
        "from embassay.server.keys.key import Grant\n"
        "from embassay.server.keys.store import KeyStore\n"
        "store = KeyStore(Path(sys.argv[1])); store.revoke('ci'); store.create('other', Grant())"
    )
    subprocess.run([sys.executable, "-c", script, folder], check=True)
    assert [(key.name, key.revoked is None) for key in store.current().values()] == [("ci", False), ("other", True)]
    assert store.current() is store.current(), "nothing is read anew where nothing was written"


def test_a_change_that_nobody_told_of_is_seen_soon(store, monkeypatch):
    """A process that was killed behind the transaction has raised no number."""
    store.create("ci", Grant())
    assert store.current()
    with closing(sqlite3.connect(store.file.path)) as db:
        db.execute("UPDATE keys SET revoked = 5.0")
        db.commit()
    now = time.monotonic()
    monkeypatch.setattr(store_module.time, "monotonic", lambda: now + 1)
    assert [key.revoked for key in store.current().values()] == [5.0]


def test_keys_are_read_where_their_use_cannot_be(tmp_path):
    (tmp_path / "keys.use").write_bytes(b"somebody's notes" * 100)
    told = []
    store, other = KeyStore(tmp_path, warn=told.append), KeyStore(tmp_path)
    store.create("ci", Grant())
    assert store.current() and told
    other.revoke("ci")
    assert [key.revoked is None for key in store.current().values()] == [False], "the database is asked each time"


def test_processes_that_make_keys_at_once(tmp_path):
    script = (
        "import sys; from pathlib import Path\n"
        "from embassay.server.keys.key import Grant\n"
        "from embassay.server.keys.store import KeyStore\n"
        "store = KeyStore(Path(sys.argv[1]))\n"
        "for i in range(20): store.create(f'{sys.argv[2]}-{i}', Grant())"
    )
    running = [subprocess.Popen([sys.executable, "-c", script, tmp_path / "home", str(i)]) for i in range(3)]
    assert [one.wait(60) for one in running] == [0] * 3
    keys = KeyStore(tmp_path / "home").all()
    assert len({key.id for key in keys}) == len({key.slot for key in keys}) == 60


def test_a_process_that_is_killed_leaves_whole_keys(tmp_path):
    script = (
        "import sys; from pathlib import Path\n"
        "from embassay.server.keys.key import Grant\n"
        "from embassay.server.keys.store import KeyStore\n"
        "store, i = KeyStore(Path(sys.argv[1])), 0\n"
        "while True:\n"
        "    _, token = store.create(f'k{i}', Grant()); print(token, flush=True)\n"
        "    store.rotate(f'k{i}', 60); store.revoke(f'k{i}'); i += 1"
    )
    for round_ in range(3):
        worker = subprocess.Popen([sys.executable, "-c", script, tmp_path / str(round_)], stdout=subprocess.PIPE)
        told = [worker.stdout.readline() for _ in range(5)]
        worker.send_signal(signal.SIGKILL)
        told += worker.stdout.read().splitlines()
        worker.wait()
        worker.stdout.close()
        store = KeyStore(tmp_path / str(round_))
        keys = store.current()
        assert {id_of(token.decode().strip()) for token in told if token.strip()} <= set(keys)
        assert store.create("after", Grant())[0].name == "after"
        store.close()


def test_a_full_disk_keeps_the_keys_that_are_there(tmp_path):
    with small_disk(tmp_path / "disk", "2m") as disk:
        store = KeyStore(disk / "home")
        store.create("ci", Grant())
        ballast = fill(disk)
        with pytest.raises(KeysError, match="cannot be used"):
            for i in range(2000):
                store.create(f"k{i}", Grant())
        fresh = KeyStore(disk / "home")
        assert "ci" in {key.name for key in fresh.all()}, "a server that is started now lets its holder in"
        ballast.unlink()
        store.revoke("ci")
        assert next(key for key in store.all() if key.name == "ci").revoked
        assert next(key for key in fresh.all() if key.name == "ci").revoked, "opened for reading, it looks again"
        store.close()
        fresh.close()


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("access", "root"), ("digest", b"short"), ("digest", "text" * 8), ("sets", "docs"), ("sets", "[1]"),
        ("rpm", 0), ("rpm", "many"), ("expires", "soon"), ("revoked", "no"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_lets_nobody_in(store, change, value):
    store.create("ci", FULL)
    with closing(sqlite3.connect(store.file.path)) as db:
        db.execute(f"UPDATE keys SET {change} = ?", (value,))
        db.commit()
    with pytest.raises(KeysError, match="damaged"):
        store.current()


def test_a_file_that_is_damaged_or_of_somebody_else(tmp_path):
    (tmp_path / KEYS_FILE).write_bytes(b"no database" * 1000)
    with pytest.raises(KeysError, match=r"damaged|no file of keys"):
        KeyStore(tmp_path).current()
    other = tmp_path / "other"
    other.mkdir()
    with closing(sqlite3.connect(other / KEYS_FILE)) as db:
        db.execute("CREATE TABLE keys (id)")
    with pytest.raises(KeysError, match="no file of keys of embassay, so it is left as it is"):
        KeyStore(other).create("ci", Grant())


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / KEYS_FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeysError):
        KeyStore(tmp_path / "home").create("ci", Grant())
    assert not (tmp_path / "elsewhere").exists()


def test_a_server_that_had_keys_does_not_go_on_without(store, monkeypatch):
    monkeypatch.setattr(store_module, "LOOK_SECONDS", 0.0)
    store.create("ci", Grant())
    assert store.current()
    store.file.path.unlink()
    for _ in range(2):
        with pytest.raises(KeysError, match="is gone"):
            store.current()


def test_a_file_that_takes_the_place_of_another_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "LOOK_SECONDS", 0.0)
    one, other = KeyStore(tmp_path / "one"), KeyStore(tmp_path / "other")
    one.create("old", Grant())
    other.create("new", Grant())
    other.close()
    assert [key.name for key in one.current().values()] == ["old"]
    one.file.close()
    (tmp_path / "other" / KEYS_FILE).replace(tmp_path / "one" / KEYS_FILE)
    assert [key.name for key in one.current().values()] == ["new"]
