"""Sets of served models that are relinked, or gone back to when nobody serves the old one any more."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.cli.test_cli import run
from tests.servers import Swappable, serving

RECORDS = [{"id": f"r{n}", "text": f"Record {n} is about rotating key number {n}."} for n in range(40)]


@pytest.fixture
def served(tmp_path):
    """A project whose set is of a served model, the server of that, and another service with its server."""
    other = Swappable()
    with serving(Swappable()) as here, serving(other) as there:
        common = {"provider": "openai", "model_id": "m", "max_tokens": 512, "api_key": "k", "retries": 0}
        models = {name: common | {"base_url": one.url} for name, one in (("here", here), ("there", there))}
        settings = {"embeddings": {"models": models}, "cache": {"path": str(tmp_path / "cache.db")}}
        (tmp_path / "embassay.yaml").write_text(yaml.safe_dump(settings))
        (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, RECORDS)))
        run("add", "rows.jsonl", "--set", "docs", "--model", "here", cwd=tmp_path, check=0)
        yield tmp_path, here, other


def found(project):
    answer = run("search", RECORDS[7]["text"], "--set", "docs", "-k", 1, "--json", cwd=project, check=0)[1]
    return json.loads(answer)


def test_a_set_is_relinked_and_back(served):
    project, here, _ = served
    _, out, _ = run("relink", "docs", "--to", "there", cwd=project, check=0)
    assert out.startswith("docs: here -> there") and "Proven equal: least cosine" in out
    here.close()
    assert found(project)["hits"][0]["document"] == "r7", "nobody asks the former provider"
    history = json.loads(run("log", "docs", "--json", cwd=project, check=0)[1])
    assert "relinked" in json.dumps(history)


def test_another_model_is_refused_with_the_figure(served):
    project, _, other = served
    other.model = "another"
    code, out, err = run("relink", "docs", "--to", "there", cwd=project)
    assert code == 1 and out == "" and "the cosine" in err
    assert found(project)["hits"][0]["document"] == "r7"


def test_going_back_to_a_model_that_is_gone_says_what_is_left(served):
    project, here, _ = served
    run("migrate", "docs", "--to", "hash/64", cwd=project, check=0)
    run("switch", "docs", cwd=project, check=0)
    here.close()
    _, out, err = run("rollback", "docs", cwd=project, check=0)
    assert out.startswith("docs: ") and "Searches are by words only until here can be asked again" in err
    answer = found(project)
    assert answer["hits"][0]["document"] == "r7" and answer["notices"]
