"""What goes wrong under a dashboard is told on a page, in plain sentences that name no file of the server."""

import re
import time

import httpx
import pytest

from embassay.server.dashboard.page import at
from embassay.server.keys.key import Grant
from embassay.server.keys.rates import PerMinute
from embassay.server.keys.store import KEYS_FILE, KeyStore
from tests.server.conftest import DOCUMENTS, running
from tests.server.dashboard.conftest import dashboard, visitor

HTML = {"accept": "text/html"}


def told(reply, folder):
    """The sentences of an alert; nothing of the page names a place on the disk, and nothing is a traceback."""
    assert str(folder) not in reply.text and "Traceback" not in reply.text
    assert reply.headers["content-type"].startswith("text/html") and reply.text.count("<h1") == 1
    return re.search(r'role="alert">(.*?)</div>', reply.text, re.DOTALL)[1]


def test_a_home_that_is_damaged(tmp_path, monkeypatch):
    with dashboard(tmp_path, monkeypatch) as board:
        board.home.set("animals").upsert(DOCUMENTS)
    file = tmp_path / ".embassay" / "state.db"
    file.write_bytes(b"no database" * 1000)
    with dashboard(tmp_path, monkeypatch) as board:
        for address in ("/", at("sets"), at("search", q="otters"), at("jobs"), at("sets", "animals")):
            reply = httpx.get(board.url + address, headers=HTML)
            assert reply.status_code == 503 and told(reply, tmp_path), address
        assert httpx.get(board.url + at("advice"), headers=HTML).status_code == 200, "what needs no set is shown"


def test_keys_that_are_damaged_let_nobody_in(tmp_path):
    with running(tmp_path / ".embassay") as board:
        board.tokens = {"a": KeyStore(board.home.folder).create("a", Grant("admin"))[1]}
        with visitor(board, "a") as made:
            assert made.get(at("sets")).status_code == 200
            (board.home.folder / KEYS_FILE).unlink()
            for _ in range(100):  # the file is looked at ten times a second
                reply = made.get(at("sets"))
                if reply.status_code != 200:
                    break
                time.sleep(0.05)
            assert reply.status_code == 503 and told(reply, tmp_path)


def test_a_key_that_took_all_it_may(tmp_path):
    with running(tmp_path / ".embassay") as board:
        grant = Grant("read", rates=PerMinute(requests=3))
        board.tokens = {"few": KeyStore(board.home.folder).create("few", grant)[1]}
        with visitor(board, "few") as made:
            seen = [made.get(at("sets")) for _ in range(5)]
        assert [one.status_code for one in seen] == [200, 200, 200, 429, 429]
        assert "may use 3 requests a minute" in told(seen[-1], tmp_path) and int(seen[-1].headers["retry-after"]) > 0


def test_a_visit_holds_at_every_server_of_a_home(tmp_path):
    with running(tmp_path / ".embassay") as first, running(tmp_path / ".embassay") as second:
        first.tokens = {"a": KeyStore(first.home.folder).create("a", Grant())[1]}
        with visitor(first, "a") as made:
            line = "; ".join(f"{name}={value}" for name, value in made.cookies.items())
        host = first.url.partition("://")[2]
        headers = {**HTML, "cookie": line, "host": host}
        assert httpx.get(second.url + at("sets"), headers=headers).status_code == 200
        assert httpx.get(second.url + at("sets"), headers={**HTML, "cookie": line}).status_code == 401, "another port"
        KeyStore(first.home.folder).revoke("a")
        assert httpx.get(second.url + at("sets"), headers=headers).status_code == 401


@pytest.mark.parametrize(
    "address",
    ["/dashboard/" + "x" * 5000, "/dashboard/%00", "/dashboard/..%2f..%2fetc", "/dashboard/sets/%ff", "/dashboard/sets/a%2fb",
     "/dashboard/search?q=" + "a" * 60_000, "/dashboard/search?k=9999999999", "/dashboard/sets?done=" + "%E2%80%AE" * 50,
     "/dashboard/sets/animals/documents?cursor=AAAA", "/dashboard/search?q=%00%1b%5b31m&set=animals", "/dashboard/jobs/%2e%2e",
     "/dashboard/search?" + "&".join(f"a{at}=1" for at in range(500)), "/dashboard/costs?days=-1", "/dashboard/models?q=%3Cscript%3E"],
)  # fmt: skip
def test_odd_addresses(open_board, address):
    reply = httpx.get(open_board.url + address, headers=HTML, timeout=30)
    assert reply.status_code in (200, 400, 404), reply.status_code
    assert "<script>" not in reply.text and "\x1b" not in reply.text and "\u202e" not in reply.text
    assert str(open_board.home.folder) not in reply.text
