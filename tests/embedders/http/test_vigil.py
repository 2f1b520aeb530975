"""When a service is asked for canaries by themselves, because its requests have no room for one."""

from __future__ import annotations

import numpy as np
import pytest

from embassay.canaries import CANARY_TEXTS
from embassay.embedders.http.vigil import EVERY_REQUESTS, EVERY_SECONDS, Riders, Vigil, all_riders
from embassay.embedders.providers.hash import hashed
from embassay.errors import SpaceMismatch

PLACES = hashed(CANARY_TEXTS, 64)
NONE = Riders("query")


@pytest.fixture
def now():
    return [0.0]


@pytest.fixture
def vigil(now):
    made = Vigil("m", {"query": PLACES, "document": PLACES}, keeps=False, clock=lambda: now[0])
    made.check(all_riders("query"), PLACES)
    return made


def test_one_request_in_a_hundred_is_one_for_canaries(vigil):
    assert [vigil.is_due(NONE, "m", 0) for _ in range(EVERY_REQUESTS)] == [False] * (EVERY_REQUESTS - 1) + [True]
    vigil.check(all_riders("query"), PLACES)
    assert not vigil.is_due(NONE, "m", 0)


def test_the_last_canary_may_not_be_long_ago(vigil, now):
    assert not vigil.is_due(NONE, "m", 0)
    now[0] += EVERY_SECONDS + 1
    assert vigil.is_due(NONE, "m", 0)


def test_a_service_that_comes_back_is_asked(vigil):
    assert not vigil.is_due(NONE, "m", 0)
    assert vigil.is_due(NONE, "m", 1) and not vigil.is_due(NONE, "m", 1)


def test_another_name_is_a_reason_though_a_canary_rode_along(vigil):
    rode = vigil.riders("query", "", 4)
    assert len(rode.which) == 1 and not vigil.is_due(rode, "m", 0)
    assert vigil.is_due(rode, "n", 0) and not vigil.is_due(rode, "", 0)


def test_all_canaries_ride_until_they_are_proven_then_one_by_turns():
    vigil = Vigil("m", {"query": PLACES, "document": PLACES}, keeps=False)
    assert sorted(vigil.riders("document", "p: ", 9).which) == [0, 1, 2, 3]
    vigil.check(all_riders("document"), PLACES)
    turns = [vigil.riders("document", "p: ", 9) for _ in CANARY_TEXTS]
    assert sorted(at for one in turns for at in one.which) == [0, 1, 2, 3]
    assert turns[0].texts == ["p: " + CANARY_TEXTS[turns[0].which[0]]]
    assert vigil.riders("document", "p: ", 0).which == ()


def test_what_was_kept_since_the_last_proof_is_forgotten_with_the_service():
    forgotten: list[bytes] = []
    vigil = Vigil("m", {"query": PLACES, "document": PLACES}, keeps=True, forget=forgotten.extend)
    vigil.kept([b"before"])
    vigil.check(all_riders("query"), PLACES)
    vigil.kept([b"behind"])
    with pytest.raises(SpaceMismatch, match="as query, a text that is known has the cosine") as caught:
        vigil.check(all_riders("query"), np.roll(PLACES, 1, axis=1))
    assert forgotten == [b"behind"]
    assert "new set: " in str(caught.value.remedy) and "::" not in str(caught.value.remedy)
