"""`embassay.embed` of one query, again and again in one program, beside a loaded SentenceTransformer, in turns."""

from __future__ import annotations

from collections.abc import Callable

import embassay
from benchmarks.common import Peer, Row, arguments, at_most, median, report, timed

ROUNDS, CALLS = 9, 20
BAR_MS = 5.0


def main() -> None:
    chosen = arguments(__doc__)
    report("warm", one_query(Peer), chosen.json)


def one_query(peers: Callable[[], Peer], model: str | None = None, rounds: int = ROUNDS) -> list[Row]:
    """Median of `rounds` medians, in milliseconds; no query is asked twice."""
    first = timed(lambda: embassay.embed(["the first query"], "query", model=model)) * 1e3
    ours, theirs = [], []
    with peers() as peer:
        peer.ask(texts=["the first query"])
        for at in range(rounds):
            queries = [f"how do I rotate key number {at}-{call}" for call in range(CALLS)]
            ours.append(median([timed(lambda q=query: embassay.embed([q], "query", model=model)) for query in queries]))  # type: ignore[misc]
            theirs.append(median([float(peer.ask(texts=[query])["seconds"]) for query in queries]))
    embassay.close()
    return [
        Row("the first call of a program", first, None, None, "ms", "reported", None),
        at_most("a later call", median(ours) * 1e3, BAR_MS, "ms", median(theirs) * 1e3),
    ]


if __name__ == "__main__":
    main()
