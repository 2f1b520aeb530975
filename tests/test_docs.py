"""Every command and every program in the README and the docs runs, in a copy of this project's own docs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from mensura import plugins
from mensura.testing import check_reader

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PROJECT_FILES = ("README.md", "CHANGELOG.md")


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


COMMANDS = [
    pytest.param(line.strip(), id=f"{page.stem}: {line.strip()}")
    for page in PAGES
    for block in blocks(page, "sh")
    for line in block.splitlines()
    if line.strip() and not line.strip().startswith("#")
]
PROGRAMS = [
    pytest.param(block, id=f"{page.stem}-{i}")
    for page in PAGES
    if page.stem != "extending"
    for i, block in enumerate(blocks(page, "python"))
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    for name in ("docs", "examples"):
        shutil.copytree(ROOT / name, folder / name)
    for name in PROJECT_FILES:
        shutil.copy(ROOT / name, folder)
    run("mensura index docs", folder)
    return folder


def run(command: str, cwd: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=cwd, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done.stdout


def test_there_is_something_to_test():
    assert len(COMMANDS) > 20 and len(PROGRAMS) >= 4


@pytest.mark.parametrize("command", COMMANDS)
def test_command(command, project):
    assert command.startswith("mensura "), "write other commands in another kind of block"
    assert run(command, project).strip()


@pytest.mark.parametrize("program", PROGRAMS)
def test_program(program, project):
    done = subprocess.run([sys.executable, "-c", program], cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_the_reader_of_the_docs_conforms(tmp_path):
    (source, *_) = blocks(ROOT / "docs" / "extending.md", "python")
    module = ModuleType("srt")
    exec(source, module.__dict__)
    file = tmp_path / "film.srt"
    file.write_text("1\n00:00:01,000 --> 00:00:02,000\nRotate\nthe key\n\n2\n00:00:03,000 --> 00:00:04,000\nNow.\n")
    (document,) = check_reader(module, file)  # type: ignore[arg-type]
    assert document.text == "Rotate the key\nNow."


def test_every_command_is_documented():
    text = "\n".join(page.read_text() for page in PAGES)
    for name in plugins.names("mensura.cli.commands"):
        assert f"mensura {name}" in text


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
