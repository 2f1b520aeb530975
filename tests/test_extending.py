"""Every plugin of docs/extending.md: as one installed package, found by its entry points, held to its contract."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import httpx
import pytest

import embassay
from embassay.cli import exits
from embassay.embedders.providers.hash import hashed
from embassay.evaluate.data.judged import FORMATS
from embassay.evaluate.judge.make import MAKERS
from embassay.models.provider import PROVIDERS, Provider
from embassay.monitor.base import SIGNALS
from embassay.reranking.http.driver import HttpReranker
from embassay.session import Session
from embassay.stores.opening import BACKENDS
from embassay.testing import check_embedder, check_reader, check_reranker, check_store
from tests.ingest.readers.pdf_files import lines, pdf
from tests.servers import Answer, serving

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "extending.md").read_text("utf-8")
PACKAGES = (
    "embassay.ingest.readers",
    "embassay.ingest.ocr",
    "embassay.reranking.rerankers",
    "embassay.search.stages",
    "embassay.cli.commands",
    "embassay.agents.tools",
    "embassay.server.routes",
    "embassay.server.dashboard.pages",
    SIGNALS,
    BACKENDS,
    PROVIDERS,
    FORMATS,
    MAKERS,
)
"""Whose modules are plugins."""
FILM = "0:00:01.000,0:00:02.000\nRotate\nthe key\n\n0:00:03.000,0:00:04.000\nNow.\n"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


MODULES = {re.match(r"# (\w+)\.py: ", block)[1]: block for block in blocks("python")}  # type: ignore[index]
JOINED, CARD = blocks("toml")
ENTRY_POINTS: dict[str, dict[str, str]] = tomllib.loads(JOINED)["project"]["entry-points"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder on the path in which the package of the page is installed."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "my_package").mkdir()
    for name, source in {"__init__": "", **MODULES}.items():
        (folder / "my_package" / f"{name}.py").write_text(source, "utf-8")
    for template in blocks("html"):
        name = re.match(r"\{# (\w+\.html): ", template)[1]  # type: ignore[index]
        (folder / "my_package" / name).write_text(template, "utf-8")
    installed = folder / "my_package-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    groups = (
        "\n".join([f"[{group}]", *(f"{name} = {value}" for name, value in points.items())])
        for group, points in ENTRY_POINTS.items()
    )
    (installed / "entry_points.txt").write_text("\n".join(groups))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield folder


@pytest.fixture
def project(site, tmp_path, monkeypatch):
    """A folder with documents and a model that needs no files, worked in; `run` is its command line."""
    (tmp_path / "embassay.yaml").write_text("embeddings: {default_model: trigrams/any}\ncards: [our-models.toml]\n")
    (tmp_path / "our-models.toml").write_text(CARD)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "film.sbv").write_text(FILM)
    sections = "".join(
        f"# Part {i}\n\nHow often is the key of part {i} rotated?\n\nEvery {i} days.\n\n" for i in range(40)
    )
    (tmp_path / "docs" / "keys.md").write_text(sections)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("EMBASSAY_HOME", str(tmp_path / ".embassay"))
    return tmp_path


def run(*arguments: str, code: int = 0) -> str:
    command = [sys.executable, "-m", "embassay.cli.main", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_the_entry_points_of_the_page_are_found(project):
    groups = {f"embassay.{package.rpartition('.')[2]}": package for package in PACKAGES}
    assert ENTRY_POINTS.keys() == groups.keys(), "the page joins every kind of plugin"
    wanted = [(groups[group], name) for group, points in ENTRY_POINTS.items() for name in points]
    program = f"from embassay import plugins\nfor one in {wanted!r}: print(plugins.load(*one).__name__)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert found == [value for points in ENTRY_POINTS.values() for value in points.values()]


def test_the_reader(project):
    (document,) = check_reader(import_module("my_package.sbv"), project / "docs" / "film.sbv")  # type: ignore[arg-type]
    assert document.text == "Rotate the key\nNow."
    run("index", "docs")
    found = json.loads(run("search", "rotate now", "--mode", "lexical", "--where", 'path ~ "**/*.sbv"', "--json"))
    assert [hit["text"] for hit in found["hits"]] == [document.text]


def test_the_engine_for_ocr(project):
    scan = project / "docs" / "scan.pdf"
    scan.write_bytes(pdf(["/Im1 Do", lines("Printed.")]))
    scan.with_suffix(".1.txt").write_text("Written by hand.")
    run("index", "docs")
    found = json.loads(run("search", "written hand", "--mode", "lexical", "--where", 'path ~ "**/*.pdf"', "--json"))
    assert [(hit["section"], hit["text"]) for hit in found["hits"]] == [("page 1", "Written by hand.\nPrinted.")]


def test_the_store(project):
    module = import_module("my_package.onefile")
    check_store(module, module.settings_in(project / "rows"))  # type: ignore[arg-type]
    scores = json.loads(run("eval", str(ROOT / "examples/judged"), "--store", "onefile", "--json"))
    assert scores["metrics"] == json.loads(run("eval", str(ROOT / "examples/judged"), "--json"))["metrics"]


def test_two_processes_see_one_store(project):
    """As two stores of one file: what one writes, the other reads."""
    from embassay.stores.values import VECTOR, Collection
    from embassay.testing import sample_chunks

    module = import_module("my_package.onefile")
    settings, collection = module.settings_in(project), Collection.single("one", 8)
    ours = module.open_store(settings, collection, create=True)
    others = module.open_store(settings, collection)
    chunks, vectors = sample_chunks(5, 8)
    others.upsert(chunks, {VECTOR: vectors})
    with ours.snapshot() as version:
        assert version.count() == 5


def test_the_provider_over_http(project):
    """It embeds through a server that speaks its protocol, and keeps every promise of the contract."""
    module = import_module("my_package.acme")
    with serving(lambda request: Answer({"vectors": hashed(request.json["texts"], 64).tolist()})) as server:
        settings = module.Settings(model_id="m", base_url=server.url, region="us")
        check_embedder(Provider("acme", module).open(settings, None))
        assert server.received[0].json["region"] == "us"


def test_the_provider_that_computes_itself(project):
    module = import_module("my_package.trigrams")
    embedder = Provider("trigrams", module).open(module.Settings(model_id="any"), None)
    check_embedder(embedder)
    asked, near, far = embedder.embed(["rotating a key", "rotated keys", "the proxy"], "document").vectors
    assert asked @ near > 0.3 > asked @ far
    assert json.loads(run("embed", "-c", "a key", "--role", "query", "--json"))["model"] == "trigrams/512"


def test_the_reranker(project):
    """It ranks through a server that speaks its protocol, and keeps every promise of the contract."""
    module = import_module("my_package.clicks")

    def answer(request):
        results = [{"index": at, "score": len(text) % 7} for at, text in enumerate(request.json["texts"])]
        return Answer({"results": results})

    with serving(answer) as server:
        reranker = HttpReranker(module.open_api(module.Settings(model_id="m", base_url=server.url, days=7)))
        check_reranker(reranker)
        assert server.received[0].json["days"] == 7


def test_the_stage(project):
    run("index", "docs")
    said = "dense(100) | lexical(100) >> convex(0.75) >> spread(1) >> top(5)"
    found = json.loads(run("search", "rotate the key", "--pipeline", said, "--explain", "--json"))
    assert found["pipeline"] == said and found["trace"][3]["stage"] == "spread(1)"
    assert sorted(hit["path"] for hit in found["hits"]) == ["docs/film.sbv", "docs/keys.md"]


def test_the_format(project):
    (project / "faq").mkdir()
    (project / "faq" / "faq.csv").write_text("question,answer\nhow old is the key,Three days.\nwho made it,A smith.\n")
    assert json.loads(run("eval", "faq", "--json"))["queries"] == 2


def test_the_maker(project):
    made = json.loads(run("judge", "new", "docs", "--out", "judged", "--by", "question", "-n", "9", "--json"))
    assert made["sources"] == {"question": 9}
    queries = [json.loads(line)["text"] for line in (project / "judged" / "queries.jsonl").read_text().splitlines()]
    assert all(re.fullmatch(r"How often is the key of part \d+ rotated\?", query) for query in queries)
    corpus = (project / "judged" / "corpus.jsonl").read_text()
    assert not any(query in corpus for query in queries), "they are taken out of what answers them"


def test_the_source(project):
    """Records are indexed, searched, and changed; only what changed is embedded."""
    index_records = import_module("my_package.tickets").index_records
    trigrams = import_module("my_package.trigrams")
    texts = {"ticket 1": "Rotate the key.", "ticket 2": "Restart the proxy.", "ticket 3": "Nothing works."}
    with Session() as session:
        session.models.register("trigrams/any", trigrams.open_embedder(None, None))
        with embassay.open(session=session) as home:
            assert index_records(home, "tickets", texts).embedded == 3
            (hit,) = home.search("rotating keys", k=1, set="tickets").hits
            assert (hit.chunk.path, hit.chunk.text) == ("ticket 1", "Rotate the key.")
            report = index_records(home, "tickets", {**texts, "ticket 2": "It answers."} | {"ticket 4": "New."})
            assert (report.embedded, report.chunks, report.removed) == (2, 4, 0)
            del texts["ticket 3"]
            assert index_records(home, "tickets", texts).removed == 2
            assert home.search("nothing works", set="tickets", mode="lexical").hits == []


def test_the_command_and_its_error(project):
    run("index", "docs")
    assert json.loads(run("files", "--json")).keys() == {"docs/film.sbv", "docs/keys.md"}
    assert "docs/keys.md" in run("files") and "List the files" in run("files", "--help")
    for file in (project / "docs").iterdir():
        file.unlink()
    run("index", "docs")
    error = json.loads(run("files", "--json", code=exits.ExitCode.USAGE))["error"]
    assert (error["code"], error["remedy"]) == ("nothing_to_list", "embassay index FOLDER --set default")


def test_the_tool(project):
    run("index", "docs", "--set", "outlined")
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "a", "version": "1"}}
    call = {"name": "outline", "arguments": {"id": "docs/keys.md", "set": "outlined"}}
    messages = [("initialize", hello), ("tools/list", {}), ("tools/call", call), ("tools/call", {"name": "outline"})]
    answers = {}
    with subprocess.Popen(
        [sys.executable, "-m", "embassay", "mcp"], cwd=project, stdin=-1, stdout=-1, text=True
    ) as agent:
        for at, (method, params) in enumerate(messages):
            agent.stdin.write(json.dumps({"jsonrpc": "2.0", "id": at, "method": method, "params": params}) + "\n")
            agent.stdin.flush()
            answers[at] = json.loads(agent.stdout.readline())["result"]
        agent.stdin.close()
    (listed,) = (tool for tool in answers[1]["tools"] if tool["name"] == "outline")
    assert listed["description"].startswith("List the sections") and "id" in listed["inputSchema"]["required"]
    assert answers[2]["structuredContent"]["sections"][0] == "Part 0"
    assert answers[3]["isError"] and "`id`" in answers[3]["content"][0]["text"]


def test_the_dialect(project):
    command = [sys.executable, "-m", "embassay", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=project, stderr=subprocess.PIPE, text=True) as server:
        url = server.stderr.readline().split()[-1]
        try:
            assert httpx.get(f"{url}/.well-known/ready").status_code == 204
            made = httpx.post(f"{url}/vectors", json={"text": "a key", "config": {"task_type": "query"}}).json()
            known = json.loads(run("embed", "-c", "a key", "--role", "query", "--json"))["embeddings"][0]
            assert made["dim"] == len(made["vector"]) == len(known) and made["vector"] == pytest.approx(known, abs=1e-5)
            refused = httpx.post(f"{url}/vectors", json={"text": ""})
            assert refused.status_code == 400 and "empty" in refused.json()["error"]
            assert "/vectors" in httpx.get(f"{url}/openapi.json").json()["paths"]
        finally:
            server.terminate()


def test_the_page(project):
    run("index", "docs", "--set", "titles")
    command = [sys.executable, "-m", "embassay", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=project, stderr=subprocess.PIPE, text=True) as server:
        url = server.stderr.readline().split()[-1]
        try:
            shown = httpx.get(f"{url}/dashboard/sets/titles/untitled").text
            assert "<h1>Documents without a title</h1>" in shown and "docs/film.sbv" in shown
            assert 'href="/dashboard/sets/titles/document?id=docs%2Ffilm.sbv"' in shown
            assert httpx.get(f"{url}/dashboard/sets/none/untitled").status_code == 404
        finally:
            server.terminate()


def test_the_signal(project, monkeypatch):
    monkeypatch.setenv("EMBASSAY_QUERY_LOG", "kept")

    def said() -> dict[str, object]:
        command = [sys.executable, "-m", "embassay.cli.main", "monitor", "check", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1), done.stderr  # other signals may alert
        (checked,) = json.loads(done.stdout)["sets"]
        (found,) = (one for one in checked["readings"] if one["signal"] == "long-queries")
        return found

    run("index", "docs", "--set", "keys")
    with embassay.open() as home:
        for part in range(60):
            home.search(f"key {part}", set="keys")
    assert said()["state"] == "unknown"
    run("monitor", "baseline")
    assert said()["state"] == "ok" and said()["remedy"] == ""
    with embassay.open() as home:
        for part in range(200):
            home.search(f"how often is the key of the old part {part} rotated by people", set="keys")
    found = said()
    assert found["state"] == "warn" and found["value"] > 1.5 * found["figures"]["usual"]
    assert "embassay queries list --set keys" in found["remedy"] and "rotated" not in found["evidence"]


def test_the_card(project):
    assert json.loads(run("models", "show", "ours/spelling", "--json"))["dimensions"] == 512
    assert json.loads(run("embed", "-c", "a", "--role", "query", "-m", "ours/spelling", "--json"))["model"]


def test_the_paths_of_the_page_exist():
    paths = re.findall(r"`((?:src|tests)/[^`]+)`", PAGE)
    assert len(paths) > 20
    assert [path for path in paths if not (ROOT / path).exists()] == []
