"""What `check` finds in judged data that would mislead."""

import json

import pytest

from embassay.evaluate.judge.check import check_judged_set

TEXTS = {
    f"d{n}": f"Document {n} explains how the {thing} is calibrated by two technicians before it leaves the workshop in spring."
    for n, thing in enumerate(["pump", "valve", "boiler", "meter", "furnace", "turbine"])
}


@pytest.fixture
def judged(tmp_path):
    def make(queries, qrels, corpus=TEXTS, **more):
        (tmp_path / "qrels").mkdir(exist_ok=True)
        (tmp_path / "corpus.jsonl").write_text("\n".join(json.dumps({"_id": d, "text": t}) for d, t in corpus.items()))
        (tmp_path / "queries.jsonl").write_text(
            "\n".join(json.dumps({"_id": q, "text": t}) for q, t in queries.items())
        )
        for split, rows in {"test": qrels, **more}.items():
            lines = "".join(f"{q}\t{d}\t{grade}\n" for q, d, grade in rows)
            (tmp_path / "qrels" / f"{split}.tsv").write_text(lines)
        return tmp_path

    return make


def found(report):
    return {finding.check: finding for finding in report.findings}


def test_counts(judged):
    report = check_judged_set(
        judged({"a": "who adjusts pumps", "b": "valve setup"}, [("a", "d0", 1), ("a", "d1", 0), ("b", "d1", 2)])
    )
    assert (report.queries, report.documents, report.judgments, report.relevant_per_query) == (2, 6, 3, 1.0)
    assert report.ok and found(report).keys() == {"few queries"}
    assert report.overlap == pytest.approx((0 + 1 / 2) / 2), "of 'adjusts pumps' none, of 'valve setup' one word"
    assert set(report.to_dict()) >= {"queries", "findings", "detectable", "copied", "judged_at_10", "sources"}


def test_duplicates(judged):
    queries = {
        "a": "How are pumps calibrated today",
        "b": "how are PUMPS calibrated today?",
        "c": "today how are pumps calibrated",
    }
    corpus = TEXTS | {"twin": TEXTS["d0"]}
    report = found(check_judged_set(judged(queries, [(q, "d0", 1) for q in queries], corpus)))
    assert report["duplicate queries"].examples == ("how are PUMPS calibrated today?",)
    assert len(report["near-duplicates"].examples) == 2
    assert report["duplicate documents"].examples == ("twin",)


def test_a_judged_twin_is_no_finding(judged):
    corpus = TEXTS | {"twin": TEXTS["d0"]}
    report = found(check_judged_set(judged({"a": "pumps"}, [("a", "d0", 1), ("a", "twin", 1)], corpus)))
    assert "duplicate documents" not in report


def test_copied(judged):
    copied = {"a": "calibrated by two technicians before", "b": "the valve is calibrated by two people"}
    report = check_judged_set(judged(copied, [("a", "d0", 1), ("b", "d1", 1)]))
    assert report.copied == 1.0 and found(report)["copied"].level == "warning"
    own = {"a": "who adjusts pumps when they are new", "b": "checking a valve"}
    assert check_judged_set(judged(own, [("a", "d0", 1), ("b", "d1", 1)])).copied == 0


def test_leakage_fails(judged):
    queries = {"a": "Pump care?", "b": "valve care", "c": "pump care"}
    report = check_judged_set(judged(queries, [("a", "d0", 1), ("b", "d1", 1)], train=[("c", "d0", 1)]))
    assert not report.ok and report.findings[0].check == "leakage"
    assert "1 queries of 'test' are in 'train' too" in report.findings[0].message


def test_unknown_and_unanswered_fail(judged):
    report = check_judged_set(
        judged({"a": "pump", "b": "valve"}, [("a", "gone", 1), ("a", "d0", 1), ("b", "d1", 0), ("zz", "d1", 1)])
    )
    assert not report.ok
    assert found(report)["unknown"].examples == ("a: gone", "zz: d1")
    assert found(report)["no answer"].examples == ("b",) and report.queries == 1


def test_unjudged_and_blank(judged):
    report = found(check_judged_set(judged({"a": "pump", "b": "valve"}, [("a", "d0", 1)], TEXTS | {"empty": " "})))
    assert report["unjudged queries"].examples == ("b",) and report["blank documents"].examples == ("empty",)


def test_what_it_is_able_to_show(judged):
    many = {f"q{n}": f"question number {n} {n * 7919}" for n in range(400)}
    report = check_judged_set(judged(many, [(q, "d0", 1) for q in many]))
    small, large = report.detectable.values()
    assert 0.01 < small < large == pytest.approx(2.8 * 0.25 / 20, rel=0.02)
    assert "few queries" not in found(report)


def test_scifact(shared):
    """Two claims of the published train split are in its test split: known, and reported as what it is."""
    report = check_judged_set(shared / "scifact", "test")
    assert found(report)["leakage"].message.startswith("2 queries") and report.queries == 300
    assert 0.05 < report.copied < 0.3 and report.judged_at_10 < 0.2


def test_a_set_without_questions_is_weak(judged):
    queries = {"a": "valve setup", "b": "boiler in spring"}
    qrels = [("a", "d1", 1), ("b", "d2", 1)]
    folder = judged(queries, qrels)
    report = check_judged_set(folder)
    finding = found(report)["no questions"]
    assert report.ok and finding.level == "warning" and "none of the 2 queries is a question" in finding.message
    asked = [{"_id": q, "text": t, "metadata": {"source": "log"}} for q, t in queries.items()]
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, asked)))
    assert "no questions" not in found(check_judged_set(folder)), "people ask in keywords too"
    assert "no questions" not in found(check_judged_set(judged({"a": "valve setup", "b": "boiler, when?"}, qrels)))
