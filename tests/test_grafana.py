"""The dashboard of Grafana: its queries are read by a parser of PromQL, and asked of a real Prometheus that scrapes a
running server."""

import json
import math
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import promql_parser
import pytest
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.cross_encoders import SHAPES, write_cross_encoder
from tests.servers import Answer, hash_openai, serving

DEPLOY = Path(__file__).parents[1] / "deploy"
BOARD = json.loads((DEPLOY / "grafana" / "dashboards" / "embassay.json").read_text())
FILLED = {
    "$__rate_interval": "20s",
    "$__interval": "5s",
    "$__range": "60s",
    "$instance": ".*",
    "$set": ".*",
    "$model": ".*",
}
"""What Grafana puts in the place of its variables; All is chosen in each."""


def filled(query):
    for name, value in sorted(FILLED.items(), reverse=True):
        query = query.replace(name, value)
    return query


def panels():
    """All but rows, those of rows that are shut among them."""
    for panel in BOARD["panels"]:
        yield from panel.get("panels", ())
        if panel["type"] != "row":
            yield panel


PANELS = {panel["title"]: panel for panel in panels()}
QUERIES = {
    f"{title} {target['refId']}": target["expr"] for title, panel in PANELS.items() for target in panel["targets"]
} | {f"annotation {one['name']}": one["expr"] for one in BOARD["annotations"]["list"]}
VARIABLES = {one["name"]: one for one in BOARD["templating"]["list"]}
VALUES = re.compile(r"label_values\((?P<series>.+), (?P<label>\w+)\)")


@pytest.mark.parametrize("name", QUERIES)
def test_a_parser_of_promql_reads_the_query(name):
    query = filled(QUERIES[name])
    assert "$" not in query
    promql_parser.parse(query)


def test_the_parser_refuses_what_is_no_query():
    with pytest.raises(ValueError, match="unexpected character"):
        promql_parser.parse(QUERIES["Requests by route A"])


def test_variables_are_asked_of_series_by_their_labels():
    assert set(VARIABLES) == {"datasource", "instance", "set", "model"}
    assert {f"${name}" for name in VARIABLES} - {"$datasource"} <= set(FILLED)
    for name in ("instance", "set", "model"):
        asked = VALUES.fullmatch(VARIABLES[name]["query"]["query"])
        promql_parser.parse(asked["series"])
        assert asked["label"] == name and VARIABLES[name]["multi"] and VARIABLES[name]["includeAll"]


@pytest.mark.parametrize("title", PANELS)
def test_a_panel_says_what_it_shows_and_in_which_unit(title):
    panel = PANELS[title]
    assert panel["description"].endswith(".")
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults.get("unit") or panel["type"] in {"table", "state-timeline"}
    for target in panel["targets"]:
        assert target["datasource"] == panel["datasource"]
        assert target["legendFormat"] or panel["type"] == "stat" if panel["type"] != "table" else target["instant"]
    if panel["type"] == "stat":
        assert defaults["thresholds"]["steps"]


def left_out(given, known, path=""):
    """Paths of what stands in `given` and not in `known`, or differs."""
    if isinstance(given, dict) and isinstance(known, dict):
        for name, value in given.items():
            yield from left_out(value, known.get(name), f"{path}/{name}")
    elif isinstance(given, list) and isinstance(known, list) and len(given) == len(known):
        for one, other in zip(given, known, strict=True):
            yield from left_out(one, other, path)
    elif given != known and not (known is None and given in (None, [], {})):
        yield path


def test_every_field_is_one_that_grafana_knows():
    """By its own types, which leave out what they do not know. Those of the data source are not among them."""
    plugins.register_default_plugins()
    known = json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(BOARD)))
    of_prometheus = {"titleFormat", "textFormat", "useValueForTime", "step"}
    others = {f"/annotations/list/{name}" for name in of_prometheus} | {"/templating/list/definition"}
    assert set(left_out(BOARD, known)) == others
    misspelt = json.loads(json.dumps(BOARD).replace("showLegend", "showLegends"))
    assert "/panels/options/legend/showLegends" in set(
        left_out(misspelt, json.loads(JSONEncoder().encode(Dashboard.from_json(misspelt))))
    )


def test_units_are_those_of_grafana():
    named = {value for value in vars(units).values() if isinstance(value, str)}
    for panel in PANELS.values():
        defaults = panel["fieldConfig"]["defaults"]
        assert "unit" not in defaults or defaults["unit"] in named


def test_every_panel_has_its_place():
    titles = [panel["title"] for panel in panels()]
    assert len(titles) == len(set(titles)) > 40
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(set(ids)) == len(ids)
    taken = set()
    for panel in BOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken and at["x"] + at["w"] <= 24
        taken |= cells


CONFIG = """
embeddings:
  models:
    small:
      {provider: openai, model_id: small, base_url: URL/v1, api_key: none, retries: 0, canaries: false,
       cache_enabled: false, usd_per_million_tokens: 20}
  fallback_chain: [small, sentence-transformers/all-MiniLM-L6-v2]
  spend_cap_usd: 50
reranking:
  models:
    tiny: {model_id: TINY, precision: f32}
query_log: {queries: kept}
monitor: {window: 75, every: 1s, canaries_every: 2s}
"""
EMBASSAY = (sys.executable, "-m", "embassay")
SCRAPES = """
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: embassay
    static_configs: [{targets: ["ADDRESS"]}]
"""
SETS = {
    "animals": ["Otters sleep afloat, holding hands.", "Herons stand still in the water."],
    "plants": ["Sundew grows in bogs and eats flies.", "Ivy climbs walls."],
    "rules": ["Keys are rotated on Mondays.", "Invoices are paid within 30 days."],
}
WORDS = ("otters", "herons", "sleep afloat", "stand still", "holding hands", "the water", "paws", "fish")
SECONDS = 60
"""Until every panel has to have data; it takes a tenth of that on a machine that has nothing else to do."""


class Traffic:
    """What clients ask of a server, of every kind that a panel shows."""

    def __init__(self, url, service):
        self.client = httpx.Client(base_url=url, timeout=30)
        self.service, self.rounds, self.asked = service, 0, 0

    def begin(self):
        for name, texts in SETS.items():
            self.ask("POST", "/api/v1/embedding-sets", 201, name=name)
            documents = [{"id": str(at), "text": text} for at, text in enumerate(texts)]
            self.ask("POST", f"/api/v1/embedding-sets/{name}/documents", 200, documents=documents)

    def round(self):
        """Some of each kind."""
        self.rounds += 1
        new = f"never seen before {self.rounds}"
        self.ask("POST", "/v1/embeddings", 200, input=[new, "seen before"])
        self.ask("POST", "/v1/embeddings", 200, input="word " * 600, truncation=True)
        self.ask("POST", "/v1/embeddings", 200, input=new, model="small")
        self.ask("POST", "/v1/embeddings", 404, input="a", model="nobody/knows")
        self.ask("POST", "/v1/embeddings", 504, {"x-request-timeout": "0.001"}, input=[f"{new}, and late"])
        for name in ("animals", "rules"):
            self.ask("POST", "/api/v1/search", 200, q=new, set=name)
        self.ask("POST", "/v2/rerank", 200, model="tiny", query="rotate the key", documents=["a key", "a proxy"])
        self.service.down = True
        self.ask("POST", "/v1/embeddings", 503, input=new, model="small")
        stood_in = {"text": new, "model": "small", "use_fallback": True}
        self.ask("POST", "/v1/embeddings/generate", 200, **stood_in)
        self.service.down = False

    def search(self, name, times, **how):
        """Different questions, whose first hit is opened where there is one."""
        for at in range(times):
            self.asked += 1
            found = self.ask("POST", "/api/v1/search", 200, q=f"{WORDS[at % len(WORDS)]} {self.asked}", set=name, **how)
            if found["hits"]:
                self.ask("POST", "/api/v1/feedback", 200, search=found["id"], clicked=[1])

    def ask(self, method, path, status, headers=None, **body):
        reply = self.client.request(method, path, json=body, headers=headers)
        assert reply.status_code == status, f"{path}: {reply.status_code} {reply.text[:500]}"
        return reply.json()


class Service:
    """An OpenAI-compatible service that a test may take down."""

    def __init__(self):
        self.down, self.well = False, hash_openai()

    def __call__(self, request):
        return Answer({"error": {"message": "gone"}}, 500) if self.down else self.well(request)


def environment(folder):
    """In which the server runs, and commands beside it."""
    config, home = folder / "embassay.yaml", folder / "home"
    return os.environ | {"EMBASSAY_CONFIG": str(config), "EMBASSAY_HOME": str(home), "HOME": str(folder)}


def embassay(folder, *command):
    """Run a command."""
    done = subprocess.run(
        [*EMBASSAY, *command], env=environment(folder), capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def embassay_serving(folder, service_url):
    """`embassay serve` over a new home; its address."""
    write_cross_encoder(folder / "tiny", SHAPES["bert"])
    (folder / "embassay.yaml").write_text(CONFIG.replace("URL", service_url).replace("TINY", str(folder / "tiny")))
    with ended([*EMBASSAY, "serve", "--port", "0"], env=environment(folder), cwd=folder) as server:
        yield re.search(r"http://([\w.:]+)", server.stderr.readline())[0]


@contextmanager
def prometheus_scraping(folder, url):
    """Debian's own, on a free port of loopback; its API."""
    config = folder / "prometheus.yml"
    config.write_text(SCRAPES.replace("ADDRESS", url.removeprefix("http://")))
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}"]
    with ended([*command, f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]):
        yield httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", transport=httpx.HTTPTransport(retries=50))


@contextmanager
def ended(command, **how):
    """A process that is ended when the block is, and is waited for."""
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **how) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()


def watched(folder, traffic):
    """Searches of which monitoring has something to say: one set is well, one has saved queries, one finds nothing.
    What it says is read by the watch of the server, by itself."""
    traffic.search("animals", 80)
    embassay(folder, "monitor", "baseline", "--set", "animals")
    traffic.search("animals", 80)
    traffic.search("rules", 30, where='lang = "none"')
    embassay(folder, "monitor", "baseline", "--set", "plants", "--judged", str(judged(folder / "judged")))


def judged(folder):
    """Queries of the plants with their answers."""
    (folder / "qrels").mkdir(parents=True)
    queries = ["what grows in bogs", "what climbs walls"] * 5
    write_lines(folder / "queries.jsonl", queries)
    write_lines(folder / "corpus.jsonl", SETS["plants"])
    answers = "".join(f"{at}\t{at % 2}\t1\n" for at in range(len(queries)))
    (folder / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{answers}")
    return folder


def write_lines(file, texts):
    file.write_text("".join(f"{json.dumps({'_id': str(at), 'text': text})}\n" for at, text in enumerate(texts)))


def has_data(api, query):
    """Whether Prometheus answers a query with at least one number."""
    reply = api.get("/query", params={"query": filled(query)}).json()
    assert reply["status"] == "success", f"{query}: {reply}"
    return any(math.isfinite(float(one["value"][1])) for one in reply["data"]["result"])


@pytest.mark.skipif(shutil.which("prometheus") is None, reason="needs prometheus")
def test_every_panel_has_data_from_a_real_prometheus(tmp_path):
    service = Service()
    missing = dict(QUERIES)
    with serving(service) as hosted, embassay_serving(tmp_path, hosted.url) as url:
        with prometheus_scraping(tmp_path, url) as api:
            traffic = Traffic(url, service)
            traffic.begin()
            until = time.monotonic() + SECONDS
            watched(tmp_path, traffic)
            while missing and time.monotonic() < until:
                traffic.round()
                time.sleep(0.5)
                missing = {name: query for name, query in missing.items() if not has_data(api, query)}
            assert not missing, sorted(missing)
            for name in ("instance", "set", "model"):
                asked = VALUES.fullmatch(VARIABLES[name]["query"]["query"])
                values = api.get(f"/label/{name}/values", params={"match[]": asked["series"]}).json()["data"]
                assert values, name
                if name == "set":
                    assert {"animals", "rules"} <= set(values)
            on = api.get("/query", params={"query": "embassay_monitor_alert_since_timestamp_seconds"}).json()
            of = {(one["metric"]["set"], one["metric"]["signal"]) for one in on["data"]["result"]}
            assert ("rules", "zero-results") in of
