"""The command line as people and programs see it: exit codes, JSON shapes, one-line errors."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from embassay import __version__, plugins


def run(*arguments, cwd, stdin=b"", check=None, env=None):
    """The real command in a process of its own."""
    import os

    done = subprocess.run(
        [sys.executable, "-m", "embassay.cli.main", *map(str, arguments)],
        cwd=cwd, input=stdin, capture_output=True, check=False, env={**os.environ, **(env or {})},
    )  # fmt: skip
    out, err = done.stdout.decode(), done.stderr.decode()
    assert "Traceback" not in out + err, err
    if check is not None:
        assert done.returncode == check, out + err
    return done.returncode, out, err


def test_index_json(project):
    _, out, _ = run("index", "docs", "--model", "../model", "--json", cwd=project, check=0)
    report = json.loads(out)
    assert set(report) == {
        "set", "space", "space_digest", "language", "files", "unchanged", "removed", "embedded", "cached", "chunks", "waiting", "usd",
        "skipped",        "quarantined", "read_in_part", "seconds", "notices",
    }  # fmt: skip
    assert report["files"] == 5 and report["chunks"] == report["embedded"] > 0


def test_search_json(indexed):
    _, out, _ = run("search", "rotate the key", "-k", 2, "--json", cwd=indexed, check=0)
    found = json.loads(out)
    assert set(found) == {
        "query", "set", "sets", "space", "space_digest", "mode", "took_ms", "answered", "hits", "notices",
        "cascade", "reranked", "spelling", "query_space",
    }  # fmt: skip
    assert (found["query"], found["set"], found["mode"]) == ("rotate the key", "default", "hybrid")
    hit = found["hits"][0]
    assert set(hit) == {
        "rank", "score", "set", "id", "document", "path", "lines", "span", "section", "metadata", "text", "arms",
    }  # fmt: skip
    assert hit["path"] == "docs/keys.md" and len(hit["lines"]) == 2 and hit["lines"][0] >= 1
    assert set(hit["arms"]["lexical"]) == {"rank", "score"}


def test_search_prints_path_and_line(indexed):
    _, out, _ = run("search", "rotate the key", "--explain", cwd=indexed / "docs", check=0)
    assert "keys.md:" in out and "docs/keys.md" not in out, "paths lead from the working folder"
    assert "dense(100) | lexical(100) >> adaptive(0.7) >> top(10)" in out
    assert "lexical #1" in out
    assert [
        line.split()[0]
        for line in out.splitlines()
        if line.startswith((" dense(", " lexical(", " adaptive", " top", " fetch"))
    ] == ["dense(100)", "lexical(100)", "adaptive(0.7)", "top(10)", "fetch"]


def test_search_reads_slips_of_the_keys(indexed):
    _, out, told = run("search", "rotaet the key", "--mode", "lexical", "--expand", "spell", cwd=indexed, check=0)
    assert "Read 'rotaet' as 'rotate': no chunk has the word as it was typed." in told and "keys.md" in out
    _, out, _ = run("search", "rotaet the key", "--expand", "spell", "--json", cwd=indexed, check=0)
    found = json.loads(out)
    assert found["spelling"] == [{"word": "rotaet", "read_as": "rotate", "at": 0}]
    assert found["query"] == "rotaet the key" and len(found["notices"]) == 1


def test_search_shows_hits_in_their_passages(indexed):
    _, out, _ = run("search", "key", "--parent", "document", "--json", cwd=indexed, check=0)
    hits = json.loads(out)["hits"]
    assert len({hit["document"] for hit in hits}) == len(hits) > 1
    assert all(set(hit["passage"]) == {"lines", "span", "tokens", "chunks"} and "before" in hit for hit in hits)
    _, out, _ = run("search", "rotate the key", "--parent", "section", "-k", 1, cwd=indexed, check=0)
    assert "…" not in out, "the passage is printed whole"
    _, _, told = run("search", "key", "--parent", "chapter", cwd=indexed, check=2)
    assert "no hit is part of a 'chapter'" in told
    _, _, told = run("search", "key", "--parent", "section", "--context", 1, cwd=indexed, check=2)
    assert "context and parent both say what is shown around a hit." in told


def test_search_by_document_with_its_surroundings(indexed):
    _, out, _ = run("search", "key", "--group-by", "document", "--context", 1, "--json", cwd=indexed, check=0)
    hits = json.loads(out)["hits"]
    assert len({hit["document"] for hit in hits}) == len(hits) > 1
    _, out, told = run("search", "key", "--min-score", "dense=2", "--set", "default", cwd=indexed, check=0)
    assert "Nothing found." in out and "No hit has a score of at least dense=2" in told
    _, _, told = run("search", "key", "--min-score", "dens=0.2", cwd=indexed, check=2)
    assert "no arm is called 'dens'. Did you mean 'dense'?" in told
    _, _, told = run("search", "key", "--set", "default", "--set", "default", cwd=indexed, check=2)
    assert "set 'default' is named twice" in told


def test_search_with_a_pipeline(indexed):
    said = "near=dense(3) | far=dense(20) | lexical(20) >> rrf(60) >> top(2)"
    _, out, _ = run("search", "rotate the key", "--pipeline", said, "--explain", "--json", cwd=indexed, check=0)
    found = json.loads(out)
    assert found["pipeline"] == said and len(found["hits"]) == 2 and found["mode"] == "hybrid"
    assert {"near", "far"} <= set(found["hits"][0]["arms"]) and [s["kept"] for s in found["trace"]][-2:] == [2, 2]


def test_status_json(indexed):
    _, out, _ = run("status", "--json", cwd=indexed, check=0)
    status = json.loads(out)
    assert set(status) == {"home", "sets", "spending"} and status["home"].endswith(".embassay")
    (row,) = status["sets"]
    assert {
        "set",
        "space",
        "space_digest",
        "language",
        "documents",
        "chunks",
        "waiting",
        "quarantined",
        "bytes",
        "truncated_chunks",
    } <= set(row)
    assert row["documents"] == 5 and row["bytes"] > 0
    assert {"quarantine", "read_in_part", "skipped", "proven", "coverage"} <= set(row)


def test_what_was_not_read_is_named_by_every_later_command(indexed):
    (indexed / "docs/logo.md").write_bytes(b"\x89PNG\r\n\0\0")
    (indexed / "docs/style.css").write_text("a {}")
    (indexed / "docs/long.md").write_text("---\ntrace: " + "words" * 4_000 + "\n---\nrotate\n")
    for _ in range(2):
        _, out, _ = run("index", "docs", "--json", cwd=indexed, check=0)
        report = json.loads(out)
        assert [(one["path"], one["reason"]) for one in report["skipped"]] == [
            ("docs/logo.md", "binary file"),
            ("docs/style.css", "not a document: a style sheet"),
        ]
        assert [one["path"] for one in report["read_in_part"]] == ["docs/long.md"]
    _, out, _ = run("status", cwd=indexed, check=0)
    assert "Skipped in default 1 file: binary file: docs/logo.md" in out and "docs/style.css" in out
    assert "Read in part in default docs/long.md: the field 'trace'" in out
    _, out, _ = run("doctor", cwd=indexed, check=0)
    assert "1 file read in part, 2 files skipped" in out and "nothing wrong" in out
    _, out, _ = run("doctor", "--json", cwd=indexed, check=0)
    (covered,) = json.loads(out)["coverage"]
    assert (covered["set"], covered["read_in_part"], covered["skipped"], covered["quarantined"]) == ("default", 1, 2, 0)
    assert covered["chars_left_out"] == 10_000 and covered["share"] < 1


def test_embed_json(project):
    _, out, _ = run(
        "embed",
        "-c",
        "a",
        "-c",
        "key " * 99,
        "--role",
        "query",
        "--format",
        "json",
        "-m",
        "../model",
        cwd=project,
        check=0,
    )
    made = json.loads(out)
    assert set(made) == {
        "space",
        "space_digest",
        "role",
        "embeddings",
        "tokens",
        "truncated",
        "model",
        "usage",
        "notices",
    }
    assert made["tokens"] == [3, 101] and made["truncated"] == [False, True] and len(made["embeddings"][0]) == 32
    _, out, _ = run(
        "embed", "--role", "document", "--format", "jsonl", "-m", "../model", cwd=project, stdin=b"a\n\nb\n", check=0
    )
    made = [json.loads(line) for line in out.splitlines()]
    assert [line["text"] for line in made] == ["a", "", "b"], "a blank line keeps its place"
    assert set(made[1]["embedding"]) == {0.0} and any(made[2]["embedding"])


LINES = "a\u2028b\nc\x0cd\x0be\nf\x85g\r\n \nlast ü"
TEXTS = ["a\u2028b", "c\x0cd\x0be", "f\x85g", " ", "last ü"]


@pytest.mark.parametrize(
    ("data", "options", "texts"),
    [
        (LINES.encode(), (), TEXTS),
        ((LINES + "\n").encode(), (), TEXTS),
        ((LINES + "\n\n").encode("utf-8-sig"), (), [*TEXTS, ""]),
        (LINES.encode("utf-16"), (), TEXTS),
        ("größe\n".encode("latin-1"), ("--encoding", "latin-1"), ["größe"]),
        ("交通費\n".encode("shift-jis"), ("--encoding", "shift-jis"), ["交通費"]),
    ],
)
def test_a_line_of_stdin_is_a_text(tmp_path, data, options, texts):
    embed = ("embed", "--role", "document", "-m", "hash/64", "--json", "--with-texts", *options)
    _, out, _ = run(*embed, cwd=tmp_path, stdin=data, check=0)
    made = json.loads(out)
    assert made["texts"] == texts
    assert [any(vector) for vector in made["embeddings"]] == [bool(text.strip()) for text in texts]


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (
            b"a\ncaf\xe9 noir\n",
            (),
            "stdin is not UTF-8: byte 0xE9 in line 2. If that is what it looks like, pass --encoding cp1252",
        ),
        ("a b\nc\n".encode("utf-16-le"), (), "--encoding utf-16-le"),
        ("返品\n".encode(), ("--encoding", "ascii"), "stdin is not ascii: byte 0xE8 in line 1"),
        (b"a", ("--encoding", "klingon"), "there is no encoding 'klingon'"),
        (b"\n \n", (), "stdin holds no text"),
        (b"\x89PNG\r\n\x1a\n\0\0\xff", (), "Pass text"),
    ],
)
def test_stdin_that_is_no_text_in_utf8_is_refused(tmp_path, data, options, message):
    _, out, err = run("embed", "--role", "query", "-m", "hash/64", *options, cwd=tmp_path, stdin=data, check=2)
    assert message in err and not out


def test_texts_that_are_given_keep_their_place(tmp_path):
    _, out, _ = run("embed", "--role", "query", "-m", "hash/64", "-c", "", "-c", "a", "--json", cwd=tmp_path, check=0)
    assert [any(vector) for vector in json.loads(out)["embeddings"]] == [False, True]


def test_embed_in_the_space_of_a_set(indexed):
    _, out, _ = run("embed", "-c", "a", "--role", "query", "--set", "default", "--json", cwd=indexed, check=0)
    assert json.loads(out)["space"].startswith("model@")


def test_doctor(indexed):
    _, out, _ = run("doctor", cwd=indexed, check=0)
    assert "nothing wrong" in out
    (indexed / "docs/keys.md").unlink()
    _, out, _ = run("doctor", "--json", cwd=indexed, check=1)
    (finding,) = [f for f in json.loads(out)["findings"] if f["level"] == "problem"]
    assert finding["check"] == "stale" and finding["remedy"]


def test_quarantine_exits_with_3(indexed):
    (indexed / "docs/bad.pdf").write_bytes(b"%PDF broken")
    _, out, _ = run("index", "docs", cwd=indexed, check=3)
    assert "docs/bad.pdf: not a readable PDF" in out
    _, out, _ = run("status", cwd=indexed, check=0)
    assert "docs/bad.pdf" in out and "--retry-failed" in out


def test_eval_json(project, tmp_path):
    judged = tmp_path / "judged"
    (judged / "qrels").mkdir(parents=True)
    (judged / "corpus.jsonl").write_text(
        '{"_id": "1", "text": "rotate the key"}\n{"_id": "2", "text": "proxy server"}\n'
    )
    (judged / "queries.jsonl").write_text('{"_id": "q", "text": "key"}\n')
    (judged / "qrels/test.tsv").write_text("q\t1\t1\n")
    before = sorted(project.rglob("*"))
    for store in ("memory", "lance"):
        _, out, _ = run(
            "eval", judged, "--json", "--per-query", "-m", "../model", "--store", store, cwd=project, check=0,
            env={"XDG_CACHE_HOME": str(tmp_path / "cache")},
        )  # fmt: skip
        assert sorted(project.rglob("*")) == before, "nothing is written into the working directory"
        left = (tmp_path / "cache").rglob("scratch/*")
        assert {file.name for file in left} <= {"making.lock"}, "and nothing is left in the cache"
        result = json.loads(out)
        assert set(result) == {
            "judged",
            "digest",
            "space_digest",
            "space",
            "precision",
            "mode",
            "pipeline",
            "queries",
            "metrics",
            "intervals",
            "seconds",
            "per_query",
        }
        assert set(result["seconds"]) == {"embed", "search"} and set(result["metrics"]) == {
            "nDCG@10",
            "R@100",
            "RR@10",
            "P@5",
            "AP@100",
        }
        assert result["per_query"]["q"]["RR@10"] in (0.5, 1.0)
    assert {p.name for p in project.iterdir()} == {"docs"}, "an evaluation leaves nothing behind"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["search", "x"], 1, "no .embassay/ in"),
        (["index", "nowhere"], 2, "nowhere: no such file or folder"),
        (["index", "docs", "-m", "nobody/none"], 1, "neither in the Hugging Face cache nor in a package"),
        (["index", "docs", "--precision", "f64"], 2, "precision 'f64' is not one of"),
        (["index", "docs", "--set", "a/b"], 2, "cannot name a set"),
        (["embed", "-c", "x"], 2, "--role"),
        (["embed", "-c", "x", "--role", "passage"], 2, "role 'passage' is not one of"),
        (["embed", "--role", "query", "-c", "x " * 999, "--on-long", "error"], 1, "text 0 has 1,001 tokens, the model takes 256"),
        (["eval", "nowhere"], 2, "nowhere does not exist. Make one: embassay judge new"),
        (["search", "x", "--mode", "fuzzy"], 2, "mode 'fuzzy' is not one of"),
        (["search", "x", "--pipeline", "dens >> top"], 2, "at character 1: no stage is called 'dens'"),
        (["search", "x", "--pipeline", "dense >> top", "-k", "3"], 2, "--pipeline says the mode"),
    ],
)  # fmt: skip
def test_errors_are_one_line(project, arguments, code, message):
    _, out, err = run(*arguments, cwd=project, check=code, env={"HF_HUB_OFFLINE": "1"})
    assert message in err
    assert not out
    assert len(err.strip().splitlines()) == 1


def test_errors_in_a_set(indexed):
    for arguments, message in [
        (["search", ""], "the query is empty"),
        (["search", "x", "--where", "year >"], "cannot be read at character 7"),
        (["search", "x", "--set", "none"], "There are: default"),
        (["search", "x", "-k", "0"], "k is 0"),
        (["status", "--set", "none"], "no set 'none'"),
        (["doctor", "--set", "none"], "no set 'none'"),
    ]:
        _, _, err = run(*arguments, cwd=indexed)
        assert message in err and len(err.strip().splitlines()) == 1


def test_a_reader_of_our_output_may_leave(indexed):
    command = f"{sys.executable} -m embassay.cli.main search key --full | head -1"
    done = subprocess.run(command, shell=True, cwd=indexed, capture_output=True, check=False)
    assert b"Traceback" not in done.stderr and b"BrokenPipe" not in done.stderr
    pipe = f"set -o pipefail; {sys.executable} -m embassay.cli.main search key --full -k 100 --json | head -c 1"
    assert subprocess.run(["bash", "-c", pipe], cwd=indexed, capture_output=True, check=False).returncode == 0


def test_closed_streams(indexed):
    for closed in (">&-", "2>&-", "<&-"):
        command = f"{sys.executable} -m embassay.cli.main search key {closed}"
        done = subprocess.run(["bash", "-c", command], cwd=indexed, capture_output=True, check=False)
        assert b"Traceback" not in done.stderr and done.returncode == 0, (closed, done)


def test_names_with_brackets_are_printed_as_they_are(indexed):
    (indexed / "docs/[slug].pdf").write_bytes(b"%PDF [/red] broken")
    _, out, _ = run("index", "docs", cwd=indexed, check=3)
    assert "docs/[slug].pdf" in out
    assert "docs/[slug].pdf" in run("status", cwd=indexed, check=0)[1]


def command_names(package="embassay.cli.commands", before=""):
    """``index``, ``models list``: every command with its group."""
    for name, module in plugins.load_all(package).items():
        if hasattr(module, "__path__"):
            yield from command_names(module.__name__, f"{name} ")
        else:
            yield before + name


OF_SETS = {"index", "search", "status", "doctor", "embed", "eval"}


@pytest.mark.parametrize("name", command_names())
def test_help_has_examples(name, tmp_path):
    _, out, _ = run(*name.split(), "--help", cwd=tmp_path, check=0)
    assert f"embassay {name}" in out
    assert "--json" in out
    assert name not in OF_SETS or ("--home" in out and "--set" in out)


def test_version_and_no_arguments(tmp_path):
    _, out, _ = run("--version", cwd=tmp_path, check=0)
    assert out.strip() == "0.1.0"
    assert "Start with" in run(cwd=tmp_path)[1]


def test_the_package_is_a_program():
    for module in ("embassay", "embassay.cli.main"):
        done = subprocess.run([sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == __version__


@pytest.mark.parametrize("command", [["search", "key", "--explain"], ["sets", "list"], ["sets", "show"], ["log"]])
def test_lines_that_are_piped_end_with_their_words(indexed, command):
    _, out, _ = run(*command, cwd=indexed, check=0)
    assert out.strip()
    assert [line for line in out.splitlines() if line != line.rstrip()] == []
