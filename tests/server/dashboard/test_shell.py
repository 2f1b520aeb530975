"""The frame of the dashboard: what every page has, what it refuses, and how it looks."""

import re

import httpx
import pytest

from embassay.server.dashboard.page import at
from embassay.server.dashboard.shell import in_menu, pages
from tests.server.dashboard.conftest import looking

MENU = [one.page for one in in_menu()]
HTML = {"accept": "text/html"}


def test_every_page_of_the_navigation_is_framed_alike(open_board):
    for page in MENU:
        reply = httpx.get(open_board.url + page.route, headers=HTML)
        assert reply.status_code == 200, page
        policy = reply.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        assert reply.headers["x-content-type-options"] == "nosniff" and reply.headers["cache-control"] == "no-store"
        assert reply.text.count("<h1") == 1 and reply.text.count('aria-current="page"') == 1
        assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son\w+=", reply.text), (
            "nothing that the policy refuses"
        )
        assert reply.headers["vary"] == "accept, cookie" and "<title>" in reply.text


def test_programs_are_told_nothing_of_it_and_get_what_they_got_at_the_first_path(open_board):
    paths = httpx.get(f"{open_board.url}/openapi.json").json()["paths"]
    assert not [path for path in paths if "dashboard" in path] and set(paths["/"]) == {"get", "post"}
    well = httpx.get(open_board.url)
    assert (well.status_code, well.content) == (200, b"")
    assert httpx.post(open_board.url, json={"inputs": "otters"}, headers=HTML).json()[0]


@pytest.mark.parametrize(
    "path", ["/dashboard", "/dashboard/none", "/dashboard/assets/x/none.css", "/dashboard/sets/none"]
)
def test_what_is_not_there_is_said_on_a_page(open_board, path):
    reply = httpx.get(open_board.url + path, headers=HTML)
    assert reply.status_code == 404
    if path != "/dashboard":
        assert reply.headers["content-type"].startswith("text/html") and "<h1>Not found</h1>" in reply.text
        assert reply.text.count('role="alert"') == 1 and "Traceback" not in reply.text


def test_a_method_that_is_not_taken_and_a_query_that_is_none(open_board):
    reply = httpx.request("DELETE", f"{open_board.url}/dashboard/sets", headers=HTML)
    assert reply.status_code == 405 and reply.headers["allow"] == "GET, HEAD" and "<h1>" in reply.text
    reply = httpx.get(f"{open_board.url}/dashboard/sets?after=a&after=b", headers=HTML)
    assert reply.status_code == 400 and "stands twice" in reply.text


def test_a_defect_is_told_without_its_words(open_board, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("the secret text")

    monkeypatch.setattr(open_board.server.service, "in_worker", broken)
    reply = httpx.get(f"{open_board.url}/dashboard/sets", headers=HTML)
    assert reply.status_code == 500 and "secret" not in reply.text and "the server failed" in reply.text.lower()


def test_what_a_form_did_is_told_in_its_own_words_alone(open_board):
    for said in ("<b>hello", "sets.none", "none.none", "Your key was stolen"):
        reply = httpx.get(open_board.url + at("sets", done=said), headers=HTML)
        assert reply.status_code == 200 and 'role="status"' not in reply.text


def test_style_and_script_are_asked_for_once(open_board):
    text = httpx.get(open_board.url, headers=HTML).text
    for path in re.findall(r"/dashboard/assets/[^\"]+", text):
        reply = httpx.get(open_board.url + path)
        assert reply.status_code == 200 and "immutable" in reply.headers["cache-control"]
        old = re.sub(r"/[0-9a-f]{12}/", "/000000000000/", path)
        assert httpx.get(open_board.url + old).headers["cache-control"] == "no-cache"


def test_addresses():
    assert at() == "/" and at("sets") == "/dashboard/sets"
    assert at("sets", "a/b ?", k=3, q="", x=None) == "/dashboard/sets/a%2Fb%20%3F?k=3"


def test_every_page_has_its_template():
    assert {"overview", "sets"} <= set(pages())
    assert len({one.page.menu for one in pages().values() if one.page.menu is not None}) == len(MENU)


def test_in_a_browser_nothing_is_asked_of_anybody_else(open_board, looked):
    for page in MENU:
        looked.page.goto(open_board.url + page.route)
        assert looked.page.title().endswith("embassay")
        assert len(looked.page.locator("h1").all()) == 1
    assert looked.complaints == []
    assert all(url.startswith(open_board.url) for url in looked.requests)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_it_fits_a_phone_and_the_dark(open_board, browser, scheme, width):
    with looking(browser, color_scheme=scheme) as looked:
        looked.page.set_viewport_size({"width": width, "height": 800})
        for page in MENU:
            looked.page.goto(open_board.url + page.route)
            assert looked.page.evaluate("document.documentElement.scrollWidth") <= width, page.path
            ink, paper = (
                looked.page.evaluate(f"getComputedStyle(document.body).{name}") for name in ("color", "backgroundColor")
            )
            bright = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (ink, paper)]
            assert (bright[0] > bright[1]) == (scheme == "dark")


def test_the_look_is_chosen_and_kept(open_board, looked):
    looked.page.goto(open_board.url)
    before = looked.page.evaluate("getComputedStyle(document.body).backgroundColor")
    looked.page.get_by_role("button", name="Dark").click()
    dark = looked.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark != before
    looked.page.goto(open_board.url + at("sets"))
    assert looked.page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
    assert looked.page.get_by_role("button", name="Light").is_visible()


def test_by_keyboard_to_the_content_and_to_each_page(open_board, looked):
    looked.page.goto(open_board.url)
    looked.page.keyboard.press("Tab")
    assert looked.page.evaluate("document.activeElement.textContent") == "Skip to the content"
    looked.page.keyboard.press("Enter")
    assert looked.page.evaluate("document.activeElement.id") == "main"
    looked.page.goto(open_board.url)
    seen = []
    for _ in range(len(MENU) + 2):
        looked.page.keyboard.press("Tab")
        seen.append(looked.page.evaluate("document.activeElement.textContent.trim()"))
    assert seen[2:] == [page.title for page in MENU]
    outline = looked.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "where the focus is can be seen"


def test_without_scripts(open_board, browser):
    with looking(browser, java_script_enabled=False) as looked:
        looked.page.goto(open_board.url)
        looked.page.get_by_role("link", name="Sets").click()
        assert looked.page.locator("h1").inner_text() == "Sets"
        assert not looked.page.locator("#theme").is_visible()
