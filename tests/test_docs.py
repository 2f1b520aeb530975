"""Every command and every program in the README and the docs runs, in a copy of this project's own docs."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

from embassay.config.reading import load_config
from embassay.models.registry import Registry
from tests.cli.test_cli import command_names
from tests.cross_encoders import SHAPES, write_cross_encoder
from tests.evaluate.judge.chat_server import agreeing
from tests.servers import serving

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PROJECT_FILES = ("README.md", "CHANGELOG.md")
LOCAL_CHAT = "http://localhost:11434"
LOCAL_SERVER = "localhost:8080"
"""Where the docs say that `embassay serve` listens. A page that asks it has a project, and a server, of its own."""


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


COMMANDS = [
    pytest.param(page, line.strip(), id=f"{page.stem}: {line.strip()}")
    for page in PAGES
    for block in blocks(page, "sh")
    for line in block.splitlines()
    if line.strip() and not line.strip().startswith("#")
]
PROGRAMS = [
    pytest.param(page, block, id=f"{page.stem}-{i}")
    for page in PAGES
    if page.stem != "extending"
    for i, block in enumerate(blocks(page, "python"))
]


FILES = {
    name: text
    for page in PAGES
    for name, text in re.findall(r"^```\w+ (\S+)\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
}
"""Files that pages show whole, under their names: whoever has no checkout can make them."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "docs", folder / "docs")
    for name in PROJECT_FILES:
        shutil.copy(ROOT / name, folder)
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    write_cross_encoder(folder / "reranker", SHAPES["bert"])
    run("embassay index docs", folder)
    shutil.copytree(folder, folder.with_name("pristine"))
    return folder


class LocalServer:
    """The server of one folder at a time."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.process: subprocess.Popen[str] | None = None

    def start(self, folder: Path) -> None:
        """Have it serve the home of a folder."""
        if self.folder != folder:
            self.stop()
            self.folder, self.process = folder, started("embassay serve", folder)

    def stop(self) -> None:
        """It ends well, and nothing was said of any failure."""
        if self.process:
            self.process.terminate()
            _, told = self.process.communicate(timeout=60)
            assert self.process.returncode == 0, told
            assert "Traceback" not in told, told
        self.folder = self.process = None


@pytest.fixture(scope="module")
def server():
    made = LocalServer()
    yield made
    made.stop()


def asks_the_server(page: Path) -> bool:
    return any(LOCAL_SERVER in block for language in ("sh", "python") for block in blocks(page, language))


def place_of(page: Path, project: Path, kind: str) -> Path:
    """Where the commands of a page run, or its programs: those that ask a server find no keys that commands made."""
    if not asks_the_server(page):
        return project
    folder = project.with_name(f"{page.stem}-{kind}")
    if not folder.exists():
        shutil.copytree(project.with_name("pristine"), folder)
    return folder


def started(command: str, cwd: Path) -> subprocess.Popen[str]:
    """A server, once it says that it serves."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = subprocess.Popen(
        ["bash", "-c", f"exec {command}"], cwd=cwd, env={**os.environ, "PATH": path}, stderr=subprocess.PIPE, text=True
    )
    told = process.stderr.readline()
    assert told.startswith("Serving on"), told + process.communicate()[1]
    return process


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


@pytest.mark.parametrize(("page", "command"), COMMANDS)
def test_command(page, command, project, server, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(project.with_name("state")))  # the same user types all commands
    known = r"(EMBASSAY_\w+=\S+ )*embassay |curl .*" + re.escape(LOCAL_SERVER)
    assert re.match(known, command), "write other commands in another kind of block"
    folder = place_of(page, project, "commands")
    if command.startswith("embassay watch"):
        assert watched(command, folder).strip()
    elif command.startswith("embassay serve"):
        server.stop()
        process = started(command, folder)
        process.terminate()
        assert process.wait(timeout=60) == 0
    elif LOCAL_SERVER in command:
        server.start(folder)
        assert run(command.replace("curl ", "curl --fail-with-body -sS ", 1), folder).strip()
    elif LOCAL_CHAT in command:
        with chat_model():
            assert run(command, folder).strip()
    else:
        assert run(command, folder).strip()


def watched(command: str, cwd: Path) -> str:
    """What a command that goes on until it is stopped has printed after its first update."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = subprocess.Popen(
        ["bash", "-c", f"exec {command}"], cwd=cwd, env={**os.environ, "PATH": path}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    told = [process.stdout.readline() for _ in range(2)]
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=120)
    assert process.returncode == 130, rest
    return "".join(told)


def chat_model():
    """Where the docs say that a local one runs, unless one does run there."""
    question = json.dumps({"questions": ["what does this part of the manual explain?"]})
    return serving(agreeing(f"<think>...</think>{question}"), 11434)


@pytest.mark.parametrize(("page", "program"), PROGRAMS)
def test_program(page, program, project, server):
    folder = place_of(page, project, "programs")
    if LOCAL_SERVER in program:
        server.start(folder)
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_what_a_command_reads_is_on_a_page_or_made_by_a_command():
    """Files of the repository are not there for whoever has installed the package."""
    folders = sorted(path.name for path in ROOT.iterdir() if path.is_dir() and path.name not in ("docs", ".git"))
    pattern = re.compile(rf"(?<![\w./-])(?:{'|'.join(map(re.escape, folders))})/[\w.]")
    for line in (line for param in (*COMMANDS, *PROGRAMS) for line in str(param.values[-1]).splitlines()):
        assert not pattern.search(line), line
    assert len(FILES) >= 6


def test_every_command_is_documented():
    text = "\n".join(page.read_text() for page in PAGES)
    for name in command_names():
        assert f"embassay {name}" in text


def test_the_documented_configuration_is_one(tmp_path):
    """Every YAML block is read as embassay reads it, whole or as part of one file."""
    (tmp_path / "our-models.toml").write_text(blocks(ROOT / "docs" / "configuration.md", "toml")[0])
    found = [(page, block) for page in PAGES for block in blocks(page, "yaml")]
    assert len(found) > 10
    for page, block in found:
        (tmp_path / "embassay.yaml").write_text(block)
        with Registry(load_config(tmp_path / "embassay.yaml", env={})) as models:
            for name in models.names():
                assert models.settings(name), page
                models.card(name)


def test_provider_pages_are_those_of_the_code():
    """Written by `python -m tools.provider_docs`."""
    sys.path.insert(0, str(ROOT))
    from tools.provider_docs import FOLDER, pages

    assert {page.stem: page.read_text("utf-8") for page in FOLDER.glob("*.md")} == pages()


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)  # a screen may show a link
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", prose):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


HOUSE = (ROOT / "docs" / "internals.md").read_text("utf-8")
PACKAGE = ROOT / "src" / "embassay"


def drawn() -> list[list[str]]:
    """The folders and files of each row of the house's table."""
    rows = [row.split("|")[1] for row in HOUSE.splitlines() if row.startswith("| `")]
    house = rows[: rows.index(" `cli/` ") + 1]
    return [[name.rstrip("/") for name in re.findall(r"`([^`]+)`", row)] for row in house]


def test_the_house_is_drawn_as_it_stands():
    """Every path of the page exists, and every folder and file of the package stands in its table once."""
    paths = re.findall(r"(?<![\w./-])[a-z_]+(?:/[a-z_]+)*\.py(?!\w)", HOUSE)
    assert len(paths) > 50
    assert [path for path in paths if not (PACKAGE / path).is_file()] == []
    there = [path.name for path in PACKAGE.iterdir() if path.suffix in ("", ".py") and not path.name.startswith("__")]
    assert sorted(name for row in drawn() for name in row) == sorted(there)


def test_the_house_stands_in_the_order_of_imports():
    """No row imports a row below it: the table agrees with the contract that `lint-imports` checks."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (contract,) = (one for one in settings["tool"]["importlinter"]["contracts"] if one["type"] == "layers")
    layers = [re.findall(r"embassay\.(\w+)", layer) for layer in reversed(contract["layers"])]
    level = {name: at for at, layer in enumerate(layers) for name in layer}
    levels = [[level[name] for row_name in row if (name := row_name.removesuffix(".py")) in level] for row in drawn()]
    flat = [row for row in levels if row]
    assert len(flat) > 15
    assert all(max(above) <= min(below) for above, below in pairwise(flat))
