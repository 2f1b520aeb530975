"""A baseline in a file: kept by a repository, and taken by a home that is made anew."""

from __future__ import annotations

import json
import shutil

import pytest

from embassay.cli.exits import ExitCode
from embassay.errors import ReadError, UsageError
from embassay.home import open_home
from embassay.monitor.baseline_file import take_baseline, write_baseline
from embassay.monitor.baselines import make_baseline
from embassay.monitor.monitor import Monitor
from tests.cli.conftest import run
from tests.monitor.test_regression import WORDS, judged, watched


def test_a_home_that_is_made_anew_is_held_against_the_file(tmp_path):
    file, project = tmp_path / "baseline.json", tmp_path / "project"
    with watched(tmp_path) as (monitor, folder):
        with pytest.raises(UsageError, match="no baseline"):
            write_baseline(monitor, file)
        made = make_baseline(monitor, judged(), "judged")
        write_baseline(monitor, file)
        for word in WORDS[:4]:
            (folder / f"{word}.md").unlink()
    shutil.rmtree(project / ".embassay")
    run("index", "docs", "-m", "hash/64", cwd=project, check=0)
    code, out, _ = run("monitor", "check", "--daily", "--baseline", file, "--json", cwd=project)
    (found,) = json.loads(out)["sets"]
    (alert,) = (one for one in found["alerts"] if one["signal"] == "regression")
    assert code == ExitCode.FAILED and "4 had one there and have none now" in alert["evidence"]
    (reading,) = (one for one in found["readings"] if one["signal"] == "regression")
    assert "where is the otter" in reading["examples"]
    with open_home(project / ".embassay") as home:
        monitor = Monitor(home, "default")
        kept = home.monitoring.baseline("default", monitor.space.digest)
        assert kept.made == made.made and dict(kept.parts) == json.loads(json.dumps(dict(made.parts)))
        assert take_baseline(monitor, file) is False, "it is held against that one already"


def test_what_is_no_baseline_of_this_set(tmp_path):
    file = tmp_path / "baseline.json"
    with watched(tmp_path) as (monitor, _):
        make_baseline(monitor, judged(), "judged")
        write_baseline(monitor, file)
        good = json.loads(file.read_text())
        for text in ("", "[1]", "{}", json.dumps({**good, "format": 2}), json.dumps({**good, "parts": []})):
            file.write_text(text)
            with pytest.raises(ReadError, match="no baseline"):
                take_baseline(monitor, file)
        file.write_text(json.dumps({**good, "space": "another"}))
        with pytest.raises(UsageError, match="another space"):
            take_baseline(monitor, file)
        with pytest.raises(ReadError, match="cannot be read"):
            take_baseline(monitor, tmp_path / "none.json")
