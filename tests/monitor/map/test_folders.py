"""The few folders that tell documents apart."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from embassay.monitor.map.folders import MOST, REST, TOP, folders_of


def test_what_is_directly_below_the_folder_that_all_have_in_common():
    assert folders_of(["docs/a/1", "docs/b/2", "docs/b/c/3", "docs/4"]) == ["a", "b", "b/c", TOP]
    assert folders_of(["a", "b"]) == [TOP, TOP] == folders_of(["x/a", "x/b"])
    assert folders_of([]) == []


def test_a_folder_that_has_most_is_told_apart_by_what_is_in_it():
    paths = [f"site/guide/{part}/{n}.md" for part in ("start", "use", "admin") for n in range(30)]
    paths += [f"site/blog/{n}.md" for n in range(10)]
    assert Counter(folders_of(paths)) == {"guide/start": 30, "guide/use": 30, "guide/admin": 30, "blog": 10}


def test_small_ones_are_together():
    paths = [f"big/{n}" for n in range(500)] + [f"small{n}/x" for n in range(20)]
    assert Counter(folders_of(paths)) == {"big": 500, REST: 20}


NAMES = st.lists(st.sampled_from(["a", "b", "c", "é", "..", ""]), min_size=1, max_size=5).map("/".join)


@given(st.lists(NAMES, max_size=60))
def test_every_path_has_one_of_a_few(paths):
    found = folders_of(paths)
    assert len(found) == len(paths)
    assert len({*found} - {REST}) <= MOST
    assert found == folders_of(paths)
