"""Sets in the dashboard: what they hold, their generations, and a move to another model by its buttons."""

import re
import time

import httpx
import pytest

from embassay.server.dashboard.page import at
from tests.server.conftest import DOCUMENTS
from tests.server.dashboard.conftest import dashboard, looking, visitor

HTML = {"accept": "text/html"}


def get(board, address):
    return httpx.get(board.url + address, headers=HTML, timeout=60)


@pytest.fixture(scope="module")
def moved(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        with dashboard(tmp_path_factory.mktemp("moved"), patch) as found:
            found.home.set("animals").upsert(DOCUMENTS)
            yield found


def test_a_home_without_a_set_says_what_to_do(tmp_path, monkeypatch):
    with dashboard(tmp_path, monkeypatch) as board:
        for page in ("/", at("sets"), at("search"), at("jobs")):
            assert "embassay index ./docs" in get(board, page).text, page


def test_a_set_and_its_documents(moved):
    text = get(moved, at("sets", "animals", doctor="true")).text
    for said in ("small", "64@", "live", "Nothing is wrong with it.", "added", "Plan a migration"):
        assert said in text, said
    page = get(moved, at("sets", "animals", "documents")).text
    assert all(one["id"] in page for one in DOCUMENTS)
    assert 'class="path"' in page and "More documents" not in page
    assert "No document passes" in get(moved, at("sets", "animals", "documents", glob="none/*")).text
    wrong = get(moved, at("sets", "animals", "documents", where="lang ="))
    assert wrong.status_code == 400 and 'role="alert"' in wrong.text and 'value="lang ="' in wrong.text
    document = get(moved, at("sets", "animals", "document", id="herons")).text
    assert "Reiher stehen still" in document and "<dt>lang</dt>" in document
    for address in (at("sets", "none", "documents"), at("sets", "animals", "document", id="none"), at("sets", "none")):
        assert get(moved, address).status_code == 404


def test_a_set_of_many_documents_is_paged(moved):
    moved.home.set("many").upsert([{"id": f"d{at:03}", "text": f"note {at}"} for at in range(120)])
    seen, address = [], at("sets", "many", "documents")
    while address:
        text = get(moved, address).text
        seen += re.findall(r"id=(d\d{3})\"", text)
        more = re.search(r'href="([^"]*cursor=[^"]*)"', text)
        address = more[1].replace("&amp;", "&") if more else ""
    assert seen == [f"d{at:03}" for at in range(120)]


def test_what_could_not_be_read_and_what_the_doctor_says(moved, tmp_path):
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 broken")
    (tmp_path / "good.md").write_text("# Good\n\nOtters sleep afloat.")
    moved.home.set("files").index([tmp_path])
    text = get(moved, at("sets", "files", doctor="true")).text
    assert "broken.pdf" in text and "quarantine" in text and "embassay index" in text
    jobs = get(moved, at("jobs")).text
    assert "index" in jobs and 'badge good">done' in jobs


def until(page, state):
    for _ in range(200):
        if page.locator("#progress .badge").inner_text() == state:
            return
        time.sleep(0.1)
    raise AssertionError(page.locator("main").inner_text())


def test_a_move_from_its_plan_to_the_switch_and_back_by_buttons(moved, looked):
    page = looked.page
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(moved.url + at("sets", "animals"))
    page.get_by_role("link", name="Plan a migration").click()
    page.get_by_label("To the model").select_option("large")
    page.get_by_role("button", name="Plan").click()
    assert "Into 128@" in page.locator("main").inner_text()
    page.get_by_role("button", name="Begin").click()
    assert "has begun" in page.locator(".note.good").inner_text()
    until(page, "ready")  # the page shows it anew by itself
    page.get_by_label("Why, for the history").wait_for()
    assert page.locator("table tbody tr").count() >= 5, "what the checks found"
    assert moved.home.set("animals").space().dimensions == 64
    page.get_by_label("Why, for the history").fill("it is larger")
    page.get_by_role("button", name="Switch").click()
    assert "from now on" in page.locator(".note.good").inner_text()
    assert moved.home.set("animals").space().dimensions == 128
    assert moved.home.set("animals").history(1)[0].detail.get("why") == "it is larger"
    page.goto(moved.url + at("sets", "animals"))
    assert "previous" in page.locator("main").inner_text()
    page.get_by_role("link", name="Its progress").click()
    page.get_by_role("button", name="Roll back").click()
    assert moved.home.set("animals").space().dimensions == 64 and looked.complaints == []


def test_a_move_without_scripts_and_given_up(moved, browser):
    moved.home.set("held").upsert(DOCUMENTS)
    with looking(browser, java_script_enabled=False) as looked:
        page = looked.page
        page.goto(moved.url + at("sets", "held", "migrate", to="large"))
        page.get_by_role("button", name="Begin").click()
        until(page, "ready")  # by the refresh of the page itself
        page.get_by_role("button", name="Give it up").click()
        assert page.locator("h1").inner_text() == "held" and "was given up" in page.locator(".note.good").inner_text()


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ({"to": "nobody"}, 404, "not served"), ({"to": "small"}, 400, "already"), ({"truncate_dim": 16}, 400, "trained"),
        ({"truncate_dim": -1}, 400, ""),
    ],
)  # fmt: skip
def test_moves_that_cannot_be(moved, query, status, words):
    reply = get(moved, at("sets", "animals", "migrate", **query))
    assert reply.status_code == status and words in reply.text and 'role="alert"' in reply.text


def test_buttons_that_are_not_there_are_refused_all_the_same(moved, kept_board):
    with visitor(moved) as anyone:
        assert anyone.post(at("jobs", "none") + "/switch").status_code in (400, 404, 415)
        assert anyone.post(at("jobs", "none") + "/switch", data={"why": "x"}).status_code == 404
    with visitor(kept_board, "writer") as writer:
        assert writer.get(at("sets", "animals", "migrate")).status_code == 403
        for verb in ("pause", "resume", "switch", "rollback", "abort"):
            assert writer.post(at("jobs", "x") + f"/{verb}", data={"why": "x"}).status_code == 403
        assert writer.post(at("sets", "animals", "migrate") + "/begin", data={"to": "large"}).status_code == 403
        assert "Plan a migration" not in writer.get(at("sets", "animals")).text
    with pytest.raises(Exception, match="no migration"):
        kept_board.home.set("animals").migration()
