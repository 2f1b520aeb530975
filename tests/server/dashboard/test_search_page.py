"""Searching in the dashboard: hits with their reasons, what cannot be, feedback, and hostile texts."""

import re

import httpx
import pytest

from embassay.server.dashboard.page import at
from tests.server.dashboard.conftest import HOSTILE, visitor

HTML = {"accept": "text/html"}


def found(board, **query):
    return httpx.get(board.url + at("search", **query), headers=HTML, timeout=30)


def test_hits_and_what_each_stage_did(open_board, looked):
    page = looked.page
    page.goto(open_board.url + at("search"))
    page.get_by_label("Query").fill("when are keys rotated")
    page.get_by_label("Set", exact=True).select_option("animals")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Search").click()
    first = page.locator(".hit").first
    assert "keys" in first.locator("h3").inner_text() and first.locator("mark").count() >= 2
    scores = first.locator(".arms").inner_text()
    assert "dense: rank" in scores and "lexical: rank 1" in scores and "lang = en" in scores
    stages = page.locator("table tbody tr")
    assert stages.count() >= 3 and "dense(" in stages.first.inner_text() and "all" in stages.first.inner_text()
    assert re.search(r"\d ms", stages.first.inner_text()) and "dense(" in page.locator("pre").first.inner_text()
    assert page.get_by_label("Query").input_value() == "when are keys rotated"
    first.locator("h3 a").click()
    assert page.locator("h1").inner_text() == "keys" and "on call" in page.locator(".text").inner_text()
    assert looked.complaints == []
    (logged,) = [one for one in open_board.home.query_log.entries("animals") if one.query == "when are keys rotated"]
    assert [(one.kind, one.document.partition("#")[0]) for one in logged.feedback] == [("clicked", "keys")]


def test_a_whole_pipeline_and_a_filter(open_board):
    text = found(open_board, q="otters", set="animals", pipeline="lexical(5) >> top(2)", where='lang = "en"').text
    assert "lexical(5) &gt;&gt; top(2)" in text and text.count('class="hit"') == 1
    assert found(open_board, q="otters", set="animals", k=1).text.count('class="hit"') == 1


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ({"where": "lang ="}, 400, "lang ="),
        ({"pipeline": "dense(5) >> nothing"}, 400, "nothing"),
        ({"strategy": "best"}, 400, "best"),
        ({"set": "none"}, 404, "no set"),
        ({"rerank": "nobody"}, 404, "reranker"),
    ],
)
def test_what_cannot_be_is_said_beside_the_form(open_board, query, status, words):
    reply = found(open_board, q="otters", **{"set": "animals", **query})
    assert reply.status_code == status and words in re.search(r'role="alert">(.*?)</div>', reply.text, re.DOTALL)[1]
    assert 'value="otters"' in reply.text, "what was filled in stays"


def test_nothing_is_found(open_board):
    text = found(open_board, q="zzzz", set="animals", strategy="lexical").text
    assert "Nothing was found" in text and "0 hits" in text


def test_hostile_queries_and_documents_are_only_text(open_board, looked):
    looked.page.goto(open_board.url + at("search", q=HOSTILE, set="hostile", where=""))
    assert looked.page.locator(".hit").count() == 3
    assert looked.page.locator("main script, main img, iframe").count() == 0
    text = looked.page.content()
    assert "\u202e" not in text and "\x1b" not in text and "owned" in text
    assert "owned" in looked.page.title() and looked.page.title() != "owned"
    looked.page.goto(open_board.url + at("sets", "hostile", "document", id="h0"))
    looked.page.goto(open_board.url + at("sets", "hostile", "documents"))
    looked.page.goto(open_board.url + at("sets", "hostile"))
    assert looked.page.locator("main script, main img").count() == 0 and looked.complaints == []


def test_feedback_by_buttons(open_board, looked):
    page = looked.page
    page.goto(open_board.url + at("search", q="otters by thumbs", set="animals"))
    page.get_by_role("button", name="Hit 1 helps").click()
    page.locator(".hit").first.get_by_text("Noted.").wait_for()
    assert page.get_by_role("button", name="Hit 1 helps").get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="This was not found").click()
    page.get_by_text("Noted.").nth(1).wait_for()
    (logged,) = [one for one in open_board.home.query_log.entries("animals") if one.query == "otters by thumbs"]
    assert {(one.kind, bool(one.document)) for one in logged.feedback} == {("up", True), ("down", False)}


def test_feedback_takes_the_right_to_write(kept_board):
    with visitor(kept_board, "reader") as reader:
        text = reader.get(at("search", q="otters", set="animals")).text
        assert 'class="hit"' in text and "feedback" not in text
        assert reader.post(at("search") + "/feedback", data={"search": "x", "thumbs": "up"}).status_code == 403
    with visitor(kept_board, "writer") as writer:
        text = writer.get(at("search", q="otters", set="animals")).text
        search = re.search(r'name="search" value="(\w+)"', text)[1]
        reply = writer.post(
            at("search") + "/feedback", data={"search": search, "thumbs": "up", "about": 1, "back": "a b"}
        )
        assert (reply.status_code, reply.headers["location"]) == (303, "/dashboard/search?q=a+b&done=search.feedback")
        assert "Noted, for this search." in writer.get(reply.headers["location"]).text
        assert writer.post(at("search") + "/feedback", data={"search": "none", "thumbs": "up"}).status_code == 404


def test_a_key_searches_its_sets_alone(kept_board):
    with visitor(kept_board, "reader") as reader:
        reply = reader.get(at("search", q="launch", set="private"))
        assert reply.status_code == 404 and "third of May" not in reply.text
        assert "private" not in reader.get(at("search")).text
