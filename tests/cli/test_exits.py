"""Exit codes: one table, from which the help and the docs are made."""

import ast
import re
from pathlib import Path

import embassay.cli
from embassay import errors
from embassay.cli import exits
from embassay.cli.exits import ExitCode

ROOT = Path(__file__).parents[2]


def test_numbers_that_scripts_rely_on():
    assert {code.name: code.value for code in ExitCode} == {
        "DONE": 0, "FAILED": 1, "USAGE": 2, "QUARANTINED": 3, "GATE_FAILED": 4, "PAUSED": 5, "INTERRUPTED": 130, "TERMINATED": 143,
    }  # fmt: skip


def test_what_an_error_exits_with():
    assert exits.of(errors.ConfigError("x")) is exits.of(errors.PluginError("x")) is ExitCode.USAGE
    assert exits.of(errors.SetNotFound("x")) is exits.of(ValueError()) is ExitCode.FAILED
    assert exits.of(KeyboardInterrupt()) is exits.of(errors.Interrupted("x")) is ExitCode.INTERRUPTED


def test_the_docs_hold_the_table():
    assert exits.markdown() in (ROOT / "docs" / "json.md").read_text("utf-8")


def test_the_help_names_every_code():
    for code in ExitCode:
        assert f"{code.value} {code.words}" in exits.EPILOG


def test_no_command_exits_with_a_number_of_its_own():
    for file in Path(embassay.cli.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("typer.Exit", "SystemExit", "sys.exit"):
                assert not any(isinstance(argument, ast.Constant) for argument in node.args), f"{file}:{node.lineno}"


def test_whatever_says_exit_code_names_one_of_them():
    known = {code.value for code in ExitCode}
    for file in (*Path(embassay.cli.__file__).parent.rglob("*.py"), *(ROOT / "docs").rglob("*.md"), ROOT / "README.md"):
        for number in re.findall(r"exit code (\d+)", file.read_text("utf-8"), re.IGNORECASE):
            assert int(number) in known, file
