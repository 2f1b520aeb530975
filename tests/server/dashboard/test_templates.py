"""What stands in the templates of the dashboard: commands that there are, and pages that there are."""

import re
import shlex
from pathlib import Path

import pytest
import typer.main

import embassay.server.dashboard
from embassay.cli.main import build
from embassay.server.dashboard.shell import pages

FOLDER = Path(embassay.server.dashboard.__file__).parent
TEMPLATES = sorted(FOLDER.rglob("*.html"))
_COMMAND = re.compile(r"embassay ([a-z-]+ [^<\"\\]*)")
_LINK = re.compile(r"\bat\(((?:\"[a-z]+\"|[\w.]+)(?:, (?:\"[a-z]+\"|[\w.]+(?=[,)])))*)")


def commands():
    for file in TEMPLATES:
        for found in _COMMAND.finditer(re.sub(r"\{\{.*?\}\}", "word", file.read_text())):
            yield pytest.param(found[1].strip(), id=f"{file.name}: {found[0][:60]}")


@pytest.mark.parametrize("command", commands())
def test_a_command_that_is_named_is_one(command):
    words = [word for word in shlex.split(command) if word not in ("~",)]
    if words[-1] == "--set":  # the name of the set follows
        words.append("word")
    group = typer.main.get_command(build())
    while hasattr(group, "commands"):
        assert words[0] in group.commands, command
        group = group.commands[words.pop(0)]
    group.make_context("it", words)


def test_a_link_leads_to_a_page():
    known = {re.sub(r"\{\w+\}", "*", one.page.path) for one in pages().values()} | {"login"}
    seen = set()
    for file in TEMPLATES:
        for found in _LINK.finditer(file.read_text()):
            parts = [part.strip() for part in found[1].split(",")]
            path = "/".join(part.strip('"') if part.startswith('"') else "*" for part in parts)
            assert path in known or path == "*", f"{file.name}: {found[0]}"
            seen.add(path)
    assert {"sets/*", "sets/*/document", "jobs/*", "search", "keys"} <= seen


def test_a_form_is_sent_to_what_takes_it():
    known = {
        f"{re.sub(r'{.*?}', '*', one.page.path)}/{form.name}" for one in pages().values() for form in one.page.forms
    }
    sent = re.compile(r"action=\"\{\{ at\(([^)]*)\) \}\}/([a-z]+)\"")
    found = set()
    for file in TEMPLATES:
        for parts, name in sent.findall(file.read_text()):
            path = "/".join(part.strip('"') if part.startswith('"') else "*" for part in parts.split(", "))
            assert f"{path}/{name}" in known, (file.name, path, name)
            found.add(f"{path}/{name}")
    assert {"jobs/*/switch", "keys/create", "search/feedback", "sets/*/migrate/begin"} <= found


def test_no_template_has_what_the_policy_refuses():
    for file in TEMPLATES:
        text = file.read_text()
        assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son\w+=\"|javascript:", text), file.name
        assert not re.search(r"https?://", text), f"{file.name} leads elsewhere"
