"""Coarse vectors are kept beside their part, and are those of its rows whatever happens to their file."""

import shutil
import subprocess
import sys
import textwrap
import threading
from contextlib import closing

import numpy as np
import pytest

from embassay.embedders.wrap.projected import fit
from embassay.search.coarse import projected_form
from embassay.space import Space
from embassay.stores.hot import coarse as hot_coarse
from embassay.stores.hot import writer
from embassay.stores.hot.snapshot import HotSnapshot
from embassay.stores.opening import open_collection
from embassay.stores.values import VECTOR, Collection
from embassay.types import Chunk
from embassay.vectors import unit_rows
from tests.compress.made import run_and_die
from tests.disks import fill, small_disk

COUNT = 5000
COLLECTION = Collection.single("one", 16)
SPACE = Space("made", "aa", 16)
ROWS = unit_rows(
    np.random.default_rng(5).standard_normal((COUNT + 800, 16)).astype(np.float32) * np.geomspace(1, 0.1, 16)
)
FORM = projected_form(SPACE, fit([ROWS], SPACE, 4))


def given(first, after):
    chunks = [Chunk(f"k{at}", f"d{at}", f"d{at}", "", f"word{at}", 0, (1, 1), (0, 5), 0) for at in range(first, after)]
    return chunks, {VECTOR: ROWS[first:after]}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "vectors"
    with closing(open_collection("lance", folder, COLLECTION, create=True)) as store:
        store.upsert(*given(0, COUNT))
        store.optimise(thorough=True)
    return folder


@pytest.fixture
def folder(tmp_path, made):
    return shutil.copytree(made, tmp_path / "vectors")


def opened(folder):
    return closing(open_collection("lance", folder, COLLECTION))


def kept(folder):
    return sorted(folder.rglob("*.hot/*.coarse"))


def searched(store, form=FORM, rows=COUNT):
    """The keys that are found, which have to be the nearest by these coarse vectors."""
    with store.snapshot() as version:
        assert isinstance(version, HotSnapshot)
        for query in ROWS[:3]:
            found = version.coarse(query, 20, form)
            keys = [one.key for one in version.fetch([one.ref for one in found])]
            exact = form.apply(ROWS[:rows]) @ form.apply(query[None])[0]
            assert keys == [f"k{at}" for at in np.argsort(-exact, kind="stable")[:20]]
            assert np.allclose([one.score for one in found], np.sort(exact)[::-1][:20], atol=1e-5)
        return version.version


def test_the_next_process_maps_what_the_first_has_made(folder, monkeypatch):
    with opened(folder) as store:
        searched(store)
    (file,) = kept(folder)
    before = file.stat().st_mtime_ns, file.stat().st_ino
    assert file.stat().st_size < COUNT * 4 * 4 + 2000
    monkeypatch.setattr(hot_coarse.CoarsePart, "_blocks", lambda *_: pytest.fail("they were made already"))
    with opened(folder) as store:
        searched(store)
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == before


DAMAGE = {
    "cut": lambda data: data[: len(data) // 2],
    "empty": lambda _: b"",
    "flipped": lambda data: data[:4000] + bytes([data[4000] ^ 255]) + data[4001:],
    "garbage": lambda data: bytes(range(256)) * (len(data) // 256),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_file_is_made_anew(folder, how):
    with opened(folder) as store:
        searched(store)
    (file,) = kept(folder)
    whole = file.read_bytes()
    file.write_bytes(DAMAGE[how](whole))
    with opened(folder) as store:
        searched(store)
    assert file.read_bytes() == whole


def test_a_file_of_other_rows_is_made_anew(folder, tmp_path):
    """Names of parts are given anew where a hot index is."""
    with opened(folder) as store:
        searched(store)
    (file,) = kept(folder)
    other = tmp_path / "other"
    with closing(open_collection("lance", other, COLLECTION, create=True)) as store:
        store.upsert(*given(300, COUNT + 300))
        store.optimise(thorough=True)
        with store.snapshot() as version:
            version.coarse(ROWS[0], 1, FORM)
    (theirs,) = kept(other)
    file.write_bytes(theirs.read_bytes())
    with opened(folder) as store:
        searched(store)


def test_those_of_an_earlier_fit_go(folder):
    fewer = projected_form(SPACE, fit([ROWS[:500]], SPACE, 4))
    with opened(folder) as store:
        searched(store, fewer)
        (first,) = kept(folder)
        searched(store)
        (second,) = kept(folder)
        assert first.name != second.name
        wider = projected_form(SPACE, fit([ROWS], SPACE, 8))
        searched(store, wider)
        assert len(kept(folder)) == 2, "of another size both are kept"
        searched(store, fewer)


def test_a_folder_that_cannot_be_written_is_searched_all_the_same(folder, monkeypatch):
    def refuse(*_):
        raise hot_coarse.HomeNotWritable("the disk is full.")

    monkeypatch.setattr(hot_coarse.SectionWriter, "__enter__", refuse)
    with opened(folder) as store:
        searched(store)
    assert kept(folder) == []


def test_a_full_disk_is_searched_all_the_same(tmp_path, made):
    with small_disk(tmp_path / "disk", "8m") as place:
        folder = shutil.copytree(made, place / "vectors")
        ballast = fill(place, left=20_000)
        with opened(folder) as store:
            searched(store)
        assert not [file for file in folder.rglob("*.hot/*") if "coarse" in file.name], "nothing half written stays"
        ballast.unlink()
        with opened(folder) as store:
            searched(store)
        assert len(kept(folder)) == 1


def test_writes_are_seen_and_joined_parts_take_theirs_along(folder, monkeypatch):
    monkeypatch.setattr(writer, "FOLDED_ROWS", 5)
    with opened(folder) as store:
        first = searched(store)
        (before,) = kept(folder)
        store.upsert(*given(COUNT, COUNT + 800))
        assert searched(store, rows=COUNT + 800) > first, "rows of the log"
        store.optimise(thorough=True)
        searched(store, rows=COUNT + 800)
        store.delete([f"k{at}" for at in range(COUNT, COUNT + 800)])
        searched(store)
        store.optimise(thorough=True)
        searched(store)
    assert before not in kept(folder) and len(kept(folder)) == 1, "those of parts that are no more are gone"


@pytest.mark.parametrize("at", ["begun", "written", "named"])
def test_killed_while_they_are_written(folder, at):
    run_and_die(
        """
        from pathlib import Path
        from embassay.stores.hot import sections
        from embassay.stores.hot.coarse import CoarsePart
        from tests.stores.hot.test_coarse import FORM, ROWS, opened
        folder, at = Path(sys.argv[1]), sys.argv[2]
        if at == "begun":
            sections.SectionWriter._write = lambda *_: die()
        elif at == "written":
            sections.SectionWriter._finish = lambda *_: die()
        else:
            Path.glob = lambda *_: die()
        with opened(folder) as store, store.snapshot() as version:
            version.coarse(ROWS[0], 5, FORM)
        """,
        folder,
        at,
    )
    assert kept(folder) == []
    with opened(folder) as store:
        searched(store)
        assert len(kept(folder)) == 1
        store.upsert(*given(COUNT, COUNT + 700))
        store.optimise(thorough=True)
    left = [file.name for file in folder.rglob("*.hot/*") if "coarse" in file.name or file.name.startswith(".")]
    assert left == [] or all(name.endswith(".coarse") for name in left), "what the killed one left is swept away"


def test_processes_at_once_make_the_same(folder):
    code = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from tests.stores.hot.test_coarse import opened, searched
        for _ in range(5):
            with opened(Path(sys.argv[1])) as store:
                searched(store)
            for file in Path(sys.argv[1]).rglob("*.hot/*.coarse"):
                file.unlink(missing_ok=True)
        """
    )
    from tests.compress.made import ROOT

    environment = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": "/usr/bin:/bin"}
    working = [
        subprocess.Popen([sys.executable, "-c", code, str(folder)], stderr=subprocess.PIPE, text=True, env=environment)
        for _ in range(3)
    ]
    for process in working:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
    with opened(folder) as store:
        searched(store)


def test_threads_at_once_make_the_same(folder):
    """Each with a store of its own, as several homes of one program are."""
    faults = []

    def work():
        try:
            with opened(folder) as store:
                searched(store)
        except BaseException as error:
            faults.append(error)

    for _ in range(3):
        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not faults
        (file,) = kept(folder)
        file.unlink()
