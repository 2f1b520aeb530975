"""embassay compress as people and programs use it."""

import json

from tests.cli.test_cli import run
from tests.cli.test_measuring_cli import WORKERS


def test_compress(project):
    (project / "docs" / "machines.md").write_text(f"# Machines\n\n{WORKERS}\n")
    run("index", "docs", "--model", "hash/64", "--set", "words", cwd=project, check=0)
    run("judge", "new", "docs", "--out", "judged", cwd=project, check=0)
    asked = ("compress", "--set", "words", "--judged", "judged", "--max-loss", 0.1)
    _, out, err = run(*asked, cwd=project, check=0)
    assert "Proposed." in out and "int8-global" in out and "Nothing was changed" in out and "Traceback" not in err
    assert "allow a greater loss" in " ".join(out.split()), "so few queries cannot show a small loss"
    _, out, _ = run(*asked, "--apply", "--json", "--report", "report.html", cwd=project, check=0)
    data = json.loads(out)
    assert set(data) == {
        "set", "generation", "space", "judged", "digest", "queries", "chunks", "metric", "max_loss", "sure", "candidates", "schemes",
        "proposed", "sentence", "caution", "applied",
    }  # fmt: skip
    assert data["proposed"]["scheme"] in (project / "report.html").read_text() and not data["caution"]
    assert data["proposed"]["bytes"] <= 64 and data["applied"]["state"] == "switched"
    _, out, _ = run("sets", "show", "words", "--json", cwd=project, check=0)
    assert json.loads(out)["dtype"] == data["proposed"]["migrate"]["dtype"]
    run("rollback", "words", cwd=project, check=0)
    _, out, _ = run("sets", "show", "words", "--json", cwd=project, check=0)
    assert json.loads(out)["dtype"] == "float32"
    (project / "other").mkdir()
    (project / "other" / "a.md").write_text(f"# Machines\n\n{WORKERS}\n")
    run("judge", "new", "other", "--out", "judged-other", cwd=project, check=0)
    code, _, err = run("compress", "--set", "words", "--judged", "judged-other", cwd=project)
    assert code == 2 and "lacks" in err and "Traceback" not in err
    code, _, err = run("compress", "--set", "words", "--coarse", 8, "--apply", cwd=project)
    assert code == 2 and "--apply" in err
    code, _, err = run(*asked, "--report", "none/report.html", cwd=project)
    assert code == 1 and "none" in err
    code, _, err = run("compress", "--set", "nothing", "--judged", "judged", cwd=project)
    assert code != 0 and "nothing" in err and "Traceback" not in err
