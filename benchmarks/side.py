"""One side of `benchmarks.beside`: runs under whatever name the package has, and does what it is asked, line by line.

    python side.py PACKAGE      {"task": "latency", ...} in, one JSON value out

It uses public names only, and `find` for the one function that has moved, so that it runs on both sides unchanged.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any


class Side:
    """The tasks. Texts and queries are lists of strings; times are in milliseconds."""

    def __init__(self, package: str) -> None:
        self._package = package
        self._house = importlib.import_module(package)
        self._models = cache(self._house.Registry)
        self._home = cache(lambda place: self._house.open(Path(place)))

    def one_by_one(self, model: str, texts: list[str], role: str) -> list[float]:
        """Times of a call with each text alone."""
        embedder = self._models().get(model)
        return [milliseconds(lambda text=text: embedder.embed([text], role)) for text in texts]  # type: ignore[misc]

    def calls(self, model: str, texts: list[str], role: str, count: int) -> list[float]:
        """Times of each of `count` equal calls with all the texts."""
        embedder = self._models().get(model)
        return [milliseconds(lambda: embedder.embed(texts, role)) for _ in range(count)]

    def latency(self, home: str, queries: list[str], mode: str) -> list[float]:
        """Times of each search, the embedding of its query included."""
        opened = self._home(home)
        return [milliseconds(lambda query=query: opened.search(query, mode=mode)) for query in queries]  # type: ignore[misc]

    def hits(self, home: str, queries: list[str], mode: str, fusion: str | None, k: int) -> list[list[list[object]]]:
        """For each query its hits, best first: key, path, lines and score."""
        make = find(self._package, "search.modes:pipeline", "search.stages:pipeline")
        pipeline = make(mode, k, fusion=fusion)
        found = [self._home(home).search(query, pipeline=pipeline).hits for query in queries]
        return [[[h.chunk.key, h.chunk.path, list(h.chunk.lines), h.score] for h in hits] for hits in found]


def find(package: str, *places: str) -> Callable[..., Any]:
    """The first of these ``module:name`` that there is."""
    for place in places:
        module, name = place.split(":")
        try:
            found: Callable[..., Any] = getattr(importlib.import_module(f"{package}.{module}"), name)
            return found
        except (ImportError, AttributeError):
            continue
    raise LookupError(f"{package} has none of {', '.join(places)}: add where it is now to {Path(__file__).name}")


def milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1e3


def main() -> None:
    side = Side(sys.argv[1])
    for line in sys.stdin:
        request = json.loads(line)
        answer = getattr(side, request.pop("task"))(**request)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
