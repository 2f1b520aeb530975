from embassay.evaluate.score.arms import better_arm, hits_by_arm
from embassay.search.modes import pipeline
from embassay.search.run import run
from tests.search.fakes import context

QUERIES = [f"q{at}" for at in range(40)]
QRELS = {query: {"a": 1} for query in QUERIES}


def ranked(*names):
    return dict.fromkeys(QUERIES, names)


def test_each_arm_has_its_hits_in_its_own_order():
    hits = run(pipeline(), context()).hits
    assert {label: [hit.chunk.key for hit in own] for label, own in hits_by_arm(hits).items()} == {
        "dense": ["a", "b", "c"],
        "lexical": ["c", "d"],
    }


def test_an_arm_that_is_better_alone_is_named_with_its_interval():
    joined = {query: {"nDCG@10": 0.5 + at / 1000} for at, query in enumerate(QUERIES)}
    found = {"dense": ranked("a", "b"), "lexical": ranked("b")}
    better = better_arm(QRELS, found, joined, "nDCG@10", QUERIES)
    assert better and better.label == "dense" and abs(better.gain - 0.4805) < 1e-6 and better.interval[0] > 0.47
    assert str(better).startswith("dense alone is 0.48") and "chance" not in str(better)
    assert better.to_dict()["arm"] == "dense"
    uneven = {query: {"nDCG@10": 1.0 if at % 20 else 0.0} for at, query in enumerate(QUERIES)}
    few = {"dense": ranked("a"), "lexical": {}}
    assert "may be chance" not in str(better_arm(QRELS, few, joined, "nDCG@10", QUERIES))
    doubtful = better_arm(QRELS, few, uneven, "nDCG@10", QUERIES)
    assert doubtful and doubtful.gain == 0.05 and "may be chance" in str(doubtful)


def test_nothing_is_said_where_joining_pays_or_there_is_one_arm():
    joined = {query: {"nDCG@10": 1.0} for query in QUERIES}
    both = {"dense": ranked("a"), "lexical": ranked("b")}
    assert better_arm(QRELS, both, joined, "nDCG@10", QUERIES) is None
    worse = {query: {"nDCG@10": 0.0} for query in QUERIES}
    assert better_arm(QRELS, {"dense": ranked("a")}, worse, "nDCG@10", QUERIES) is None
