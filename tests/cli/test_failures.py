"""Every command that fails: one line on stderr, and with --json one document alone on stdout."""

from __future__ import annotations

import functools
import json
import subprocess
import sys

import pytest
import typer

from embassay import errors, plugins, remedy
from embassay.cli import main as entry
from embassay.cli.exits import ExitCode
from tests.cli.test_cli import command_names

FAULTS = [
    (errors.SetNotFound("no set 'a'.", remedy=remedy.command("index", "F", set="a")), "set_not_found", ExitCode.FAILED),
    (errors.ConfigError("that cannot be."), "config_error", ExitCode.USAGE),
    (errors.TextTooLong(1, 300, 256), "text_too_long", ExitCode.FAILED),
    (KeyboardInterrupt(), "interrupted", ExitCode.INTERRUPTED),
    (typer.Abort(), "declined", ExitCode.FAILED),
    (PermissionError(13, "Permission denied", "/x/y"), "os_error", ExitCode.FAILED),
    (MemoryError(), "out_of_memory", ExitCode.FAILED),
    (RuntimeError("a defect\nof ours"), "unexpected", ExitCode.FAILED),
]


def run(monkeypatch, capsys, *arguments):
    """The command line in this process: exit code, stdout, stderr."""
    monkeypatch.setattr(sys, "argv", ["embassay", *arguments])
    with pytest.raises(SystemExit) as left:
        entry.main()
    out, err = capsys.readouterr()
    return left.value.code, out, err


def module_of(name):
    *group, last = name.split()
    return plugins.load(".".join(("embassay.cli.commands", *group)), last)


def needed(name):
    """Values for the arguments that a command does not go without."""
    command = typer.main.get_command(entry.build())
    for part in name.split():
        command = command.commands[part]
    given = []
    for parameter in command.params:
        if parameter.required:
            given += [parameter.opts[0]] if parameter.opts[0].startswith("-") else []
            given.append("1")
    return given


@pytest.mark.parametrize("name", command_names())
def test_whatever_happens_in_a_command_is_told_in_full(name, monkeypatch, capsys):
    module, arguments = module_of(name), needed(name)
    for error, code, exit_code in FAULTS:

        @functools.wraps(module.command)
        def failing(*args, error=error, **kwargs):
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(module, "command", failing)
            left, out, err = run(patch, capsys, *name.split(), *arguments, "--json")
            assert left == exit_code, (error, err)
            told = json.loads(out)
            assert set(told) == {"error"} and told["error"]["code"] == code
            assert {"code", "message", "remedy", "actions"} <= set(told["error"])
            assert len(out.strip().splitlines()) == 1
            (line,) = err.strip().splitlines()
            assert line.startswith(f"embassay: {' '.join(told['error']['message'].split())}")
            if arguments or not getattr(module, "NEEDS_ARGUMENTS", False):
                assert run(patch, capsys, *name.split(), *arguments) == (exit_code, "", err)


@pytest.mark.parametrize("name", command_names())
def test_arguments_that_cannot_be_read(name, monkeypatch, capsys):
    left, out, err = run(monkeypatch, capsys, *name.split(), "--no-such-option", "--json")
    assert left == ExitCode.USAGE and json.loads(out)["error"]["code"] == "usage"
    (line,) = err.strip().splitlines()
    assert "--no-such-option" in line and f"See: embassay {name} --help" in line
    left, out, _ = run(monkeypatch, capsys, *name.split(), "--no-such-option")
    assert left == ExitCode.USAGE and not out


@pytest.mark.parametrize("name", command_names())
def test_a_project_in_which_nothing_is_right(name, monkeypatch, capsys, tmp_path):
    """No patched command: each fails by itself where there is no home, no document, and a broken configuration."""
    (tmp_path / "embassay.yaml").write_text("embeddings: {modles: {}}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMBASSAY_HOME", str(tmp_path / "nowhere"))
    more = {
        "bench": ["--threads", "0"],  # the models that fail are rows of its result
        "challenge": ["--url", "http://127.0.0.1:9"],  # a server may run where one is looked for
    }
    left, out, err = run(monkeypatch, capsys, *name.split(), *needed(name), *more.get(name, ()), "--json")
    assert left in (ExitCode.FAILED, ExitCode.USAGE), out
    assert json.loads(out)["error"]["message"] and len(err.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["embassay.yaml"], "a call that fails leaves nothing behind"


def test_other_ways_to_call_it_wrongly(monkeypatch, capsys):
    for arguments, said in [
        (["serach", "--json"], "no such command 'serach'. Did you mean 'search'?"),
        (["search", "--json"], "missing argument"),
        (["search", "x", "-k", "many", "--json"], "invalid value for '-k'"),
        (["judge", "--json"], "no such option"),
        (["status", "more", "--json"], "unexpected extra argument"),
    ]:
        left, out, err = run(monkeypatch, capsys, *arguments)
        assert left == ExitCode.USAGE and said in json.loads(out)["error"]["message"] and said in err


def test_json_is_asked_for_by_an_option_only(monkeypatch, capsys):
    left, out, _ = run(monkeypatch, capsys, "search", "x", "y", "--", "--json")
    assert left == ExitCode.USAGE and not out
    left, out, _ = run(monkeypatch, capsys, "embed", "--role", "none", "-c", "x", "--format", "json")
    assert left == ExitCode.USAGE and json.loads(out)["error"]["code"] == "usage"


def test_fields_of_an_error(monkeypatch, capsys):
    """What a program would otherwise have to read out of the sentence; remedies are worded as commands."""

    @functools.wraps(module_of("status").command)
    def failing(**kwargs):
        raise errors.TextTooLong(1, 300, 256)

    monkeypatch.setattr(module_of("status"), "command", failing)
    _, out, err = run(monkeypatch, capsys, "status", "--json")
    told = json.loads(out)["error"]
    assert (told["position"], told["tokens"], told["limit"]) == (1, 300, 256)
    assert told["actions"][0] == {"do": "option", "name": "on_long", "value": "truncate"}
    assert "--on-long truncate" in told["remedy"] and "--on-long truncate" in err


def test_a_defect_is_shown_in_full_where_that_is_asked_for(monkeypatch, capsys):
    @functools.wraps(module_of("status").command)
    def failing(**kwargs):
        raise RuntimeError("a defect")

    monkeypatch.setattr(module_of("status"), "command", failing)
    monkeypatch.setenv("EMBASSAY_DEBUG", "1")
    monkeypatch.setattr(sys, "argv", ["embassay", "status"])
    with pytest.raises(RuntimeError, match="a defect"):
        entry.main()


def test_where_there_is_no_room_for_the_answer(tmp_path):
    """A full disk: the exit code tells, and nothing complains while Python ends."""
    for options in ("--json", ""):
        command = f"{sys.executable} -m embassay.cli.main cache stats {options} > /dev/full"
        done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == ExitCode.FAILED
        assert done.stderr == "embassay: No space left on device.\n"


def test_nobody_reads_the_error(tmp_path):
    pipe = f"{sys.executable} -m embassay.cli.main status --json | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", pipe], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr and done.stdout.strip() == "1"


def test_ctrl_c_before_the_command_began(monkeypatch, capsys):
    """Typer ends with a bare 130 where it is stopped while it parses."""
    app = typer.Typer()

    @app.command()
    def parsing(json: bool = False) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(entry, "build", lambda _: app)
    code, out, err = run(monkeypatch, capsys, "--json")
    assert (code, json.loads(out)["error"]["code"], err) == (
        ExitCode.INTERRUPTED,
        "interrupted",
        "embassay: stopped.\n",
    )
