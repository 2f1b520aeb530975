"""The map of a set, and what is asked over it."""

import re
from contextlib import contextmanager
from xml.etree import ElementTree

import numpy as np
import pytest

from embassay.config.values import Config, EmbeddingsConfig, QueryLogConfig
from embassay.errors import SetNotFound, UsageError
from embassay.home import Home
from embassay.monitor.map.asked import lay_over
from embassay.monitor.map.documents import DRAWN, DocumentMaps, map_documents
from embassay.monitor.map.drawing import draw_map
from embassay.monitor.monitor import Monitor
from embassay.monitor.sampled import sample_set
from embassay.session import Session
from embassay.sets.folder import made_home
from tests.servers import serving, words_openai

TOPICS = {"otters": "otters swim in rivers", "rockets": "rockets burn fuel upwards"}


def records(count):
    for topic, words in TOPICS.items():
        for at in range(count):
            yield {"id": f"{topic}/{at}", "text": f"{words} {topic}{at} {topic}{at}"}


@contextmanager
def opened_home(folder, queries="kept"):
    """A home whose model tells texts apart by their words, with the set `zoo`."""
    with serving(words_openai()) as server:
        model = {"provider": "openai", "model_id": "m", "base_url": f"{server.url}/v1", "max_tokens": 200}
        config = Config(
            embeddings=EmbeddingsConfig(models={"words": model}, default_model="words"),
            query_log=QueryLogConfig(queries=queries),
        )
        place = made_home(folder / ".embassay")
        with Session(config, cache_file=place.cache_file) as session, Home(place, session) as opened:
            opened.set("zoo").upsert(records(60))
            yield opened


@pytest.fixture
def home(tmp_path):
    with opened_home(tmp_path) as opened:
        yield opened


def test_a_sample_has_all_of_a_small_set_and_as_many_as_wanted_of_a_large_one(home):
    whole = sample_set(home.set("zoo"), 500)
    assert whole.chunks == 120 == len(whole.paths) == len(whole.vectors)
    some = sample_set(home.set("zoo"), 40)
    assert some.chunks == 120 and len(some.vectors) == 40 == len({*some.documents})
    rows = dict(zip(whole.documents, whole.vectors, strict=True))
    for document, vector in zip(some.documents, some.vectors, strict=True):
        np.testing.assert_array_equal(rows[document], vector)
    shares = [document.startswith("otters") for document in some.documents]
    assert 8 <= sum(shares) <= 32, "from all parts of it"


def test_what_says_alike_lies_near(home):
    drawn = map_documents(home.set("zoo"))
    assert {*drawn.folders} == {"otters", "rockets"} and len(drawn.places) == 120 <= DRAWN
    assert drawn.places.min() >= 0 and drawn.places.max() <= 1
    otters = np.array([folder == "otters" for folder in drawn.folders])
    between = np.linalg.norm(drawn.places[otters].mean(axis=0) - drawn.places[~otters].mean(axis=0))
    assert between > 2 * max(drawn.places[part].std(axis=0).min() for part in (otters, ~otters))
    again = map_documents(home.set("zoo"))
    np.testing.assert_allclose(again.places, drawn.places, atol=1e-6)
    vectors = home.set("zoo").embed([one["text"] for one in records(3)], "query").vectors
    assert [drawn.documents[at] for at in drawn.nearest(vectors)] == [one["id"] for one in records(3)]
    assert (drawn.place(vectors) >= 0).all() and (drawn.place(1e9 * vectors) <= 1).all()


def test_a_map_is_drawn_again_once_the_set_has_changed(home):
    maps = DocumentMaps(home)
    first = maps.of("zoo")
    assert maps.of("zoo") is first
    home.set("zoo").upsert([{"id": "late", "text": "a tortoise sleeps"}])
    assert maps.of("zoo").chunks == 121
    with pytest.raises(SetNotFound):
        maps.of("none")


def test_of_too_few_chunks_there_is_no_map(home):
    home.set("tiny").upsert([{"id": "a", "text": "one"}, {"id": "b", "text": "two"}])
    with pytest.raises(UsageError, match="takes 3 chunks"):
        map_documents(home.set("tiny"))


def test_what_is_asked_for_that_nobody_wrote_is_named(home):
    zoo = home.set("zoo")
    for question, times in (
        ("otters swim in rivers", 3),
        ("<script>tax</script> \u202ereturns", 2),
        ("tax returns", 1),
    ):
        for _ in range(times):
            zoo.search(question)
    zoo.search("rockets orbit", where='path ~ "none/*"')
    drawn = map_documents(zoo)
    found = lay_over(drawn, Monitor(home, "zoo"))
    assert found.searches == 7 and [one.times for one in found.questions] == [3, 2, 1, 1]
    unwritten = {one.text for group in found.unwritten for one in group.questions}
    assert "rockets orbit" in unwritten, "nothing was found"
    assert "otters swim in rivers" not in unwritten
    asked = found.questions[0]
    assert asked.nearest.startswith("otters/") and asked.folder == "otters" and found.by_folder["otters"] >= 3
    chart = draw_map(drawn, found, "Map & more")
    drawing = ElementTree.fromstring(chart)
    assert drawing.get("aria-label") == "Map & more"
    assert len([*drawing.iter("use")]) == 120 and "<script" not in chart
    hidden = draw_map(drawn, found, "Map", named=False)
    assert "otters swim" in chart and "otters swim" not in hidden
    used = {one.get("href") for one in drawing.iter("use")}
    assert used <= {f"#{one}" for one in re.findall(r'<g id="([^"]+)"', chart)}, "each mark that is used is there"


def test_a_log_that_keeps_hashes_has_no_places(tmp_path):
    with opened_home(tmp_path, "hashed") as opened:
        opened.set("zoo").search("tax returns")
        drawn = map_documents(opened.set("zoo"))
        found = lay_over(drawn, Monitor(opened, "zoo"))
        assert [one.place for one in found.questions] == [None] and found.questions[0].text.startswith("#")
        assert "<circle" not in draw_map(drawn, found, "Map")
