"""Index runs: whatever the order, the failures and the moment of death, the rows are those of an obvious oracle."""

from __future__ import annotations

import tempfile
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embassay.embedders.providers.hash import HashEmbedder
from embassay.embedders.wrap.wrapper import Wrapper
from embassay.errors import Interrupted, ProviderDown, SpaceMismatch
from embassay.events import Events, Noted, WorkAdvanced, WorkStarted, WorkStoppable
from embassay.sets.build.origin import New, Origin
from embassay.sets.build.run import build
from embassay.sets.build.source import SourceOutcome
from embassay.sets.build.writer import Writer
from embassay.sets.door import Door, SetEmbedder
from embassay.types import Chunk
from tests.embedders.fakes import Gate, counting
from tests.sets.build.fakes import DIMENSIONS, Died, TinySet, expected_rows

PARAGRAPHS = [
    "Rotate the key before Friday. " * 2,
    "The proxy answers. " * 3,
    "forbidden words stand here",
    "short",
    "",
]
texts = st.lists(st.sampled_from(PARAGRAPHS), max_size=6).map("\n\n".join)
corpora = st.dictionaries(st.sampled_from([f"record {i}" for i in range(6)]), texts, max_size=6)


@pytest.fixture
def tiny(tmp_path):
    made = TinySet(tmp_path)
    yield made
    made.state.close()


@settings(max_examples=60)
@given(st.lists(corpora, min_size=1, max_size=4), st.integers(1, 7), st.booleans())
def test_any_sequence_of_corpora_ends_at_the_rows_of_the_last(versions, checkpoint, refusing):
    """Records that come, change, move their text, go and come back, with chunks that the provider refuses."""
    refuses = "forbidden" if refusing else ""
    with tempfile.TemporaryDirectory() as folder:
        tiny = TinySet(Path(folder))
        for records in versions:
            embedder = counting(DIMENSIONS)
            embedder.refuses = refuses
            report = tiny.run(records, embedder, rows=checkpoint)
            assert tiny.rows() == expected_rows(records, tiny.chunker, refuses)
            rows = {row.path: row for row in tiny.state.sources(tiny.generation)}
            assert set(rows) == set(records) and all(row.state == "ok" for row in rows.values())
            assert sum(row.chunks for row in rows.values()) == report.chunks == len(tiny.rows())
            assert {path for path, _ in report.quarantined} <= {n for n, text in records.items() if "forbidden" in text}
        assert tiny.run(records, rows=checkpoint).embedded == sum(
            "forbidden" in text for text in rows_refused(records, tiny, refuses)
        )
        tiny.state.close()


def rows_refused(records, tiny, refuses):
    """Texts that a provider which refuses nothing will take now."""
    if not refuses:
        return []
    before, after = expected_rows(records, tiny.chunker, refuses), expected_rows(records, tiny.chunker)
    return [after[key][0].indexed for key in after.keys() - before.keys()]


@settings(max_examples=100)
@given(corpora, corpora, st.lists(st.integers(0, 40), max_size=4), st.integers(1, 5))
def test_whatever_operation_a_run_dies_at_the_next_one_mends_it(before, after, deaths, checkpoint):
    with tempfile.TemporaryDirectory() as folder:
        tiny = TinySet(Path(folder))
        tiny.run(before)
        for left in deaths:
            tiny.life.left = left
            with suppress(Died):
                tiny.run(after, rows=checkpoint)
            tiny.life.left = None
            check_promises(tiny)
        tiny.run(after, rows=checkpoint)
        assert tiny.rows() == expected_rows(after, tiny.chunker)
        tiny.state.close()


def check_promises(tiny):
    """Between runs too: what counts as settled is stored whole, and every row belongs to a known origin."""
    rows = tiny.rows()
    known = {row.path: row for row in tiny.state.sources(tiny.generation)}
    stored: dict[str, int] = {}
    for chunk, _ in rows.values():
        stored[chunk.path] = stored.get(chunk.path, 0) + 1
    assert set(stored) <= set(known)
    for name, row in known.items():
        assert row.state == "pending" or row.chunks == stored.get(name, 0)


def test_a_failing_model_leaves_what_it_embedded_before(tiny):
    records = {f"record {i}": f"Rotate the key {i}." for i in range(250)}
    embedder = counting(DIMENSIONS)
    embedder.stream = failing_after(embedder.stream, 2)
    with pytest.raises(ProviderDown):
        tiny.run(records, embedder)
    assert len(tiny.rows()) == 200, "two blocks of a hundred"
    assert tiny.run(records).embedded == 50
    assert tiny.rows() == expected_rows(records, tiny.chunker)


def failing_after(stream, blocks):
    def failing(texts, role, on_long="truncate"):
        for at, block in enumerate(stream(texts, role, on_long)):
            if at == blocks:
                raise ProviderDown("it is down.")
            yield block

    return failing


def test_a_model_is_not_asked_when_nothing_is_new(tiny):
    tiny.run({"a": "Rotate the key.", "b": "text"})
    embedder = counting(DIMENSIONS)
    assert tiny.run({"a": "Rotate the key."}, embedder).removed == 1
    assert embedder.calls == 0 and len(tiny.rows()) == 1


def test_a_chunk_that_the_model_cuts_is_stored_as_truncated(tiny):
    embedder = counting(DIMENSIONS, limit=3)
    tiny.run({"a": "Rotate the key before Friday, all of you."}, embedder)
    ((chunk, _),) = tiny.rows().values()
    (row,) = tiny.state.sources(tiny.generation)
    assert chunk.truncated and row.truncated == 1


def test_whoever_listens_hears_how_far_it_is(tiny):
    heard, events = [], Events()
    for topic in (WorkStarted, WorkAdvanced, Noted):
        events.subscribe(topic, heard.append)
    source = Chunks([f"text {i}" for i in range(250)])
    build(source, Writer(tiny.state, tiny.generation, tiny.store), counting(DIMENSIONS), events)
    assert heard[0] == WorkStarted("Indexing 250 chunks", 250)
    advanced = [event for event in heard if isinstance(event, WorkAdvanced)]
    assert advanced[-1] == WorkAdvanced(250, 250)
    assert [event.texts for event in advanced[:3]] == [100, 200, 250]
    assert heard[-1] == Noted("indexing")


def test_an_error_stops_the_reading_at_once(tiny):
    """The source is not read on, though the model's thread would read ahead."""
    source = Chunks([f"text {i}" for i in range(100_000)])
    door = Door(tiny.generation, tiny.state, lambda: tiny.store)
    embedder = ReadingAhead(counting(DIMENSIONS))
    with pytest.raises(SpaceMismatch):
        build(source, Writer(tiny.state, tiny.generation, tiny.store), SetEmbedder(embedder, door))
    assert not embedder.reader.is_alive() and source.read < 20


def test_a_run_that_is_asked_to_stop_keeps_all_that_it_has_read(tiny):
    events, stops, told = Events(), [], []
    events.subscribe(WorkStoppable, lambda work: stops.append(work.stop))
    events.subscribe(WorkAdvanced, lambda at: told.append(stops[0]()) if at.texts == 300 else None)
    source = Chunks([f"text {i}" for i in range(100_000)])
    source.stop = lambda: told.append("source")
    with pytest.raises(Interrupted, match="what was embedded is kept"):
        build(source, Writer(tiny.state, tiny.generation, tiny.store), counting(DIMENSIONS), events)
    assert told == ["source", True]
    assert len(tiny.rows()) == 300, "the one that was read behind them ended the run"
    assert stops[0]() is False and told == ["source", True], "it is over"
    assert tiny.state.sources(tiny.generation)[0].state == "pending"


class ReadingAhead(Wrapper):
    """Reads texts in a thread of its own, which waits after ten of them until the stream is closed."""

    is_transparent = True

    def stream(self, texts, role, on_long="truncate"):
        gate = Gate()

        def read():
            for at, _ in enumerate(texts):
                if at == 10:
                    gate.pass_through()

        self.reader = threading.Thread(target=read)
        self.reader.start()
        assert gate.reached.wait(30)
        try:
            yield replace(self.inner.embed(["text 0"], role), space=HashEmbedder(128).space)
        finally:
            gate.open()
            self.reader.join(30)


class Chunks:
    """Chunks of one origin, each a unit of work."""

    def __init__(self, texts):
        self.what, self.total, self.read = f"{len(texts)} chunks", len(texts), 0
        self._texts = texts

    def __iter__(self):
        origin = Origin("origin")
        for at, text in enumerate(self._texts):
            self.read += 1
            yield New(origin, Chunk(str(at), "origin", "origin", "", text, 0, (1, 1), (0, len(text)), 1), 1)
        yield origin.end()

    def outcome(self):
        return SourceOutcome(1)
