"""Which results are shown: equal shares, mixed, and the same again."""

from embassay.evaluate.judge.label.pooling import pool

RANKINGS = {
    "a": [f"a{at}" for at in range(10)],
    "b": [f"b{at}" for at in range(10)],
    "c": [f"c{at}" for at in range(10)],
}


def made(id="q", rankings=RANKINGS, depth=10, most=10):
    return pool(id, "a question", rankings, depth=depth, most=most)


def test_every_candidate_has_an_equal_share():
    extra = set()
    for at in range(30):
        found = made(f"q{at}")
        shares = {name: sum(one[0] == name for one in found.shown) for name in RANKINGS}
        assert sorted(shares.values()) == [3, 3, 4] and found.left_out == 20
        assert {f"{name}{rank}" for name in RANKINGS for rank in range(3)} <= set(found.shown)
        extra.add(max(shares, key=shares.get))
    assert extra == set(RANKINGS), "the odd one is each candidate's, from question to question"


def test_the_order_says_nothing_of_rank_or_candidate():
    firsts = [made(f"q{at}").shown[0] for at in range(200)]
    assert 20 < sum(one in ("a0", "b0", "c0") for one in firsts) < 100, (
        "a first result is shown first about 3 times of 10"
    )
    assert all(30 < sum(one[0] == name for one in firsts) < 110 for name in RANKINGS)


def test_the_order_stays():
    assert made().shown == made().shown
    fewer = made(rankings={name: RANKINGS[name] for name in "ab"}, most=0).shown
    assert [one for one in made(most=0).shown if one[0] != "c"] == list(fewer), "another candidate turns nothing round"


def test_no_cap_and_a_shallow_one():
    assert len(made(most=0).shown) == 30 and made(most=0).left_out == 0
    assert set(made(depth=1).shown) == {"a0", "b0", "c0"}


def test_disagreement():
    same = {"a": ["x", "y"], "b": ["x", "y"]}
    assert made(rankings=same).disagreement < 1e-9 and made().disagreement == 1
