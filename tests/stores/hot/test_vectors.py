"""Vectors of a part: what is found is what a scan of the exact rows finds, wherever those lie."""

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embassay.errors import StoreError
from embassay.stores.dtypes import DTYPES, packed, rounded
from embassay.stores.hot import coding, places
from embassay.stores.hot.errors import HotIndexDamaged
from embassay.stores.hot.kernel import products
from embassay.stores.hot.vectors import VectorPart, largest, promising
from embassay.stores.values import VectorSpec

DIMENSIONS = 48


def rows_of(count: int, seed: int = 0, dimensions: int = DIMENSIONS, *, unit: bool = True) -> np.ndarray:
    """Rows off the centre, of variances that fall, as those of models do."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((count, dimensions)) / np.arange(1, dimensions + 1) ** 0.7 + 0.3
    if unit:
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32)


def part_of(
    folder: Path, rows: np.ndarray, dtype: str = "float32", similarity: str = "cosine", files: tuple[Path, ...] = ()
) -> VectorPart:
    spec = VectorSpec(rows.shape[1], dtype, similarity=similarity)  # type: ignore[arg-type]
    kept = rounded(rows, dtype)
    VectorPart.write(folder, "p", (kept[at : at + 700] for at in range(0, len(kept), 700)), spec, files=files)
    return VectorPart(folder, "p", spec)


def expected(part: VectorPart, rows: np.ndarray, query: np.ndarray, k: int, mask: np.ndarray | None) -> np.ndarray:
    """The rows by their exact products, equal ones by their number."""
    every = np.arange(len(rows)) if mask is None else np.flatnonzero(mask)
    scores = part.scores(query, every)
    bound = 1e-5 * float(np.abs(rows).max() * np.abs(query).sum())
    np.testing.assert_allclose(scores, rows[every] @ query, rtol=0, atol=bound)
    return every[np.lexsort((every, -scores))][:k]


@pytest.fixture(params=["exact rows", "one step", "two steps", "two steps, rows are read"])
def scanned(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Parts of a few rows are made and searched as larger ones are."""
    if request.param != "exact rows":
        monkeypatch.setattr(coding, "SMALL", 8)
        monkeypatch.setattr("embassay.stores.hot.vectors.FEW", 16)
        monkeypatch.setattr("embassay.stores.hot.kernel.SHARED", 1 << 12)
        monkeypatch.setattr("embassay.stores.hot.kernel.CHUNK", 300)
    if request.param.startswith("two steps"):
        monkeypatch.setattr(coding, "ONE_STEP", 1000)
        monkeypatch.setattr("embassay.stores.hot.vectors.PASSED_ON", 1.0)
        monkeypatch.setattr("embassay.stores.hot.vectors.WHOLE", 1e9)
    if request.param.endswith("are read"):
        monkeypatch.setattr(places, "HELD", 0)
    return str(request.param)


@pytest.mark.parametrize("dtype", DTYPES)
def test_finds_what_a_scan_finds(tmp_path: Path, dtype: str, scanned: str) -> None:
    rows = rounded(rows_of(3000), dtype)
    part = part_of(tmp_path, rows, dtype)
    assert part.rows == 3000
    np.testing.assert_array_equal(part.read(np.arange(3000)), rows)
    rng = np.random.default_rng(1)
    for query in rows_of(20, seed=2):
        for k in (1, 10, 100, 5000):
            for mask in (None, rng.random(3000) < 0.5, rng.random(3000) < 0.02, np.zeros(3000, bool)):
                found, scores = part.search(query, k, mask)
                assert found.dtype == np.int64 and scores.dtype == np.float32
                np.testing.assert_array_equal(found, expected(part, rows, query, k, mask))
                np.testing.assert_array_equal(scores, part.scores(query, found))


def test_lengths_count_where_rows_are_compared_by_dot_product(tmp_path: Path, scanned: str) -> None:
    rng = np.random.default_rng(3)
    rows = rows_of(2000, unit=False) * rng.lognormal(0, 3, (2000, 1)).astype(np.float32)
    part = part_of(tmp_path, rows, similarity="dot")
    for query in rows_of(20, seed=4, unit=False) * 1000:
        np.testing.assert_array_equal(part.search(query, 10)[0], expected(part, rows, query, 10, None))
        np.testing.assert_array_equal(part.search(-query, 10)[0], expected(part, rows, -query, 10, None))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_the_rows_are(tmp_path_factory: pytest.TempPathFactory, scanned: str, data: st.DataObject) -> None:
    dimensions = data.draw(st.sampled_from([1, 3, 8, 40]))
    numbers = st.lists(st.floats(-10, 10, width=32), min_size=dimensions, max_size=dimensions)
    pool = data.draw(st.lists(numbers, min_size=1, max_size=6))
    rows = np.array(data.draw(st.lists(st.sampled_from(pool), min_size=1, max_size=60)), np.float32)
    query = np.array(data.draw(st.sampled_from(pool)), np.float32)
    k = data.draw(st.integers(1, 70))
    passing = data.draw(st.none() | st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    mask = None if passing is None else np.array(passing, bool)
    part = part_of(tmp_path_factory.mktemp("part"), rows, similarity="dot")
    found, scores = part.search(query, k, mask)
    np.testing.assert_array_equal(found, expected(part, rows, query, k, mask))
    np.testing.assert_array_equal(scores, part.scores(query, found))


def test_equal_rows_come_in_their_order(tmp_path: Path, scanned: str) -> None:
    rows = np.repeat(rows_of(3), 1000, axis=0)
    part = part_of(tmp_path, rows)
    best = int(np.argmax(rows[::1000] @ rows[1500]))
    found, scores = part.search(rows[1500], 700)
    np.testing.assert_array_equal(found, np.arange(best * 1000, best * 1000 + 700))
    assert len(np.unique(scores)) == 1


def test_queries_without_a_direction(tmp_path: Path, scanned: str) -> None:
    part = part_of(tmp_path, rows_of(500))
    for bad in (np.nan, np.inf):
        query = rows_of(1)[0]
        query[3] = bad
        assert [len(found) for found in part.search(query, 10)] == [0, 0]
    found, scores = part.search(np.zeros(DIMENSIONS, np.float32), 10, np.arange(500) % 2 == 1)
    np.testing.assert_array_equal(found, np.arange(1, 21, 2))
    assert not scores.any()


def test_rows_of_zeros_are_found_as_such(tmp_path: Path, scanned: str) -> None:
    rows = rows_of(300)
    rows[::3] = 0
    part = part_of(tmp_path, rows)
    query = -rows[1]
    np.testing.assert_array_equal(part.search(query, 50)[0], expected(part, rows, query, 50, None))
    nothing = part_of(tmp_path / "nothing", np.zeros((200, DIMENSIONS), np.float32))
    np.testing.assert_array_equal(nothing.search(query, 5)[0], np.arange(5))


def test_one_row(tmp_path: Path) -> None:
    part = part_of(tmp_path, rows_of(1))
    assert part.search(rows_of(1)[0], 10)[0].tolist() == [0]
    assert part.search(rows_of(1)[0], 0)[0].tolist() == []


def test_rows_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    rows = rows_of(10)
    rows[4, 4] = np.nan
    with pytest.raises(StoreError, match="not finite"):
        VectorPart.write(tmp_path, "p", [rows], VectorSpec(DIMENSIONS))


def test_the_same_rows_make_the_same_bytes(tmp_path: Path, scanned: str) -> None:
    rows, spec = rows_of(20_000), VectorSpec(DIMENSIONS)
    for name, size in (("a", 20_000), ("b", 333)):
        blocks = (rows[at : at + size] for at in range(0, len(rows), size))
        VectorPart.write(tmp_path / name, "p", blocks, spec)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_merged_parts_hold_the_rows_that_are_named(tmp_path: Path, scanned: str) -> None:
    first, second, spec = rows_of(900), rows_of(800, seed=5), VectorSpec(DIMENSIONS)
    parts = [part_of(tmp_path / "a", first), part_of(tmp_path / "b", second)]
    order = np.array([(at % 2, at // 2) for at in range(1500)])
    VectorPart.merge(tmp_path / "c", "p", parts, order, spec)
    merged = VectorPart(tmp_path / "c", "p", spec)
    rows = np.where((order[:, 0] == 0)[:, None], first[order[:, 1]], second[order[:, 1]])
    np.testing.assert_array_equal(merged.read(np.arange(1500)), rows)
    np.testing.assert_array_equal(merged.search(first[7], 9)[0], expected(merged, rows, first[7], 9, None))


@pytest.mark.parametrize("held", [places.HELD, 0], ids=["mapped", "read"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_are_read_from_files_that_hold_them(
    tmp_path: Path, dtype: str, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "HELD", held)
    rows = rounded(rows_of(2000), dtype)
    kept = packed(rows, dtype)
    files = (tmp_path / "one", tmp_path / "two")
    files[0].write_bytes(os.urandom(8 * 1001) + kept[:700].tobytes() + os.urandom(64) + kept[700:900].tobytes())
    files[1].write_bytes(os.urandom(8 * 77) + kept[905:1000].tobytes() + kept[1003:].tobytes() + b"tail")
    part = part_of(tmp_path / "part", rows, dtype, files=files)
    assert (tmp_path / "part" / "p.exact").stat().st_size == 8 * kept[0].nbytes
    np.testing.assert_array_equal(part.read(np.arange(2000)), rows)
    some = np.array([1999, 3, 902, 903, 1001, 700, 5])
    np.testing.assert_array_equal(part.read(some), rows[some])


@pytest.mark.parametrize("held", [places.HELD, 0], ids=["mapped", "read"])
def test_rows_that_there_are_not(tmp_path: Path, held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "HELD", held)
    part = part_of(tmp_path, rows_of(10))
    for row in (-1, 10, 1 << 40):
        with pytest.raises(IndexError, match="of 10 rows"):
            part.read(np.array([3, row]))
    assert part.read(np.empty(0, np.int64)).shape == (0, DIMENSIONS)


def test_rows_that_are_held_outlive_the_part(tmp_path: Path) -> None:
    rows = rows_of(100)
    part = part_of(tmp_path, rows)
    together, apart = part.read(np.arange(50)), part.read(np.array([7, 3]))
    part.close()
    del part
    np.testing.assert_array_equal(together, rows[:50])
    np.testing.assert_array_equal(apart, rows[[7, 3]])


def test_a_part_moves_with_the_files_that_hold_its_rows(tmp_path: Path) -> None:
    rows = rows_of(50)
    (tmp_path / "home").mkdir()
    file = tmp_path / "home" / "data"
    file.write_bytes(rows.tobytes())
    part_of(tmp_path / "home" / "hot", rows, files=(file,)).close()
    (tmp_path / "home").rename(tmp_path / "moved")
    moved = VectorPart(tmp_path / "moved" / "hot", "p", VectorSpec(DIMENSIONS))
    np.testing.assert_array_equal(moved.read(np.arange(50)), rows)


def test_rows_can_be_read_from_other_files_later(tmp_path: Path, scanned: str) -> None:
    rows, spec = rows_of(900), VectorSpec(DIMENSIONS)
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(rows[:600].tobytes())
    new.write_bytes(b"\0" * 16 + rows.tobytes())
    part = part_of(tmp_path / "part", rows, files=(old,))
    assert not part.repoint((old,))
    assert part.repoint((new,))
    old.unlink()
    again = VectorPart(tmp_path / "part", "p", spec)
    np.testing.assert_array_equal(again.read(np.arange(900)), rows)
    np.testing.assert_array_equal(again.search(rows[3], 10)[0], expected(again, rows, rows[3], 10, None))
    assert not (tmp_path / "part" / "p.exact").exists()


def test_files_that_hold_none_of_the_rows_are_given_up(tmp_path: Path) -> None:
    noise = tmp_path / "noise"
    noise.write_bytes(os.urandom(1 << 20))
    rows = rows_of(5000)
    part = part_of(tmp_path / "part", rows, files=(noise, noise))
    np.testing.assert_array_equal(part.read(np.arange(5000)), rows)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-40])


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def foreign(file: Path) -> None:
    file.write_bytes(os.urandom(5000))


def overwritten(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(bytes(data[:64]) + os.urandom(256) + data[320:])


@pytest.mark.parametrize("harm", [Path.unlink, cut, emptied, foreign, overwritten])
@pytest.mark.parametrize("name", ["p.vectors", "p.places", "p.exact", "../data"])
def test_damage_is_noticed(
    tmp_path: Path, name: str, harm: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coding, "SMALL", 8)
    monkeypatch.setattr("embassay.stores.hot.vectors.FEW", 16)
    rows, spec = rows_of(3000), VectorSpec(DIMENSIONS)
    data = tmp_path / "data"
    data.write_bytes(rows[:2000].tobytes())
    part_of(tmp_path / "part", rows, files=(data,)).close()
    harm(tmp_path / "part" / name)
    with pytest.raises(HotIndexDamaged):
        part = VectorPart(tmp_path / "part", "p", spec)
        for row in (0, 1, 2, 2000, 2001, 2002):
            part.search(rows[row], 1)


def test_a_file_that_is_cut_while_it_is_read_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "HELD", 0)
    part = part_of(tmp_path, rows_of(100))
    os.truncate(tmp_path / "p.exact", 4 * DIMENSIONS * 50 + 8)
    assert part.read(np.arange(50)).shape == (50, DIMENSIONS)
    for rows in (np.array([3, 50]), np.arange(60)):
        with pytest.raises(HotIndexDamaged, match="ends within a row"):
            part.read(rows)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs Linux to see open files")
def test_a_part_that_is_closed_holds_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def is_open() -> bool:
        links = [os.path.realpath(file) for file in Path("/proc/self/fd").iterdir()]
        return str(tmp_path / "p.exact") in links

    monkeypatch.setattr(places, "HELD", 0)
    part = part_of(tmp_path, rows_of(100))
    assert is_open()
    part.close()
    assert not is_open()


def test_a_part_of_other_vectors_is_not_opened(tmp_path: Path) -> None:
    part_of(tmp_path, rows_of(100)).close()
    for spec in (VectorSpec(DIMENSIONS * 2), VectorSpec(DIMENSIONS, "float16")):
        with pytest.raises(HotIndexDamaged, match="were expected"):
            VectorPart(tmp_path, "p", spec)


def test_threads_and_processes_share_a_part(tmp_path: Path, scanned: str) -> None:
    rows = rows_of(3000)
    part = part_of(tmp_path, rows)
    queries = rows_of(40, seed=6)
    wanted = [part.search(query, 10)[0].tolist() for query in queries]
    got: dict[int, list[list[int]]] = {}

    def ask(number: int) -> None:
        got[number] = [part.search(query, 10)[0].tolist() for query in queries]

    threads = [threading.Thread(target=ask, args=(at,)) for at in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(got.values()) == [wanted] * 6
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            assert pool.starmap(_found, [(tmp_path, query) for query in queries[:4]]) == wanted[:4]


def _found(folder: Path, query: np.ndarray) -> list[int]:
    found: list[int] = VectorPart(folder, "p", VectorSpec(DIMENSIONS)).search(query, 10)[0].tolist()
    return found


def test_products_can_be_asked_for_without_end() -> None:
    rows = np.ones((3, 64), np.int8)
    before = sys.getrefcount(None)
    for _ in range(500):
        products(rows, rows[0])
    assert sys.getrefcount(None) > before - 100


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int8])
@pytest.mark.parametrize("way", ["backwards", "every second", "one for all", "out of line", "read-only", "no numbers"])
def test_products_of_arrays_of_every_layout(dtype: type, way: str) -> None:
    """Arrays that run backwards were read beyond their end, which ended the process now and then."""
    rng = np.random.default_rng(1)
    for rows, dimensions in ((1, 1), (3, 33), (700, 4097)):
        plain = rng.integers(-9, 9, (rows + 1, dimensions)).astype(dtype)
        asked, vector = {
            "backwards": lambda of: (of[:0:-1, ::-1], of[0, ::-1]),
            "every second": lambda of: (np.repeat(of, 2, axis=1)[1:, ::2], np.repeat(of[0], 2)[::2]),
            "one for all": lambda of: (
                np.broadcast_to(of[0, :1], of[1:].shape),
                np.broadcast_to(of[0, :1], of[0].shape),
            ),
            "out of line": lambda of: (_out_of_line(of)[1:], _out_of_line(of)[0]),
            "read-only": lambda of: (np.frombuffer(of.tobytes(), dtype).reshape(of.shape)[1:], of[0]),
            "no numbers": lambda of: (of[1:, :0], of[0, :0]),
        }[way](plain)
        expected = asked.astype(np.float64) @ vector.astype(np.float64)
        np.testing.assert_allclose(products(asked, vector), expected, rtol=1e-3)


def _out_of_line(array: np.ndarray) -> np.ndarray:
    """The same numbers at addresses that are no multiples of their size."""
    data = np.empty(array.nbytes + 1, np.uint8)[1:]
    made = data.view(array.dtype).reshape(array.shape)
    made[:] = array
    return made


def test_of_many_rows_the_promising_ones_are_passed_on() -> None:
    scores = np.random.default_rng(0).standard_normal(100_000).astype(np.float32)
    found = promising(scores, 10, 2000)
    assert 1500 < len(found) < 2500
    assert set(largest(scores, 100)) <= set(found)
    scores[1000:] = -np.inf  # only a few pass, and none of them may be in the sample
    assert set(largest(scores, 10)) <= set(promising(scores, 10, 50))
    assert np.isfinite(scores[promising(scores, 10, 50)]).all()
    assert set(promising(scores, 1000, 1000)) == set(range(1000))


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=900), st.integers(1, 30))
def test_the_largest(numbers: list[int], k: int) -> None:
    scores = np.array(numbers, np.float32)
    found = largest(scores, k)
    assert len(set(found.tolist())) == min(k, len(numbers))
    assert sorted(scores[found]) == sorted(numbers)[-k:]
