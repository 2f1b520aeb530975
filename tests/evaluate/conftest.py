"""A small judged folder in the layout of BEIR, which the tests of this folder read."""

import json

import pytest

CORPUS = {
    "d1": ("Keys", "Rotate a key with the key server before it expires."),
    "d2": ("Proxies", "Requests are routed through a proxy."),
    "d3": ("Cats", "A cat is a small furry animal that catches mice."),
    "q1": ("", "how to rotate a key"),
}


QUERIES = {"q1": "how to rotate a key", "q2": "pet that hunts mice", "q3": "never judged"}


@pytest.fixture
def judged(tmp_path):
    folder = tmp_path / "judged"
    (folder / "qrels").mkdir(parents=True)
    corpus = [{"_id": i, "title": t, "text": x} for i, (t, x) in CORPUS.items()]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)))
    (folder / "queries.jsonl").write_text("\n".join(json.dumps({"_id": i, "text": t}) for i, t in QUERIES.items()))
    (folder / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq2\td3\t1\n")
    return folder
