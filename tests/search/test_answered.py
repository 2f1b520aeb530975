from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embassay.embedders.providers.hash import HashEmbedder
from embassay.errors import HomeNotWritable, ProviderDown
from embassay.events import SILENCE
from embassay.search.answered import FEWEST, FOREIGN, Calibration, Gauge, calibrate, names_what_was_asked
from embassay.search.index import Index
from embassay.search.joint import JointIndex
from embassay.search.modes import pipeline
from embassay.stores.opening import open_collection
from embassay.stores.values import Collection
from embassay.types import Hit
from tests.search.fakes import chunk

WIDE = 4096
"""Dimensions, so many that words of different texts hardly ever meet."""


class Words(HashEmbedder):
    """The mean of its words: texts are alike as far as they share some."""

    def embed(self, texts, role, on_long="truncate"):
        rows = np.stack([super(Words, self).embed(text.split(), role).vectors.sum(0) for text in texts])
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return replace(super().embed(texts, role, on_long), vectors=rows)


MODEL = Words(WIDE)
TOPICS = [
    f"rotating the {thing} key of the {place} {service} needs a restart"
    for thing in ("access", "signing", "storage", "session")
    for place in ("northern", "southern", "eastern", "western")
    for service in ("gateway", "scheduler", "registry", "mailer")
]


class Memory:
    def __init__(self, known=None, *, broken=False):
        self.known, self.broken = known, broken

    def recall(self):
        return self.known

    def keep(self, calibration):
        if self.broken:
            raise HomeNotWritable("the disk is full.")
        self.known = calibration


def store(texts=TOPICS, factor=1.0):
    similarity = "cosine" if factor == 1 else "dot"
    made = open_collection("memory", Path(), Collection.single("t", WIDE, similarity=similarity), create=True)
    rows = [replace(chunk(text), indexed=text) for text in texts]
    made.upsert(rows, {"vector": MODEL.embed(texts, "document").vectors * np.float32(factor)})
    return made


def index(texts=TOPICS, memory=None, embedder=MODEL, name="mine"):
    return Index(name, MODEL.space, lambda: store(texts), lambda: embedder, memory=memory or Memory())


def queries(texts):
    return MODEL.embed(texts, "query").vectors


def test_what_has_nothing_to_do_with_the_set_is_told():
    searched = index()
    found = searched.search("pancakes with blueberries", pipeline())
    assert found.answered is False and found.hits, "hits are never hidden"
    (notice,) = found.notices
    assert notice.startswith("Nothing here seems to answer this: the best cosine is ")
    assert found.to_dict()["answered"] is False
    good = searched.search("rotating the session key of the registry", pipeline())
    assert good.answered is True and not good.notices


def test_a_hit_that_names_what_was_asked_is_an_answer():
    """However far its vector lies: names and codes have words in common with an answer, and little meaning."""
    hits = [Hit(1, 1.0, replace(chunk("a"), indexed="Error E0382: use of moved value"), {})]
    assert names_what_was_asked("E0382", hits, "en") and names_what_was_asked("moved values E0382", hits, "en")
    assert not names_what_was_asked("borrowed value of the lamp", hits, "en")
    assert not names_what_was_asked("the", hits, "en") and not names_what_was_asked("E0382", [], "en")


@pytest.mark.parametrize(
    "search",
    [
        lambda: index(TOPICS[: FEWEST - 1]).search("pancakes with blueberries", pipeline()),
        lambda: index().search("pancakes with blueberries registry", pipeline("lexical")),
        lambda: index().search("pancakes with blueberries", pipeline(), measured=True),
        lambda: Index("mine", MODEL.space, store, lambda: MODEL).search("pancakes with blueberries", pipeline()),
    ],
)
def test_where_nobody_can_tell_nothing_is_said(search):
    found = search()
    assert found.answered is None and not found.notices


def test_it_is_found_out_once():
    memory = Memory()
    asked = []

    class Counting(Words):
        def embed(self, texts, role, on_long="truncate"):
            asked.append((len(texts), role))
            return super().embed(texts, role, on_long)

    for _ in range(2):
        searched = index(memory=memory, embedder=Counting(WIDE))
        searched.search("pancakes", pipeline())
        searched.search("syrup", pipeline())
    assert asked.count((len(FOREIGN), "query")) == 1 and memory.known.rows == len(TOPICS)


def test_a_set_that_has_grown_is_calibrated_anew():
    memory = Memory(Calibration(2.0, 10))
    assert index(memory=memory).search("rotating the session key", pipeline()).answered is True
    assert memory.known.rows == len(TOPICS) and memory.known.least < 1
    assert not Calibration(0.3, 100).fits(126) and Calibration(0.3, 100).fits(75)


def test_a_space_without_meaning_tells_nothing():
    """Its own texts are no nearer to each other than foreign ones are to them."""
    blind = HashEmbedder(64)
    memory = Memory()

    def rows():
        made = open_collection("memory", Path(), Collection.single("t", 64), create=True)
        texts = [replace(chunk(text), indexed=text) for text in TOPICS]
        made.upsert(texts, {"vector": blind.embed(TOPICS, "document").vectors})
        return made

    searched = Index("mine", blind.space, rows, lambda: blind, memory=memory)
    found = searched.search("pancakes with blueberries", pipeline())
    assert found.answered is None and not found.notices and not memory.known.tells


def test_a_disk_that_is_full_is_no_reason_to_fail():
    memory = Memory(broken=True)
    assert index(memory=memory).search("pancakes with blueberries", pipeline()).answered is False
    assert memory.known is None


def test_a_model_that_cannot_be_asked_is_asked_once():
    asked = []

    def down(texts):
        asked.append(texts)
        raise ProviderDown("no answer.")

    gauge = Gauge(Memory(), down)
    with store().snapshot() as version:
        assert gauge.read(version) is None and gauge.read(version) is None
    assert len(asked) == 1


def test_lengths_of_vectors_change_nothing():
    """In a space of dot products all scores are larger, and so is the threshold."""
    with store().snapshot() as plain, store(factor=5.0).snapshot() as long:
        one = calibrate(plain, queries, len(TOPICS))
        other = calibrate(long, queries, len(TOPICS))
    assert other.least == pytest.approx(5 * one.least, rel=0.35)


def test_of_several_sets_one_that_answers_is_enough():
    kitchen = [text.replace("key", "pancake").replace("rotating", "frying") for text in TOPICS]
    first, second = index(name="a"), index(kitchen, name="b")
    both = JointIndex([first, second], SILENCE)
    assert first.search("frying the session pancake", pipeline()).answered is not None
    assert both.search("frying the session pancake", pipeline()).answered is True
    assert both.search("tulips grow on warm windowsills", pipeline()).answered is False
    small = JointIndex([first, index(kitchen[:9], name="c")], SILENCE)
    assert small.search("tulips grow on warm windowsills", pipeline()).answered is None, "nobody knows of the small one"
