"""No command lets a code through which a terminal would obey, whatever documents, names and servers hold."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import httpx
import pytest
import yaml
from rich.text import Text

from embassay.cli import common
from embassay.cli.exits import ExitCode
from embassay.cli.terminal import guarded, make_console, raw
from tests.cli.test_cli import command_names, run
from tests.cli.test_watch_cli import Watch
from tests.servers import Answer, hash_openai, serving

EVIL = (
    "\x1b]0;title\x07\x1b[2J\x1b]52;c;cm0gLXJm\x07"  # ESC: a title, a cleared screen, the clipboard
    "\x9b31m\x9d0;t\x9c\x90\x85\x7f\x08\r\x00"  # C1: CSI, OSC, DCS, NEL; DEL, backspace, a return
    "\u202egnp.\u202c\u2066\u2069\u200e\u200f\u061c\u2028\u2029\ufeff\U000e0041"  # bidi, line ends, tags
)
OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)
NAME = EVIL.replace("\0", "").replace("/", "")
"""As a file may be called: nothing but NUL and a slash is forbidden there."""
ID = "\x1b[2J\u202e"
SET = "docs"


def clean(words, where=""):
    assert not OBEYED.search(words), (where, OBEYED.search(words), words)


def test_consoles_clean_whatever_they_print(capsys):
    for console in (common.console(), common.messages()):
        console.print(EVIL)
        console.print(Text(EVIL, "bold"), style="dim")
        console.print(f"[b]{EVIL}")
    out, err = capsys.readouterr()
    clean(out)
    clean(err)
    assert out.count("gnp.") == err.count("gnp.") == 3


def test_a_terminal_gets_colours_and_nothing_else():
    stream = io.StringIO()
    console = make_console(stream, force_terminal=True, color_system="truecolor", width=80)
    console.print(Text(f"a{EVIL}b", "red"))
    with console.status(f"a{EVIL}"):
        pass
    assert "\x1b[31m" in stream.getvalue()
    left = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue()).replace("\r", "")
    clean(left)


def test_what_forgets_the_console_is_cleaned_too(capsys):
    with guarded():
        print(EVIL)
        print(EVIL, file=sys.stderr)
        sys.stdout.writelines([EVIL, EVIL])
        common.print_json({EVIL: EVIL})
        assert raw(sys.stdout) is not sys.stdout and sys.stdout.isatty() is False
    out, err = capsys.readouterr()
    clean(out)
    clean(err)


def test_json_is_escaped_and_whole(capsys):
    data = {f"key{EVIL}": [EVIL, "é 中 👩‍👩‍👧 نص", "\ud800", "C:\\u202e"]}
    common.print_json(data)
    out = capsys.readouterr().out
    clean(out)
    assert json.loads(out) == data and "é 中 👩‍👩‍👧 نص" in out


# -- every command --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A project whose documents, names, models and service are hostile, and what each command needs to meet them."""
    place = tmp_path_factory.mktemp("hostile")
    docs = place / f"docs{NAME}"
    docs.mkdir()
    for at in range(6):
        (docs / f"{at}{NAME}\n.md").write_bytes(
            f"# Section {at} {NAME}\n\nrotate the key {at} {NAME}\n\n## Deeper {NAME}\n\n[a link {NAME}](0.md)\n".encode()
        )
    (docs / f"bad{NAME}.pdf").write_bytes(b"%PDF " + EVIL.encode())
    (docs / f"big{NAME}.md").write_text("a b " * 5_000)
    judged = place / f"judged{NAME}"
    (judged / "qrels").mkdir(parents=True)
    rows = [{"_id": f"d{i}{ID}", "title": f"title {EVIL}", "text": f"rotate the key {i} {EVIL}"} for i in range(9)]
    (judged / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    queries = [{"_id": f"q{i}{ID}", "text": f"key {i} {EVIL}"} for i in range(4)]
    (judged / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in queries))
    lines = [f"q{i}{ID}\td{i}{ID}\t1\n" for i in range(4)]
    (judged / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(lines))
    (place / "questions.txt").write_text(f"which key {EVIL}".replace("\n", " ").replace("\r", " ") + "\n")
    (place / "pairs.tsv").write_text("".join(f"one {EVIL[:40]}\ttwo {i}\t{i}.0\n".replace("\r", "") for i in range(5)))
    (place / "labels.jsonl").write_text(
        "".join(json.dumps({"text": f"t{i}{EVIL}", "label": f"l{i % 2}{EVIL}"}) + "\n" for i in range(8))
    )
    (place / "records.jsonl").write_text(json.dumps({"id": f"r{ID}", "text": f"key {EVIL}", f"by{EVIL}": EVIL}) + "\n")
    (place / f"models{NAME}.csv").write_text(f"id,downloads\nm{EVIL.replace(chr(13), '')},5\nn{ID},lots{ID}\n")
    write_config(place, "http://127.0.0.1:9")
    return place, docs, judged


def write_config(place, url):
    (place / "embassay.yaml").write_text(yaml.safe_dump(config(url)))


def config(url):
    key = {"provider": "openai", "base_url": url, "api_key": "k", "retries": 0}
    models = {
        f"words{NAME}": {"provider": "hash", "dimensions": 64},
        f"served{NAME}": {**key, "model_id": f"m{NAME}"},
        f"short{NAME}": {"provider": "hash", "dimensions": 32},
        "gone": {**key, "model_id": "m"},
        "plain": {"provider": "hash", "dimensions": 64},
    }
    return {
        "embeddings": {"models": models, "default_model": f"words{NAME}"},
        "reranking": {"models": {f"served{NAME}": {**key, "provider": "jina", "model_id": f"m{NAME}"}}},
        "glossary": {"JWT": f"token {NAME}"},
    }


COMMANDS = {
    "index": ["{docs}", "--set", SET],
    "search": ["rotate the key", "--set", SET, "--explain", "--full"],
    "status": [],
    "doctor": [],
    "embed": ["-c", f"text {EVIL}".replace("\0", ""), "--role", "query"],
    "eval": ["{judged}", "-m", "plain"],
    "compare": ["plain", f"words{NAME}", "gone", "--judged", "{judged}"],
    "rerank": [f"rotate {NAME}", "--documents", "records.jsonl", "--model", f"served{NAME}"],
    "compress": ["--set", SET, "--judged", "{judged}"],
    "tune-fusion": ["--set", SET, "--judged", "{judged}"],
    "bench": ["gone", "--threads", "1"],
    "cost": ["{docs}"],
    "judge new": ["{docs}", "--out", "made"],
    "judge add": ["made", "--query", f"a query {NAME}", "--relevant", f"none{NAME}"],
    "judge check": ["{judged}"],
    "judge label": ["{judged}", "plain", f"short{NAME}", "gone", "--questions", "questions.txt"],
    "similarity pairs": ["pairs.tsv", "-m", "plain"],
    "similarity labels": ["labels.jsonl", "labels.jsonl", "-m", "plain"],
    "models list": ["--provider", NAME],
    "models show": [f"minilm{NAME}"],
    "models probe": ["gone"],
    "models recommend": [],
    "models decide": ["--tree", "funnel", "--from", f"models{NAME}.csv"],
    "config show": [],
    "config check": ["--health"],
    "config allow": [],
    "config deny": [],
    "log": [SET],
    "ls": [SET],
    "sets list": [],
    "sets show": [SET],
    "sets rename": [SET, SET],
    "sets default": [SET],
    "sets delete": [f"none{NAME}", "--yes"],
    "add": ["records.jsonl", "--set", SET, "--upsert"],
    "migrate": [SET, "--to", f"short{NAME}", "--strict"],
    "switch": [SET, "--force", "--why", f"tried {NAME}", "--trial", "1d", "--judged", "{judged}"],
    "trial": [SET],
    "rollback": [SET],
    "relink": [SET, "--to", f"short{NAME}"],
    "gc": ["--apply"],
    "export": [SET, f"out{NAME}", "--overwrite"],
    "import": [f"out{NAME}", "--set", f"copied{NAME}"],
    "sets create": [f"made{NAME}", "{docs}", "--auto-embed", "on_create"],
    "delete": [SET, "--path", f"none{NAME}/**", "--yes"],
    "feedback": ["--last", "--up"],
    "mcp": ["--set", SET],
    "monitor check": ["--daily"],
    "monitor alerts": ["--all"],
    "monitor dismiss": ["7"],
    "monitor report": ["--set", SET, "--html", f"searches{NAME}.html"],
    "monitor baseline": ["--set", SET, "--judged", "{judged}"],
    "queries list": [],
    "queries show": [],
    "queries export": [f"queries{NAME}.jsonl"],
    "queries prune": [],
    "queries clear": ["--yes"],
    "cache stats": [],
    "cache prune": ["--max-gb", "1"],
    "cache clear": ["--yes"],
    "keys create": ["ci", "--sets", f"docs{NAME}", "--models", f"m{NAME}"],
    "challenge": ["--url", "http://127.0.0.1:9"],
    "keys list": [],
    "keys rotate": ["ci"],
    "keys revoke": [f"ci{NAME}"],
}


LOGGED = {"EMBASSAY_QUERY_LOG__QUERIES": "kept"}
SERVED = {"bench", "compare", "models probe", "config check"}
"""Commands that ask the service here: it answers them well, and with a hostile refusal."""


def test_no_command_is_forgotten():
    assert set(COMMANDS) | {"watch", "serve"} == set(command_names()), "these have tests of their own"


def test_watch(hostile):
    place, docs, _ = hostile
    watch = Watch(place, docs, "--set", "watched")
    shown = watch.line() + watch.until("Quarantined")
    code, out, err = watch.ended(signal.SIGINT)
    clean(shown + out, "watch")
    clean(err, "watch")
    assert code == ExitCode.INTERRUPTED and "Watching" in shown


@pytest.mark.parametrize("as_json", [False, True])
def test_serve(hostile, as_json):
    place, _, _ = hostile
    command = [sys.executable, "-m", "embassay", "serve", "--port", "0", *(["--json"] if as_json else [])]
    with subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        told = (process.stdout if as_json else process.stderr).readline()
        url = json.loads(told)["serving"][0] if as_json else told.split()[-1]
        assert httpx.get(f"{url}/v1/models").status_code == 200
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    clean(told + out, "serve")
    clean(err, "serve")
    assert process.returncode == ExitCode.DONE


@pytest.mark.parametrize("name", ["index", *(name for name in COMMANDS if name != "index")])
def test_every_command(name, hostile, monkeypatch, tmp_path_factory):
    place, docs, judged = hostile
    monkeypatch.setenv("XDG_STATE_HOME", str(place.parent / "state"))
    if name not in ("index", "judge new") and not (place / ".embassay").exists():
        run("index", docs, "--set", SET, cwd=place)
    if name.startswith(("queries", "feedback", "monitor")):
        run("search", f"rotate {EVIL}".replace("\0", ""), "--set", SET, cwd=place, env=LOGGED)
    arguments = [part.format(docs=docs, judged=judged) if part.startswith("{") else part for part in COMMANDS[name]]

    def refuse(request):
        return Answer({"error": {"message": f"no {EVIL}", "code": EVIL}}, 400, {"X-Request-Id": "a"})

    for handle in (refuse, hash_openai(64)) if name in SERVED else (refuse,):
        with serving(handle) as server:
            write_config(place, f"{server.url}/v1")
            for as_json in ([], ["--json"]):
                _, out, err = run(*name.split(), *arguments, *as_json, cwd=place)
                clean(out, name)
                clean(err, name)
                if as_json and out:
                    json.loads(out)
                assert "unexpected" not in err, err


def test_a_hit_is_found_and_shown(hostile):
    """The walk above would prove nothing of documents that are not there."""
    place, docs, _ = hostile
    run("index", docs, "--set", SET, cwd=place)
    _, out, _ = run("search", "rotate the key", "--set", SET, "--json", cwd=place, check=0)
    hit = json.loads(out)["hits"][0]
    assert "\x1b" in hit["path"] and "\u202e" in hit["text"] + hit["section"], "JSON loses nothing"
    _, out, _ = run("search", "rotate the key", "--set", SET, cwd=place, check=0)
    heads = [line for line in out.splitlines() if re.match(r" ?\d+  docs", line)]
    assert len(heads) == 10, "each hit has one line that says where it is, whatever line breaks its name holds"


def test_names_of_sets_in_a_home_that_was_found(hostile):
    place, docs, _ = hostile
    run("index", docs, "--set", SET, cwd=place)
    with closing(sqlite3.connect(place / ".embassay" / "state.db")) as db:
        for table, column in (("sets", "name"), ("generations", "set_name")):
            db.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (f"docs{EVIL}", SET))
        db.commit()
    for command in (
        ["status"],
        ["status", "--json"],
        ["doctor"],
        ["doctor", "--json"],
        ["search", "x"],
        ["search", "x", "--json"],
    ):
        _, out, err = run(*command, cwd=place)
        clean(out, command)
        clean(err, command)
        assert "gnp." in out + err


def test_a_traceback_is_clean(hostile):
    place, _, _ = hostile
    done = subprocess.run(
        [sys.executable, "-m", "embassay.cli.main", "models", "show", f"x{NAME}"], cwd=place, capture_output=True,
        env={**os.environ, "EMBASSAY_DEBUG": "1"}, check=False,
    )  # fmt: skip
    clean(done.stderr.decode())
    clean(done.stdout.decode())
    assert b"Traceback" in done.stderr


def test_reports_are_clean(hostile):
    place, docs, judged = hostile
    run("index", docs, "--set", SET, cwd=place)
    run("search", f"rotate {EVIL}".replace("\0", ""), "--set", SET, cwd=place, env=LOGGED)
    run("monitor", "report", "--set", SET, "--html", "searches.html", cwd=place, env=LOGGED)
    clean((place / "searches.html").read_text("utf-8"))
    run("compare", "plain", f"words{NAME}", "--judged", judged, "--report", "report.html", cwd=place)
    clean((place / "report.html").read_text("utf-8"))
