"""Remedies in the words of each reader: somebody who typed a command, a program in Python, a client of a server."""

import inspect
import re
from pathlib import Path

import pytest

import embassay
from embassay import remedy
from tests.cli.test_cli import command_names


@pytest.mark.parametrize(
    ("made", "in_shell", "in_python"),
    [
        (
            remedy.command("index", "FOLDER", set="docs", say="Make one"),
            "Make one: embassay index FOLDER --set docs",
            "Make one: index('FOLDER', set='docs')",
        ),
        (
            remedy.command("index", "FOLDER", set="my docs", retry_failed=True, max_file_mb=2.5),
            "embassay index FOLDER --set 'my docs' --retry-failed --max-file-mb 2.5",
            "index('FOLDER', set='my docs', retry_failed=True, max_file_mb=2.5)",
        ),
        (
            remedy.command("status", say="{} lists them."),
            "embassay status lists them.",
            "status() lists them.",
        ),
        (
            remedy.command("judge new", "FOLDER", out="DIR", n=0, say="Make one"),
            "Make one: embassay judge new FOLDER --out DIR -n 0",
            "Make one: embassay judge new FOLDER --out DIR -n 0",
        ),
        (
            remedy.option("set", "NAME", say="Index into another set"),
            "Index into another set: --set NAME",
            "Index into another set: set='NAME'",
        ),
        (
            remedy.setting("spend_cap_usd", say="Raise {} and run it again."),
            "Raise spend_cap_usd and run it again.",
            "Raise spend_cap_usd and run it again.",
        ),
        (remedy.setting("base_url", "http://x"), "base_url: http://x", "base_url: http://x"),
        (remedy.environment("VOYAGE_API_KEY"), "export VOYAGE_API_KEY=...", "export VOYAGE_API_KEY=..."),
        (
            remedy.install("embassay[onnx]") + remedy.command("models list", say="or see {}."),
            "pip install '.[onnx]' in the checkout of embassay or see embassay models list.",
            "pip install '.[onnx]' in the checkout of embassay or see embassay models list.",
        ),
        (remedy.install("embassay", upgrade=True), *["pip install --upgrade . in the checkout of embassay"] * 2),
        (remedy.install("x", no_deps=True), "pip install --no-deps x", "pip install --no-deps x"),
        (remedy.say("Try again.") + "Or not.", "Try again. Or not.", "Try again. Or not."),
        (remedy.say(""), "", ""),
    ],
)
def test_words(made, in_shell, in_python):
    assert made.in_shell() == in_shell
    assert made.in_python() == str(made) == in_python


def test_actions_as_fields():
    made = remedy.command("index", "FOLDER", set="docs", say="Make one") + remedy.option("home", "DIR")
    assert [action.to_dict() for action in made.actions] == [
        {"do": "command", "name": "index", "arguments": ["FOLDER"], "options": {"set": "docs"}},
        {"do": "option", "name": "home", "value": "DIR"},
    ]
    others = remedy.setting("a", "1") + remedy.environment("B") + remedy.install("c")
    assert [action.to_dict() for action in others.actions] == [
        {"do": "setting", "name": "a", "value": "1"},
        {"do": "environment", "name": "B", "value": "..."},
        {"do": "install", "package": "c"},
    ]
    assert remedy.say("Try again.").actions == ()


def test_an_empty_one_is_false_and_adds_nothing():
    assert not remedy.say("") and remedy.say("x")
    assert remedy.say("") + "x" == remedy.say("x") == remedy.say("x") + ""


def test_words_that_are_a_value_already_stay_as_they_are():
    made = remedy.command("doctor")
    assert remedy.say(made) is made


def test_what_is_worded_as_a_call_can_be_called():
    for name in remedy.CALLS:
        assert inspect.isfunction(getattr(embassay.Home, name)), name


SPEAKS_OF_COMMANDS = {
    "remedy.py": "its docstring shows how each reader is told",
    "junit.py": "the name of the test suite",
}


def test_the_library_speaks_of_no_command_and_of_no_option():
    """Whoever calls a function, or a server, knows none: a remedy that is a value is worded for each."""
    package = Path(embassay.__file__).parent
    commands = "|".join(sorted({name.split()[0] for name in command_names()}))
    told = re.compile(rf"(?<![\w<!-])--[a-z][a-z-]*|(?<!from )embassay ({commands})\b")
    for file in package.rglob("*.py"):
        if file.relative_to(package).parts[0] == "cli" or file.name in SPEAKS_OF_COMMANDS:
            continue
        found = [match[0] for match in told.finditer(file.read_text("utf-8"))]
        assert not found, f"{file}: {found}"
