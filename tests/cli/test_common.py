"""Which home a command uses, and where the stores of an evaluation lie: in the home, else in the user's cache."""

import pytest

from embassay.cli import common
from embassay.errors import HomeNotFound, HomeNotWritable


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "embassay"


def tables(folder):
    return [file.name for file in folder.glob("scratch/*/vectors/*.lance")]


def test_in_the_home(monkeypatch, tmp_path, cache):
    home = tmp_path / "project" / ".embassay"
    home.mkdir(parents=True)
    monkeypatch.chdir(home.parent)
    with common.new_stores("lance") as new_store:
        new_store(8)
        assert len(tables(home)) == 1 and not cache.exists()
    assert tables(home) == [] and [file.name for file in home.parent.iterdir()] == [".embassay"]


def test_in_the_cache(monkeypatch, tmp_path, cache):
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    with common.new_stores("lance") as new_store:
        new_store(8)
        assert len(tables(cache)) == 1
    assert tables(cache) == [] and list((tmp_path / "project").iterdir()) == []


def test_a_store_in_memory_has_no_place(monkeypatch, tmp_path, cache):
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    with common.new_stores("memory") as new_store, new_store(8).snapshot() as version:
        assert version.count() == 0
    assert not cache.exists()


def test_a_home_that_is_named_is_there(tmp_path, cache):
    with pytest.raises(HomeNotFound, match="missing"), common.opened_session(tmp_path / "missing"):
        pass


def test_a_home_that_is_named_is_made_where_its_cache_is_written(monkeypatch, tmp_path, cache):
    monkeypatch.chdir(tmp_path)
    with common.opened_session(tmp_path / "one", create=True) as session:
        assert session.models.cache_file() == tmp_path / "one" / "cache.db"
    monkeypatch.setenv("EMBASSAY_HOME", str(tmp_path / "two"))
    with common.opened_session(create=True) as session:
        assert session.models.cache_file() == tmp_path / "two" / "cache.db"
    with common.new_stores("lance", tmp_path / "three") as new_store:
        new_store(8)
    for name in ("one", "two", "three"):
        assert (tmp_path / name / ".gitignore").read_text() == "*\n" and (tmp_path / name).stat().st_mode & 0o077 == 0
    (tmp_path / "file").touch()
    with pytest.raises(HomeNotWritable, match="is a file"), common.opened_session(tmp_path / "file", create=True):
        pass


def test_no_home_at_all(monkeypatch, tmp_path, cache):
    monkeypatch.chdir(tmp_path)
    with common.opened_session() as session:
        assert session.models.cache_file() == cache / "cache.db"
