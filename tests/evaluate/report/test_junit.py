"""Gates as JUnit XML."""

from xml.etree import ElementTree

from embassay.evaluate.report.junit import junit_xml
from embassay.evaluate.score.evaluation import Evaluation
from embassay.evaluate.score.gates import check_gates, parse_gate
from embassay.search.modes import pipeline

METRICS = {"nDCG@10": 0.70, "R@100": 0.9}


def made(**metrics):
    return Evaluation("docs/test", "abc", "model:384", "f32", pipeline("dense"), METRICS | metrics, {}, 1.0, 0.5)


def test_junit():
    conditions = parse_gate("nDCG@10 >= 0.9, R@100 >= 0.9", ("nDCG@10",))
    root = ElementTree.fromstring(junit_xml(check_gates(conditions, made(), None), made()).encode())
    (suite,) = root
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    first, second = suite
    assert first.get("name") == "nDCG@10 >= 0.9" and "is 0.7000" in first.find("failure").text
    assert second.find("failure") is None
