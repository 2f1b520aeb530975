"""Killed, on a full disk, two at once, and written meanwhile: nothing is lost, and no ranking is wrong."""

import json
import shutil
import threading

import pytest

import embassay
from embassay.compress import measuring
from embassay.compress.opening import apply, compress
from embassay.errors import EmbassayError, HomeNotWritable, MigrationPaused, MigrationState
from embassay.search.modes import two_stage
from embassay.sets import gc
from tests.compress.made import SET, home_of, judged, run_and_die
from tests.disks import fill, small_disk
from tests.sets.indexed import rows

QUERY = "word1 word2 word3"
LOSS = 0.05

MEASURE = """
from pathlib import Path
from embassay.compress import opening
from tests.compress.made import SET, judged
seen = [0]
def advance(rows):
    seen[0] += rows
    if seen[0] >= int(sys.argv[2]):
        die()
with embassay.open(Path(sys.argv[1])) as home:
    found = opening.compress(home, SET, judged(), max_loss=0.05, advance=advance)
"""
APPLY = """
from pathlib import Path
from embassay.compress import opening
from embassay.sets.migration import table
from embassay.sets import moves
from tests.compress.made import SET, judged

def dying(owner, name, count, after):
    plain, calls = getattr(owner, name), [0]
    def method(*given, **named):
        calls[0] += 1
        if calls[0] == count and not after:
            die()
        found = plain(*given, **named)
        if calls[0] == count:
            die()
        return found
    setattr(owner, name, method)

with embassay.open(Path(sys.argv[1])) as home:
    found = opening.compress(home, SET, judged(), max_loss=0.05)
    owner = {"Moves": moves.Moves, "Migrations": table.Migrations}[sys.argv[2]]
    dying(owner, sys.argv[3], int(sys.argv[4]), sys.argv[5] == "after")
    opening.apply(home, found)
"""
PHASES = [
    ("Moves", "begin", 1, "before"), ("Moves", "begin", 1, "after"), ("Migrations", "advance", 1, "after"),
    ("Migrations", "advance", 2, "after"), ("Migrations", "advance", 3, "after"), ("Migrations", "advance", 4, "after"),
    ("Migrations", "note_progress", 1, "after"), ("Moves", "switch", 1, "before"), ("Moves", "switch", 1, "after"),
]  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / ".embassay"
    home_of(folder, judged())
    return folder


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, made):
    """The rows of the set once it is compressed."""
    with embassay.open(shutil.copytree(made, tmp_path_factory.mktemp("undisturbed") / ".embassay")) as home:
        assert apply(home, compress(home, SET, judged(), max_loss=LOSS)).state == "switched"
        return home.set(SET).spec(), rows(home, SET)


@pytest.fixture
def folder(tmp_path, made):
    return shutil.copytree(made, tmp_path / ".embassay")


def found_by(home, mode="dense"):
    return [hit.chunk.document for hit in home.search(QUERY, set=SET, mode=mode).hits]


@pytest.mark.parametrize("after", [1, 300, 600])
def test_killed_while_it_measures(folder, after):
    with embassay.open(folder) as home:
        before = found_by(home), rows(home, SET)
    run_and_die(MEASURE, folder, after)
    with embassay.open(folder) as home:
        assert (found_by(home), rows(home, SET)) == before
        assert compress(home, SET, judged(), max_loss=LOSS).proposal


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: "-".join(map(str, phase)))
def test_killed_while_it_is_applied(folder, undisturbed, phase, monkeypatch):
    with embassay.open(folder) as home:
        before = found_by(home)
    run_and_die(APPLY, folder, *phase)
    switched = phase[:2] == ("Moves", "switch") and phase[3] == "after"
    with embassay.open(folder) as home:
        if not switched:
            assert found_by(home) == before and home.set(SET).spec().dtype == "float32"
            assert apply(home, compress(home, SET, judged(), max_loss=LOSS)).state == "switched"
        assert (home.set(SET).spec(), rows(home, SET)) == undisturbed
        home.set(SET).rollback()
        assert found_by(home) == before
        monkeypatch.setattr(gc, "YOUNG_SECONDS", 0.0)
        home.gc(apply=True)
        assert len([*(folder / "vectors").glob("*.lance")]) == 2, "the live one and the one that is kept"


def test_what_was_measured_on_another_generation_is_not_applied(folder):
    with embassay.open(folder) as home:
        found = compress(home, SET, judged(), max_loss=LOSS)
        home.set(SET).migrate("hash/128")
        home.set(SET).switch()
        with pytest.raises(MigrationState, match="switched to another generation since it was measured") as raised:
            apply(home, found)
        assert "embassay log words" in raised.value.remedy.in_shell()
        assert home.set(SET).spec().model == "hash/128"


def test_of_two_at_once_one_does_it_and_the_other_says_why_not(folder, undisturbed, tmp_path):
    with embassay.open(folder) as one, embassay.open(folder) as other:
        found = [compress(home, SET, judged(), max_loss=LOSS) for home in (one, other)]
        said: list[object] = []

        def applied(home, of):
            try:
                said.append(apply(home, of).state)
            except EmbassayError as error:
                said.append(error)

        threads = [threading.Thread(target=applied, args=pair) for pair in zip((one, other), found, strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert "switched" in said, said
        assert all(outcome == "switched" or outcome.remedy for outcome in said)
        assert (one.set(SET).spec(), rows(one, SET)) == undisturbed


def test_it_is_written_while_it_is_measured(folder, monkeypatch):
    """What is measured is one version, though rows come and go between the two times that it is read."""
    with embassay.open(folder) as home:
        undisturbed = compress(home, SET, judged(), max_loss=LOSS)
    plain, passes = measuring._blocks, []

    def written(version):
        with embassay.open(folder) as other:
            passes.append(0)
            other.set(SET).upsert([{"id": f"late{len(passes)}", "text": "zebra crossing"}])
            other.set(SET).delete([f"d{100 + len(passes)}"])
        yield from plain(version)

    monkeypatch.setattr(measuring, "_blocks", written)
    with embassay.open(folder) as home:
        found = compress(home, SET, judged(), max_loss=LOSS)
        assert len(passes) == 2 and found.chunks == 300
        assert [row.metrics for row in found.rows] == [row.metrics for row in undisturbed.rows]
        assert apply(home, found).state == "switched"
        hits = home.search("zebra crossing", set=SET, mode="dense", k=2).hits
        assert {hit.chunk.document for hit in hits} == {"late1", "late2"}
        assert home.set(SET).status().documents == 300 and not home.set(SET).get(["d101", "d102"])


def test_it_is_written_while_it_is_applied(folder):
    """Whoever writes goes on all the while, and every write is there in the end."""
    stop, written = threading.Event(), []
    with embassay.open(folder) as home, embassay.open(folder) as other:
        found = compress(home, SET, judged(), max_loss=LOSS)

        def write():
            while not stop.is_set() and len(written) < 60:
                name = f"late{len(written)}"
                other.set(SET).upsert([{"id": name, "text": f"zebra {name}"}])
                other.set(SET).delete([f"d{len(written)}"])
                written.append(name)

        writing = threading.Thread(target=write)
        writing.start()
        try:
            assert apply(home, found).state == "switched"
        finally:
            stop.set()
            writing.join()
        assert written and home.set(SET).status().documents == 300
        assert [one.id for one in home.set(SET).get(written)] == written
        assert not home.set(SET).get([f"d{at}" for at in range(len(written))])
        assert len(rows(home, SET)) == 300


@pytest.fixture
def disk(tmp_path):
    """A disk of 60 MB."""
    with small_disk(tmp_path / "disk", "60m") as place:
        yield place


@pytest.mark.parametrize("left", [0, 200_000, 600_000])
def test_a_full_disk(disk, made, undisturbed, left):
    folder = shutil.copytree(made, disk / ".embassay")
    with embassay.open(folder) as home:
        before = found_by(home), rows(home, SET)
        fill(disk, left)
        found = compress(home, SET, judged(), max_loss=LOSS)
        assert found.proposal, "measuring writes nothing"
        try:
            apply(home, found)
        except (MigrationPaused, HomeNotWritable) as error:
            assert "disk" in str(error) and error.remedy
            assert (found_by(home), rows(home, SET)) == before
        else:
            assert left, "a disk without any room has none for a generation"
        (disk / "ballast").unlink()
        if home.set(SET).spec().dtype == "float32":
            assert apply(home, compress(home, SET, judged(), max_loss=LOSS)).state == "switched"
        assert (home.set(SET).spec(), rows(home, SET)) == undisturbed


def test_a_full_disk_keeps_no_coarse_vectors(disk, made):
    folder = shutil.copytree(made, disk / ".embassay")
    with embassay.open(folder) as home:
        fill(disk)
        with pytest.raises(HomeNotWritable, match="disk is full"):
            home.set(SET).fit_coarse(64)
        with pytest.raises(EmbassayError, match="not trained"):
            home.search(QUERY, set=SET, pipeline=two_stage(5, 64))
    (disk / "ballast").unlink()
    with embassay.open(folder) as home:
        home.set(SET).fit_coarse(64)
        assert home.search(QUERY, set=SET, pipeline=two_stage(5, 64)).hits


def test_a_full_disk_has_no_room_for_the_report(disk, made, tmp_path):
    from tests.cli.test_cli import run

    folder = shutil.copytree(made, tmp_path / ".embassay")
    data = judged()
    (tmp_path / "judged" / "qrels").mkdir(parents=True)
    corpus = "".join(json.dumps({"_id": one.id, "text": one.text}) + "\n" for one in data.documents)
    (tmp_path / "judged" / "corpus.jsonl").write_text(corpus)
    asked = "".join(json.dumps({"_id": name, "text": text}) + "\n" for name, text in data.queries.items())
    (tmp_path / "judged" / "queries.jsonl").write_text(asked)
    lines = "".join(f"{query}\t{name}\t1\n" for query, of in data.qrels.items() for name in of)
    (tmp_path / "judged" / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + lines)
    fill(disk)
    asked = ("compress", "--set", SET, "--judged", "judged", "--home", folder, "--report", disk / "report.html")
    code, _, said = run(*asked, cwd=tmp_path)
    assert code == 1 and "report.html" in said and not (disk / "report.html").exists()


def test_killed_while_coarse_vectors_are_fitted(folder):
    """A projection is kept whole or not at all."""
    run_and_die(
        """
        from pathlib import Path
        from embassay.sets import fitting
        plain = fitting._make
        def made(*given):
            plain(*given)
            die()
        fitting._make = made
        with embassay.open(Path(sys.argv[1])) as home:
            home.set("words").fit_coarse(64)
        """,
        folder,
    )
    with embassay.open(folder) as home:
        with pytest.raises(EmbassayError, match="not trained"):
            home.search(QUERY, set=SET, pipeline=two_stage(5, 64))
        home.set(SET).fit_coarse(64)
        assert home.search(QUERY, set=SET, pipeline=two_stage(5, 64)).hits
