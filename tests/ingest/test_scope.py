"""A bounded walk finds what an unbounded one finds of the same paths; and what a walk comes to is foreseen."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from embassay.ingest.flow import find
from embassay.ingest.reachable import Reachable
from embassay.ingest.scope import Scope

NAMES = ("a", "b", "build", ".hidden", "c.md", "d.txt", ".e.md", "x.log")
RULES = ("build/", "*.log", "/c.md", "!c.md", "a/b", "**/d.txt", "!build/")


def tree(folder: Path, chance: random.Random, depth: int = 0) -> None:
    folder.mkdir()
    for name in chance.sample(NAMES, 5):
        path = folder / name
        if "." in name[1:]:
            path.write_text(f"# {name}\n")
        elif depth < 3:
            tree(path, chance, depth + 1)
    if chance.random() < 0.4:
        (folder / ".gitignore").write_text("\n".join(chance.sample(RULES, 3)))


@pytest.mark.parametrize("seed", range(12))
def test_a_bounded_walk_finds_its_part_of_the_whole(tmp_path, seed):
    chance = random.Random(seed)
    root = tmp_path / "root"
    tree(root, chance)
    (root / ".git").mkdir()
    paths = [path for path in root.rglob("*") if path.name != ".gitignore"]
    given = [root, *(chance.sample(paths, 2) if chance.random() < 0.5 else [])]
    whole = [found.file for found in find(given)]
    reach = Reachable(given)
    assert {path for path in paths if path.is_file() and path in reach} == set(whole)
    for _ in range(10):
        only = Scope([*chance.sample(paths, 3), root / "gone" / "file.md"])
        assert [found.file for found in find(given, only=only)] == [file for file in whole if only.holds(file)]


def test_all_below_a_path_is_held(tmp_path):
    only = Scope([tmp_path / "a", tmp_path / "b" / "c.md"])
    assert only.holds(tmp_path / "a") and only.holds(tmp_path / "a/b/c/d.md")
    assert not only.holds(tmp_path) and not only.holds(tmp_path / "b/d.md") and not only.holds(tmp_path / "ab")
    assert only.entries(tmp_path) == {"a", "b"} and only.entries(tmp_path / "b") == {"c.md"}
    assert only.entries(tmp_path / "a/b") is None and only.entries(tmp_path / "z") == frozenset()


def test_a_scope_of_the_root_is_everything(tmp_path):
    (tmp_path / "a.md").write_text("# A\n")
    assert [found.file for found in find([tmp_path], only=Scope([tmp_path]))] == [tmp_path / "a.md"]
    assert Scope([Path("/")]).holds(tmp_path)


def test_no_walk_comes_to_what_lies_beside_its_paths(tmp_path):
    (tmp_path / "a").mkdir()
    reach = Reachable([tmp_path / "a", tmp_path / ".b.md"])
    assert tmp_path / "a/gone.md" in reach and tmp_path / ".b.md" in reach
    assert tmp_path / "c.md" not in reach and tmp_path not in reach and tmp_path / "a/.b/c.md" not in reach
