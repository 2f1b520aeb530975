"""What a set holds, for tests to compare, and index runs in processes of their own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

import embassay
from embassay.sets.folder import HomeFolder
from embassay.sets.state import Generation, State
from embassay.stores.base import Store
from embassay.stores.values import VECTOR


@contextmanager
def opened(home: embassay.Home, name: str = "default") -> Iterator[tuple[State, Generation, Store]]:
    """The state of a home, the live generation of a set and its store, past the home's own face."""
    folder = HomeFolder(home.folder)
    with closing(folder.state()) as state:
        generation = state.live(name)
        with closing(folder.store(generation)) as store:
            yield state, generation, store


def rows(home: embassay.Home, name: str = "default") -> dict[str, tuple[object, ...]]:
    """Every row by key; fails on a doubled key."""
    found: dict[str, tuple[object, ...]] = {}
    with opened(home, name) as (_, _, store), store.snapshot() as version:
        for chunks, by_label in version.scan():
            for chunk, vector in zip(chunks, by_label[VECTOR], strict=True):
                assert chunk.key not in found, "a row is doubled"
                found[chunk.key] = (chunk, np.round(vector, 4).tolist())
    return found


def rows_of_fresh(docs: Path, model: str) -> dict[str, tuple[object, ...]]:
    """What an undisturbed run over the same files gives."""
    fresh = docs.parent / ".fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    with embassay.open(fresh) as home:
        home.index([docs], model=model)
        return rows(home)


def start(docs: Path, home: Path, model: str) -> subprocess.Popen[bytes]:
    """`embassay index` in a process of its own."""
    command = [sys.executable, "-m", "embassay.cli.main", "index", str(docs), "--home", str(home), "--model", model]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def many(docs: Path, count: int, version: int = 0) -> None:
    for i in range(count):
        text = "".join(
            f"## Part {p}\n\nRotate the key {i} {p} {version if i % 3 == 0 else 0}.\n\n" * 3 for p in range(6)
        )
        (docs / f"many{i}.md").write_text(f"# File {i}\n\n{text}")
