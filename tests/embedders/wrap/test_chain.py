"""When one model fails, another of the same space answers."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from embassay.embedders.base import Embedder
from embassay.embedders.keeper import Keeper
from embassay.embedders.providers.hash import HashEmbedder, hashed
from embassay.embedders.wrap.breaker import Breaker
from embassay.embedders.wrap.cached import Cached
from embassay.embedders.wrap.chain import Fallback
from embassay.embedders.wrap.cut import Cut
from embassay.errors import AllFailed, ConfigError, ProviderDown, RequestRefused
from embassay.events import Events, Warned
from embassay.models.cache import VectorCache
from embassay.models.canaries import KeptCanaries
from embassay.space import Space
from tests.embedders.fakes import Counting, Lengths, Same, counting


def test_a_chain_moves_on_and_names_who_answered():
    first, second = counting(), Same(HashEmbedder(64))
    chain = Fallback({"first": lambda: first, "second": lambda: second})
    made = chain.embed(["a"], "query")
    assert (made.model, made.space) == ("first", first.space)
    first.fails = True
    made = chain.embed(["a"], "query")
    assert (made.model, made.space) == ("second", first.space), "proven equal: it stands in"
    calls = first.calls
    chain.embed(["b"], "query")
    assert first.calls == calls, "what failed is not asked again at once"


def test_a_stand_in_is_told_and_why():
    told: list[str] = []
    events = Events()
    events.subscribe(Warned, lambda event: told.append(event.text))
    first, second, other = counting(64), Same(HashEmbedder(64)), counting(128)
    members = {"first": lambda: first, "second": lambda: second, "other": lambda: other}
    chain = Fallback(members, events=events)
    chain.embed(["a"], "query")
    assert told == []
    first.fails = True
    chain.embed(["a"], "query")
    assert told == ["first did not answer (it is down): second made vectors of the same space instead."]
    alone = Fallback({"first": lambda: first, "other": lambda: other}, events=events)
    alone.embed(["a"], "query", allow_other_space=True)
    assert told[1:] == ["first did not answer (it is down): other made vectors of another space instead."]


def test_another_space_needs_permission():
    first, other = counting(64), counting(128)
    chain = Fallback({"first": lambda: first, "other": lambda: other})
    chain.embed(["a"], "query")
    first.fails = True
    with pytest.raises(AllFailed, match=r"first: it is down; other: its space is another one") as caught:
        chain.embed(["a"], "query")
    assert list(caught.value.causes) == ["first", "other"]
    made = chain.embed(["a"], "query", allow_other_space=True)
    assert (made.model, made.space, made.vectors.shape) == ("other", other.space, (1, 128))
    with pytest.raises(AllFailed):
        list(chain.stream(["a"], "document"))


def test_same_dimensions_are_not_the_same_space():
    class Liar(Counting):
        def stream(self, texts, role, on_long="truncate"):
            yield from super().stream([f"{t}!" for t in texts], role, on_long)

    first, liar = counting(), Liar(HashEmbedder(64))
    liar_space = replace(liar.inner.space, weights="other")
    type(liar).space = property(lambda self: liar_space)
    chain = Fallback({"first": lambda: first, "liar": lambda: liar})
    chain.embed(["a"], "query")
    first.fails = True
    with pytest.raises(AllFailed):
        chain.embed(["a"], "query")


def test_the_same_directions_are_not_enough_where_lengths_count():
    """A stand-in that scales its vectors to length 1 would be ranked otherwise."""
    inner = counting()
    members = {"first": Lengths(inner), "unit": Same(HashEmbedder(64)), "equal": Lengths(Same(HashEmbedder(64)))}
    chain = Fallback({name: partial(members.get, name) for name in members})
    expected = chain.embed(["a"], "query").vectors
    inner.fails = True
    made = chain.embed(["a"], "query")
    assert (made.model, made.space.similarity) == ("equal", "dot") and np.allclose(made.vectors, expected)


def test_unproven_is_unequal_until_the_first_has_answered():
    first, second = counting(), Same(HashEmbedder(64))
    first.fails = True
    chain = Fallback({"first": lambda: first, "second": lambda: second})
    with pytest.raises(AllFailed, match="cannot be told"):
        chain.embed(["a"], "query")


def remembering(first: Embedder, cache: VectorCache) -> Fallback:
    """A chain in a process of its own, as far as its memory goes."""
    members = {"first": lambda: Cached(first, Keeper(cache)), "second": lambda: Same(HashEmbedder(64))}
    return Fallback(members, KeptCanaries(cache))


def test_the_cache_proves_equality_across_processes(cache):
    first = counting()
    remembering(first, cache).embed(["a"], "query")
    first.fails = True
    assert remembering(first, cache).embed(["never seen"], "query").model == "second"


def test_canaries_of_a_cut_model_are_remembered_in_its_own_space(cache):
    """They are those of the whole chain, not those that the cache below the cut holds."""
    first = counting(128)
    members = {"first": lambda: Cut(Cached(first, Keeper(cache)), 64), "second": lambda: SameCut(HashEmbedder(128))}
    Fallback(members, KeptCanaries(cache)).embed(["a"], "query")
    first.fails = True
    assert Fallback(members, KeptCanaries(cache)).embed(["never seen"], "query").model == "second"


class SameCut(Cut):
    """The same weights, cut alike, at another provider."""

    def __init__(self, inner: Embedder) -> None:
        super().__init__(inner, 64)

    @property
    def space(self) -> Space:
        return replace(super().space, weights="elsewhere")


def test_a_chain_comes_back_by_itself():
    now = [0.0]
    first, second = counting(), Same(HashEmbedder(64))
    members = {"first": lambda: first, "second": lambda: second}
    chain = Fallback(members, breaker=lambda: Breaker(cool_down=10, clock=lambda: now[0]))
    chain.embed(["a"], "query")
    first.fails = True
    assert chain.embed(["a"], "query").model == "second"
    first.fails = False
    now[0] = 9.9
    assert chain.embed(["a"], "query").model == "second"
    now[0] = 10.1
    assert chain.embed(["a"], "query").model == "first"


def test_a_stream_survives_a_failure_half_way():
    first, second = counting(), Same(HashEmbedder(64))
    chain = Fallback({"first": lambda: first, "second": lambda: second})
    chain.embed(["a"], "query")
    texts = [f"text {i}" for i in range(2000)]
    vectors, models = [], set()
    for block in chain.stream(iter(texts), "document"):
        vectors.append(block.vectors)
        models.add(block.model)
        first.fails = True
    assert (np.concatenate(vectors) == hashed(texts, 64)).all()
    assert models == {"first", "second"}


def test_a_member_of_the_same_directions_but_other_lengths_is_normalised():
    class Long(Counting):
        @property
        def space(self) -> Space:
            return replace(self.inner.space, weights="elsewhere", normalised=False)

        def stream(self, texts, role, on_long="truncate"):
            for block in super().stream(texts, role, on_long):
                yield replace(block, vectors=block.vectors * 7, space=self.space)

    first, second = counting(), Long(HashEmbedder(64))
    chain = Fallback({"first": lambda: first, "second": lambda: second})
    chain.embed(["a"], "query")
    first.fails = True
    made = chain.embed(["a"], "query")
    assert made.model == "second"
    assert np.allclose(made.vectors, hashed(["a"], 64), atol=1e-6)


def test_a_set_up_that_is_wrong_for_one_member_does_not_end_the_chain():
    first, second = counting(), counting(128)

    def broken():
        raise ConfigError("a key refers to ${UNSET}, which is not set.")

    for opener in (broken, lambda: refusing(first)):
        chain = Fallback({"first": opener, "second": lambda: second})
        assert chain.embed(["a"], "query", allow_other_space=True).model == "second"


def refusing(inner: Counting) -> Counting:
    def stream(texts, role, on_long="truncate"):
        raise RequestRefused("the model does not exist.")
        yield

    inner.stream = stream
    return inner


def test_a_chain_knows_its_space_while_the_first_is_down(cache):
    """In a new process: the set's space and the cached canaries prove what cannot be asked."""
    first = counting()
    remembering(first, cache).embed(["a"], "query")

    class Unreachable(Counting):
        @property
        def space(self) -> Space:
            self.calls += 1
            raise ProviderDown("its space is not known, it is down.")

    down = Unreachable(HashEmbedder(64))
    down.fails = True
    again = remembering(down, cache)
    again.assume(first.space)
    made = again.embed(["never seen"], "query")
    assert (made.model, made.space) == ("second", first.space)
    calls = down.calls
    again.embed(["nor this"], "query")
    assert down.calls == calls, "what is down is left alone"


def test_the_truth_wins_over_what_was_assumed():
    """A set of other weights must not take this model's vectors for its own."""
    first, second = counting(), Same(HashEmbedder(64))
    chain = Fallback({"first": lambda: first, "second": lambda: second})
    chain.assume(replace(first.space, weights="what it was last year"))
    assert chain.space == first.space
    assert chain.embed(["a"], "query").space == first.space
    first.fails = True
    assert chain.embed(["b"], "query").space == first.space


def test_every_member_down_lists_each_cause():
    members = {name: counting() for name in ("a", "b", "c")}
    for member in members.values():
        member.fails = True
    chain = Fallback({name: (lambda m=m: m) for name, m in members.items()})
    with pytest.raises(AllFailed, match="a: it is down; b: it is down; c: it is down") as caught:
        chain.embed(["x"], "query", allow_other_space=True)
    assert {name: type(e) for name, e in caught.value.causes.items()} == dict.fromkeys("abc", ProviderDown)
