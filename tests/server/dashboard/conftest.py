"""Dashboards over real servers, and a browser to look at them with."""

from contextlib import contextmanager

import httpx
import pytest

from embassay.config.values import Config, EmbeddingsConfig, QueryLogConfig
from embassay.server.keys.key import Grant
from embassay.server.keys.store import KeyStore
from tests.browser import chromium
from tests.server.conftest import DOCUMENTS, running

HASH = {"small": {"provider": "hash", "dimensions": 64}, "large": {"provider": "hash", "dimensions": 128}}
YAML = """
embeddings:
  default_model: small
  models:
    small: {provider: hash, dimensions: 64}
    large: {provider: hash, dimensions: 128}
query_log: {queries: kept}
"""
HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> & \u202e\x1b[31mneedle"


@contextmanager
def dashboard(folder, patch, **options):
    """A server over models that take no time, whose configuration its background processes read as well."""
    (folder / "embassay.yaml").write_text(YAML)
    patch.chdir(folder)
    config = Config(
        embeddings=EmbeddingsConfig(models=HASH, default_model="small"), query_log=QueryLogConfig(queries="kept")
    )
    with running(folder / ".embassay", config=config, **options) as found:
        yield found


@pytest.fixture(scope="module")
def open_board(tmp_path_factory):
    """A dashboard without keys, over the set `animals`, and `hostile` with what nobody wants on a page."""
    with pytest.MonkeyPatch.context() as patch:
        with dashboard(tmp_path_factory.mktemp("open"), patch) as found:
            found.home.set("animals").upsert(DOCUMENTS)
            found.home.set("hostile").upsert(
                [
                    {"id": f"h{at}", "text": f"{HOSTILE} {at}", "title": HOSTILE, "metadata": {"said": HOSTILE}}
                    for at in range(3)
                ]
            )
            found.home.set("hostile").entitle(f"Set {HOSTILE}"[:60])
            yield found


@pytest.fixture(scope="module")
def kept_board(tmp_path_factory):
    """A dashboard behind keys, over the sets `animals` and `private`."""
    with pytest.MonkeyPatch.context() as patch:
        with dashboard(tmp_path_factory.mktemp("kept"), patch) as found:
            found.home.set("animals").upsert(DOCUMENTS)
            found.home.set("private").upsert([{"id": "plan", "text": "the launch is on the third of May"}])
            found.keys = KeyStore(found.home.folder)
            found.tokens = {
                "reader": found.keys.create("reader", Grant(sets=("animals",)))[1],
                "writer": found.keys.create("writer", Grant("write"))[1],
                "admin": found.keys.create("admin", Grant("admin"))[1],
            }
            yield found


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


class Looked:
    """A page of the browser, with what it asked for and what it complained of."""

    def __init__(self, page):
        self.page, self.requests, self.complaints = page, [], []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))


@contextmanager
def looking(browser, **options):
    """One page in a context of its own, so that it shares no cookie with others."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
    try:
        yield Looked(context.new_page())
    finally:
        context.close()


@pytest.fixture
def looked(browser):
    with looking(browser) as found:
        yield found


@contextmanager
def visitor(board, name=""):
    """A client that asks as a browser's page does; logged in by the key `name`."""
    headers = {"accept": "text/html", "origin": board.url, "sec-fetch-site": "same-origin"}
    with httpx.Client(base_url=board.url, timeout=30, headers=headers) as made:
        if name:
            reply = made.post("/dashboard/login", data={"key": board.tokens[name]})
            assert reply.status_code == 303, reply.text
        yield made
