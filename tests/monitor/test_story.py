"""The round that the page on monitoring tells, from the alert to the end of it: every command of it runs, and says that."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "monitoring.md").read_text("utf-8")
STORY = PAGE.partition("## A degradation, from the alert to the end of it")[2].partition("\n## ")[0]
DONE = "-- that was it --"


def steps() -> list[tuple[str, list[str]]]:
    """Each command of the consoles, and the lines that are shown below it."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```console\n(.*?)^```", STORY, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def test_the_story_is_true(tmp_path):
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    (tmp_path / "traffic.py").write_text(re.search(r"^```py traffic.py\n(.*?)^```", STORY, re.M | re.S)[1])
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    script = "".join(f"{command} 2>&1\necho '{DONE}'\n" for command, _ in steps())
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env={**os.environ, "PATH": path, "COLUMNS": "200"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = done.stdout.split(f"{DONE}\n")
    assert len(told) == len(steps()) + 1 > 15
    for (command, shown), said in zip(steps(), told, strict=False):
        assert "Traceback" not in said, said
        for line in shown:
            assert told_in(line, said), f"$ {command}\n{said}\nhas no line like: {line}"


def told_in(line: str, said: str) -> bool:
    """Whether a line of the page was printed, up to its end or `…`, whatever its numbers are. Exit codes are exact."""
    if line.startswith("exit code"):
        return line in said.splitlines()
    words = r"\s+".join(re.sub(r"\d+(\\\.\d+)?", r"[\\d.]+", re.escape(word)) for word in line.rstrip(" …").split())
    return re.search(words, said) is not None
