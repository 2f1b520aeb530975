"""Judging by hand, from a folder and the names of candidates."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from embassay import remedy
from embassay.errors import HomeNotWritable, UsageError
from embassay.evaluate.compare.opening import Options, check_judged, open_systems
from embassay.evaluate.data import layout
from embassay.evaluate.data.judged import JudgedSet
from embassay.evaluate.judge.draft import digest_of
from embassay.evaluate.judge.label.candidates import CandidateSearch
from embassay.evaluate.judge.label.kept import KeptLabels
from embassay.evaluate.judge.label.labelling import DEFAULT_LABEL_OPTIONS, Labelling, LabelOptions
from embassay.evaluate.judge.label.questions import MOST, logged_questions
from embassay.evaluate.judge.writing import check_judgeable, read_existing
from embassay.session import Session

LOCK = ".labelling.lock"


@contextmanager
def label(
    judged: str | os.PathLike[str],
    candidates: Sequence[str],
    questions: Sequence[str] = (),
    *,
    from_log: str | None = None,
    limit: int = MOST,
    home: str | os.PathLike[str] | None = None,
    session: Session | None = None,
    mode: str = "dense",
    options: LabelOptions = DEFAULT_LABEL_OPTIONS,
    advance: Callable[[int], None] = lambda _: None,
    started: Callable[[int], None] = lambda _: None,
) -> Iterator[Labelling]:
    """Judge by hand what `candidates` find for questions in the passages of `judged`, for the time of the block.

    Candidates are those of `compare`, the one in use first. `from_log`: questions that were asked of this set, of the
    query log of `home`, at most `limit` of them. Everything is searched before the first result is shown, so that
    nobody waits between two keys. `started` is told how many texts there are, `advance` of each that is done.
    Judgments that were made before are kept. Raises JudgedSetError, UsageError, ConfigError, HomeNotWritable, and what
    a candidate raises where fewer than two are left.

    >>> with embassay.label("judged", ["minilm", "minilm@hybrid"], ["rotate a key"]) as judging:   # doctest: +SKIP
    ...     while judging.current:
    ...         judging.press(input(judging.current.document.text))
    """
    folder = Path(judged)
    check_judgeable(folder, options.split)
    if len(set(candidates)) < 2 or len(set(candidates)) < len(candidates):
        raise UsageError(
            "name two different candidates or more.",
            remedy=remedy.command("judge label", str(folder), "MODEL_A", "MODEL_B"),
        )
    asked = [*questions, *(_logged(from_log, limit, home, session) if from_log is not None else ())]
    with _held(folder), open_systems(candidates, home, Options(mode, keep=True), session) as systems:
        documents = layout.read_corpus(folder / layout.CORPUS)
        corpus = JudgedSet(folder.name, documents, {}, {})
        check_judged(corpus, systems)
        started(sum(system.texts(corpus) for system in systems) + len(systems) * len(asked))
        made = Labelling(
            folder,
            corpus.by_id,
            _digests(folder),
            KeptLabels(folder),
            CandidateSearch(systems, documents, options.depth),
            options,
        )
        made.add(asked, advance)
        yield made


def _logged(name: str, limit: int, home: str | os.PathLike[str] | None, session: Session | None) -> list[str]:
    """Raises UsageError where the log has none."""
    from embassay.home import open_home

    with open_home(home, session=session) as opened:
        found = logged_questions(opened.query_log.entries(name), limit)
    if not found:
        raise UsageError(
            f"the query log has no question of set {name!r} whose text was kept.",
            remedy=remedy.setting("query_log", "kept", say="Turn it on: {}"),
        )
    return found


def _digests(folder: Path) -> Mapping[str, str]:
    """Passage id to what tells whether it still reads as it did: its own digest, from before anything was taken out of
    it, or else one of its text."""
    rows = read_existing(folder).rows
    return {name: str(digest_of(row) or _digest(row)) for name, row in rows.items()}


def _digest(row: Mapping[str, object]) -> str:
    text = f"{row.get('title')}\0{row.get('text')}"
    return blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """The folder, for one who judges at a time. Raises UsageError where somebody else does, HomeNotWritable."""
    from filelock import FileLock, Timeout

    try:
        lock = FileLock(folder / LOCK)
        lock.acquire(timeout=0)
    except Timeout:
        raise UsageError(
            f"somebody judges {folder} just now.", remedy="Wait until they stop; a copy of the folder is another set."
        ) from None
    except OSError as error:
        raise HomeNotWritable(f"{folder} cannot be written: {error.strerror or error}.") from error
    try:
        yield
    finally:
        lock.release()
