"""Visits by a key: who is let in, for how long, and what a page of somebody else's can do."""

import re
import time

import httpx
import pytest

from embassay.server.keys import visits
from embassay.server.keys.audit import AUDIT_FILE
from embassay.server.keys.entrance import Entrance
from embassay.server.keys.key import Grant
from embassay.server.keys.store import KeyStore
from embassay.server.keys.tls import checked_tls
from embassay.server.refusals import OriginRefused
from embassay.server.serving import Serving
from embassay.server.sockets import Address
from tests.server.conftest import DOCUMENTS, certificate, running
from tests.server.dashboard.conftest import looking, visitor

HTML = {"accept": "text/html"}
LOGIN = "/dashboard/login"
HOST = "localhost:8080"


def cookie(token, **options):
    return visits.set_cookie(token, HOST, secure=False, **options).partition(";")[0]


def found(line, store):
    return visits.token_of({"cookie": line, "host": HOST}, store)


@pytest.fixture
def store(tmp_path):
    made = KeyStore(tmp_path)
    yield made
    made.close()


def test_a_cookie_stands_for_its_key_and_does_not_hold_it(store):
    key, token = store.create("a", Grant())
    line = cookie(token)
    assert found(line, store) == token and found(f"other=1; {line}; x=y", store) == token
    secret = token.split("_")[2]
    assert secret not in line and key.digest.hex() not in line
    assert found(line, None) == "" and visits.token_of({"cookie": line, "host": "localhost:8081"}, store) == ""


def test_a_cookie_that_was_changed_stands_for_none(store):
    _, token = store.create("a", Grant("read"))
    other, _ = store.create("b", Grant("admin"))
    line = cookie(token)
    name, _, value = line.partition("=")
    key_id, until, hidden = value.split(".")
    for changed in (
        f"{other.id}.{until}.{hidden}", f"{key_id}.{int(until) + 60}.{hidden}", f"{key_id}.{until}.{hidden[::-1]}",
        f"{key_id}.{until}.{'0' * 64}", f"{key_id}.{until}", "", "x" * 5000, token, f"{key_id}.{until}.{hidden}.1",
        f"{key_id}.{'9' * 12}.{hidden}", f"{key_id}.-1.{hidden}",
    ):  # fmt: skip
        assert found(f"{name}={changed}", store) == "", changed


def test_a_visit_ends(store):
    _, token = store.create("a", Grant())
    assert found(cookie(token, now=time.time() - visits.VISIT_SECONDS + 5), store) == token
    assert found(cookie(token, now=time.time() - visits.VISIT_SECONDS - 5), store) == ""
    assert found(cookie(token, now=time.time() + 10 * visits.VISIT_SECONDS), store) == "", "longer than any is given"
    line = cookie(token)
    new = store.rotate("a", grace=60)[1]
    assert found(line, store) == token and found(cookie(new), store) == new, "the guard says until when"
    store.rotate("a")
    assert found(line, store) == ""


def test_who_comes_from_whose_page(monkeypatch):
    from embassay.server.keys.heads import Heads

    def heads(origin="", site="", token=""):
        return Heads(HOST, token, origin, site, "", "", False)

    for allowed in (heads(f"http://{HOST}"), heads(f"https://{HOST}"), heads(site="same-origin"), heads(token="ek")):
        visits.check_own_page(allowed, "POST")
    for refused in (
        heads("http://localhost:3000"), heads("null"), heads("https://evil.example", "cross-site"), heads(site="same-site"),
        heads(site="none"), heads(), heads("http://localhost:3000", token="ek"), heads(site="cross-site", token="ek"),
    ):  # fmt: skip
        with pytest.raises(OriginRefused):
            visits.check_own_page(refused, "POST")

    def asked(site, mode):
        return Heads(HOST, "", "", site, mode, "", False)

    for site, mode in (("", ""), ("none", "navigate"), ("same-origin", "cors"), ("cross-site", "navigate")):
        visits.check_own_page(asked(site, mode), "GET")
    for site, mode in (("same-site", "no-cors"), ("same-site", "cors"), ("cross-site", "no-cors"), ("same-site", "")):
        with pytest.raises(OriginRefused):
            visits.check_own_page(asked(site, mode), "GET")


def test_nobody_sees_a_page_without_a_key(kept_board):
    from embassay.server.dashboard.shell import pages

    for one in pages().values():
        path = re.sub(r"\{\w+(:\w+)?\}", "animals", one.page.route)
        reply = httpx.get(kept_board.url + path, headers=HTML)
        assert reply.status_code == 401 and 'action="/dashboard/login"' in reply.text, path
        assert "animals" not in re.sub(r'name="next" value="[^"]*"', "", reply.text) and "<nav" not in reply.text
        for form in one.page.forms:
            reply = httpx.post(f"{kept_board.url}{path}/{form.name}", headers={**HTML, "origin": kept_board.url})
            assert reply.status_code == 401, (path, form.name)


def test_from_the_form_to_the_page_that_was_asked_for_and_out_again(kept_board, looked):
    page = looked.page
    page.goto(f"{kept_board.url}/dashboard/sets?after=a")
    page.get_by_label("Key").fill("ek_no_key")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "not known" in page.get_by_role("alert").inner_text()
    page.goto(f"{kept_board.url}/dashboard/sets?after=a")
    page.get_by_label("Key").fill(kept_board.tokens["admin"])
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url.endswith("/dashboard/sets?after=a") and page.locator("h1").inner_text() == "Sets"
    assert "private" in page.locator("main").inner_text()
    (kept,) = page.context.cookies()
    assert kept["httpOnly"] and kept["sameSite"] == "Strict" and kept["path"] == "/" and not kept["secure"]
    assert kept_board.tokens["admin"] not in kept["value"]
    assert page.evaluate("document.cookie") == ""
    page.get_by_role("button", name="Log out").click()
    assert page.locator("h1").inner_text() == "Log in" and page.context.cookies() == []
    page.goto(f"{kept_board.url}/dashboard/sets")
    assert page.locator("h1").inner_text() == "A key is needed"


def test_a_key_sees_its_sets_alone(kept_board):
    with visitor(kept_board, "reader") as reader:
        text = reader.get("/dashboard/sets").text
        assert "animals" in text and "private" not in text and "private" not in reader.get("/").text
        assert reader.get("/dashboard/sets/private").status_code == 404


def test_a_cookie_is_no_key_for_programs(kept_board):
    with visitor(kept_board, "admin") as admin:
        assert admin.get("/dashboard/sets").status_code == 200
        assert admin.get("/api/v1/embedding-sets", headers={"accept": "*/*"}).status_code == 401
        assert admin.delete("/api/v1/embedding-sets/private").status_code == 401
        value = next(iter(admin.cookies.values()))
        assert httpx.get(f"{kept_board.url}/v1/models", headers={"authorization": f"Bearer {value}"}).status_code == 401


def test_a_key_that_is_revoked_is_out_at_once(kept_board):
    kept_board.tokens["leaked"] = kept_board.keys.create("leaked", Grant("admin"))[1]
    with visitor(kept_board, "leaked") as leaked:
        assert leaked.get("/dashboard/sets").status_code == 200
        kept_board.keys.revoke("leaked")
        reply = leaked.get("/dashboard/sets")
        assert reply.status_code == 401 and "was revoked" in reply.text
    log = (kept_board.home.folder / AUDIT_FILE).read_text()
    assert '"route":"/dashboard/login"' in log.replace(" ", "") and kept_board.tokens["leaked"] not in log


def test_a_visit_outlasts_the_server(tmp_path):
    with running(tmp_path / ".embassay") as first:
        first.tokens = {"a": KeyStore(first.home.folder).create("a", Grant())[1]}
        with visitor(first, "a") as made:
            line = "; ".join(f"{name}={value}" for name, value in made.cookies.items())
        host = first.url.partition("://")[2]
    with running(tmp_path / ".embassay") as second:
        reply = httpx.get(f"{second.url}/dashboard/sets", headers={**HTML, "cookie": line, "host": host})
        assert reply.status_code == 200


@pytest.mark.parametrize(
    "next", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nx: y", ""]
)
def test_the_form_leads_to_no_other_server(kept_board, next):
    with visitor(kept_board) as made:
        reply = made.post(LOGIN, data={"key": kept_board.tokens["reader"], "next": next})
        assert (reply.status_code, reply.headers["location"]) == (303, "/") and "x" not in reply.headers
        assert 'value="/"' in made.get(LOGIN, params={"next": next}).text


@pytest.mark.parametrize("body", [b"", b"key=", b"key=%ff", b"key=a&key=b", b"\xff\x00", b"{}"])
def test_a_form_that_is_none(kept_board, body):
    with visitor(kept_board) as made:
        reply = made.post(LOGIN, content=body, headers={"content-type": "application/x-www-form-urlencoded"})
        assert reply.status_code in (400, 401) and "set-cookie" not in reply.headers
        reply = made.post(LOGIN, content=body, headers={"content-type": "application/json"})
        assert reply.status_code == 415


def test_tls_keeps_the_cookie_to_itself(tmp_path):
    cert, key = certificate(tmp_path, "own")
    serving = Serving((Address(port=0, scheme="https"),), tls=checked_tls(cert, key))
    with running(tmp_path / ".embassay", serving=serving, verify=False) as found:
        token = KeyStore(found.home.folder).create("a", Grant())[1]
        headers = {**HTML, "origin": found.url}
        reply = httpx.post(f"{found.url}{LOGIN}", data={"key": token}, headers=headers, verify=False)
        assert "; Secure" in reply.headers["set-cookie"]


def test_a_page_of_another_server_can_send_nothing(tmp_path, browser):
    """Of another port of this machine, which a browser counts to the same site and sends cookies to, and which the
    server was told to let ask: it has no key for that, and the visitor's counts for nothing."""
    from tests.servers import Answer, serving

    with running(tmp_path / ".embassay", config=None) as found:
        found.home.set("animals").upsert(DOCUMENTS)
        found.tokens = {"admin": KeyStore(found.home.folder).create("admin", Grant("admin"))[1]}
        form = f'<form method="post" action="{found.url}/dashboard/logout"><button>Go</button></form>'
        page = f"<!doctype html><title>x</title>{form}<a href='{found.url}/dashboard/sets'>Link</a>".encode()
        found.server.guard.entrance = Entrance.of(allow_origin=["*"])
        with serving(lambda _: Answer(page, headers={"content-type": "text/html"})) as other:
            with looking(browser) as looked:
                looked.page.goto(f"{found.url}/dashboard/login")
                looked.page.get_by_label("Key").fill(found.tokens["admin"])
                with looked.page.expect_navigation():
                    looked.page.keyboard.press("Enter")
                looked.page.goto(other.url)
                looked.page.get_by_role("button", name="Go").click()
                assert "not sent by a page of this server" in looked.page.get_by_role("alert").inner_text()
                assert looked.page.context.cookies(), "still logged in"


def test_a_link_of_another_site_leads_in_by_one_more_click(kept_board, browser):
    from tests.servers import Answer, serving

    link = f"<!doctype html><title>x</title><a href='{kept_board.url}/dashboard/sets?after=a'>Link</a>".encode()
    with serving(lambda _: Answer(link, headers={"content-type": "text/html"})) as other, looking(browser) as looked:
        looked.page.goto(f"{kept_board.url}/dashboard/login")
        looked.page.get_by_label("Key").fill(kept_board.tokens["reader"])
        with looked.page.expect_navigation():
            looked.page.keyboard.press("Enter")
        looked.page.goto(other.url.replace("127.0.0.1", "localhost"))
        looked.page.get_by_role("link", name="Link").click()
        assert looked.page.locator("h1").inner_text() == "A key is needed"
        looked.page.get_by_role("link", name="Go on to the page").click()
        assert looked.page.locator("h1").inner_text() == "Sets" and looked.page.url.endswith("?after=a")
