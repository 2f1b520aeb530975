import threading
from dataclasses import replace

import numpy as np

from embassay.embedders.providers.hash import HashEmbedder
from embassay.embedders.wrap.wrapper import Wrapper
from embassay.errors import ProviderDown
from embassay.search.second import TimedModel

MODEL = HashEmbedder(32)
TEXTS = {name: f"text {name}" for name in "abcdefgh"}
LONG = 60_000


class Watched(Wrapper):
    """Waits for `let` before each block, and writes down what it was given."""

    def __init__(self, failing=None, remote=False):
        super().__init__(MODEL)
        self.let, self.given, self.failing = threading.Event(), [], failing
        self.let.set()
        self._remote = remote

    @property
    def remote(self):
        return self._remote

    def stream(self, texts, role, on_long="truncate"):
        texts = [*texts]
        self.given.append(texts)
        self.let.wait()
        if self.failing:
            raise self.failing
        return super().stream(texts, role, on_long)


def timed(model):
    return TimedModel(lambda: model, model.space)


def test_the_vectors_are_those_of_the_model():
    made, failure = timed(Watched()).within(TEXTS, LONG)
    expected = MODEL.embed([*TEXTS.values()], "document").vectors
    assert failure is None and [*made] == [*TEXTS]
    assert np.array_equal(np.array([*made.values()]), expected)


def test_what_comes_too_late_is_there_for_the_next():
    model = Watched()
    model.let.clear()
    one = timed(model)
    assert one.within(TEXTS, 300) == ({}, None)
    model.let.set()
    one.close()
    made, _ = one.within(TEXTS, 0)
    assert [*made] == ["a"]  # the first was under way, and no more was begun behind the deadline
    assert len(one.within(TEXTS, LONG)[0]) == 8
    assert sum(map(len, model.given)) == 8  # none twice


def test_while_another_search_embeds_one_gets_what_there_is():
    model = Watched()
    model.let.clear()
    one = timed(model)
    one.within(TEXTS, 300)
    assert one.within({"z": "other"}, 1) == ({}, None)
    assert len(model.given) == 1
    model.let.set()


def test_a_service_is_asked_once():
    model = Watched(remote=True)
    assert len(timed(model).within(TEXTS, LONG)[0]) == 8
    assert [len(texts) for texts in model.given] == [8]


def test_why_there_are_no_more():
    made, failure = timed(Watched(ProviderDown("it is down."))).within(TEXTS, LONG)
    assert made == {} and isinstance(failure, ProviderDown)


def test_a_refused_text_is_left_out():
    class Refusing(Watched):
        def stream(self, texts, role, on_long="truncate"):
            for block in super().stream(texts, role, on_long):
                yield replace(block, refused={2: "it says too much"})

    made, failure = timed(Refusing(remote=True)).within(TEXTS, LONG)
    assert failure is None and [*made] == [*"abdefgh"]
