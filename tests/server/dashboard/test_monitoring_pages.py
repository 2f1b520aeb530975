"""The pages of monitoring: whether all is well, how it went, what was no alarm, and what nobody wrote."""

import re

import pytest

from embassay.monitor.monitor import Monitor
from embassay.server.dashboard.page import at
from embassay.server.keys.key import Grant
from embassay.server.keys.store import KeyStore
from tests.server.conftest import DOCUMENTS
from tests.server.dashboard.conftest import HOSTILE, dashboard, looking, visitor

NOTHING = 'path ~ "none/*"'


def ask_for_nothing(home, name, times=40):
    """Searches that find nothing, which raise an alert at the next check."""
    for at_ in range(times):
        home.set(name).search(f"question {at_} of {name}", where=NOTHING)
    return Monitor(home, name).check()


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A dashboard behind keys, with an alert on each of the sets `animals` and `private`, and a hostile question."""
    with pytest.MonkeyPatch.context() as patch:
        with dashboard(tmp_path_factory.mktemp("watched"), patch) as found:
            home = found.home
            home.set("animals").upsert([*DOCUMENTS, *({"id": f"bird{n}", "text": f"bird {n}"} for n in range(60))])
            home.set("private").upsert([{"id": "plan", "text": "the launch is on the third of May"}])
            for text in (DOCUMENTS[1]["text"], HOSTILE, HOSTILE, "tax returns"):
                home.set("animals").search(text)
            for name in ("animals", "private"):
                assert [one.event for one in ask_for_nothing(home, name).changes] == ["opened"]
            found.keys = KeyStore(home.folder)
            grants = {"reader": Grant(sets=("animals",)), "writer": Grant("write", sets=("animals",))}
            found.tokens = {name: found.keys.create(name, grant)[1] for name, grant in grants.items()}
            found.tokens["admin"] = found.keys.create("admin", Grant("admin"))[1]
            yield found


def alert_of(board, name):
    return next(one for one in board.home.monitoring.alerts(name, on=False))


def test_the_first_page_says_whether_all_is_well_and_what_is_next(watched):
    with visitor(watched, "admin") as admin, visitor(watched, "reader") as reader:
        page = admin.get("/").text
        assert page.count("◆ Searches that found nothing") == 2 and "embassay doctor --set private" in page
        assert 'href="/dashboard/quality?set=animals"' in page
        page = reader.get("/").text
        assert page.count("◆ Searches that found nothing") == 1 and "private" not in page


def test_alerts_have_their_evidence_and_the_next_step(watched):
    with visitor(watched, "admin") as admin:
        page = admin.get(at("alerts")).text
        assert "2 alerts are on" in page and "found nothing" in page and "It was false" in page
        assert "<code data-copy>embassay doctor --set animals</code>" in page
        page = admin.get(at("alerts", set="animals")).text
        assert "1 alert is on for the set animals" in page and "doctor --set private" not in page


def test_a_key_sees_the_alerts_of_its_sets_and_marks_only_what_it_may(watched):
    mine, other = alert_of(watched, "animals").id, alert_of(watched, "private").id
    with visitor(watched, "reader") as reader:
        page = reader.get(at("alerts")).text
        assert "1 alert is on" in page and "private" not in page and "It was false" not in page
        assert reader.post(at("alerts") + "/false", data={"alert": mine}).status_code == 403
        assert reader.get(at("alerts", set="private")).status_code == 404
        for page in ("quality", "drift", "map"):
            found = reader.get(at(page, set="private"))
            assert found.status_code == 404 and "third of May" not in found.text
    with visitor(watched, "writer") as writer:
        refused = writer.post(at("alerts") + "/false", data={"alert": other})
        none = writer.post(at("alerts") + "/false", data={"alert": 999})
        assert refused.status_code == none.status_code == 404 and "private" not in refused.text
        assert writer.post(at("alerts") + "/check", data={"set": "private"}).status_code == 404
    assert all(alert_of(watched, name).is_on for name in ("animals", "private"))


def test_what_was_no_alarm_ends_and_is_tolerated(watched):
    ask_for_nothing(watched.home, "private", 5)
    alert = alert_of(watched, "private").id
    with visitor(watched, "admin") as admin:
        reply = admin.post(at("alerts") + "/false", data={"alert": alert, "why": "a <b>test</b>"})
        assert (reply.status_code, reply.headers["location"]) == (303, at("alerts") + "?done=alerts.false")
        page = admin.get(reply.headers["location"]).text
        assert "its signal tolerates more" in page and "a &lt;b&gt;test&lt;/b&gt;" in page
        assert admin.post(at("alerts") + "/false", data={"alert": alert}).status_code == 400, "it is over already"
    found = watched.home.monitoring.alert(alert)
    assert found.state == "false" and not watched.home.monitoring.alerts("private")


def test_signals_are_read_when_somebody_wants_it(watched):
    before = watched.home.monitoring.latest("animals")[0].at
    with visitor(watched, "admin") as admin:
        reply = admin.post(at("alerts") + "/check", data={"set": "animals"})
        assert reply.headers["location"].endswith("?done=alerts.check")
    assert watched.home.monitoring.latest("animals")[0].at > before


def test_quality_has_a_chart_of_each_signal_and_the_queries_that_fail(watched):
    with visitor(watched, "admin") as admin, visitor(watched, "reader") as reader:
        page = admin.get(at("quality", set="animals")).text
        assert page.count('class="chart series"') >= 2 and re.search(r"question \d+ of animals", page)
        assert "embassay monitor baseline --set animals" in page
        words = reader.get(at("quality", set="animals")).text
        assert not re.search(r"question \d+ of animals", words) and "not shown" in words
        assert admin.get(at("quality", set="animals", days=0)).status_code == 400


def test_drift_says_what_it_cannot_tell(watched):
    with visitor(watched, "reader") as reader:
        page = reader.get(at("drift", set="animals"))
        assert page.status_code == 200 and "Topics of the queries" in page.text and "? unknown" in page.text


def test_the_map_names_what_nobody_wrote_to_who_may_know(watched):
    with visitor(watched, "admin") as admin, visitor(watched, "reader") as reader:
        page = admin.get(at("map", set="animals")).text
        assert page.count("<use ") == 63 and "tax returns" in page and 'class="unanswered"' in page
        hidden = reader.get(at("map", set="animals")).text
        assert hidden.count("<use ") == 63 and "tax returns" not in hidden
        assert "a map takes 3 chunks" in admin.get(at("map", set="private")).text.lower()


def test_hostile_questions_are_words(browser, watched):
    with looking(browser) as found:
        log_in(found.page, watched)
        for page in ("quality", "map", "drift", "alerts"):
            found.page.goto(watched.url + at(page, set="animals"))
            assert "owned" not in found.page.title()
            assert not found.page.locator("main script, main img").count()
            shown = found.page.locator("main").inner_text()
            assert not re.search("[\u202e\x1b]", found.page.content())
            assert ("needle" in shown) == (page in ("quality", "map"))
        assert not found.complaints


def test_an_alert_is_marked_false_by_the_keyboard_alone(browser, watched):
    identity = ask_for_nothing(watched.home, "animals", 2).alerts[0].id
    with looking(browser) as found:
        page = found.page
        log_in(page, watched)
        page.goto(watched.url + at("alerts", set="animals"))
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        for _ in range(60):
            page.keyboard.press("Tab")
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", "the focus is seen wherever it is"
            if page.evaluate("document.activeElement.id") == f"why-{identity}":
                break
        page.keyboard.type("the holiday quiz")
        page.keyboard.press("Enter")
        page.wait_for_url("**done=alerts.false")
        assert "Marked as no alarm" in page.locator("[role=status]").inner_text()
    assert watched.home.monitoring.alert(identity).reason == "the holiday quiz"


def test_a_home_without_sets_has_all_pages(tmp_path, monkeypatch):
    with dashboard(tmp_path, monkeypatch) as board, visitor(board) as anyone:
        for page in ("", "quality", "alerts", "drift", "map"):
            found = anyone.get(at(page) if page else "/")
            assert found.status_code == 200, (page, found.text)
            assert page == "alerts" or "There is no set yet" in found.text


def test_a_log_of_another_space_is_not_shown_as_this_one(tmp_path, monkeypatch):
    with dashboard(tmp_path, monkeypatch) as board, visitor(board) as anyone:
        board.home.set("zoo").upsert([{"id": f"{n}", "text": f"animal {n}"} for n in range(20)], model="large")
        ask_for_nothing(board.home, "zoo", 30)
        assert "of zoo" in anyone.get(at("quality", set="zoo")).text
        board.home.migrate("small", set="zoo")
        board.home.set("zoo").switch()
        page = anyone.get(at("quality", set="zoo")).text
        assert "of zoo" not in page and "in other spaces are not counted" in page
        assert anyone.get(at("map", set="zoo")).text.count("<circle") == 0


def log_in(page, board):
    page.goto(f"{board.url}/dashboard/login")
    page.get_by_label("Key").fill(board.tokens["admin"])
    page.keyboard.press("Enter")
    page.wait_for_url(f"{board.url}/")
