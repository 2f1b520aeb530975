"""Models, advice, costs and keys in the dashboard."""

import re
import time

import httpx
import pytest

from embassay.embedders.wrap.budget import Order, Paid
from embassay.models.ledger import Payer, Term
from embassay.models.ledger_sums import sums_by
from embassay.server.dashboard.page import at
from embassay.server.keys.key import Grant
from embassay.server.keys.spend import purpose_of
from embassay.text import DAY
from tests.server.conftest import DOCUMENTS
from tests.server.dashboard.conftest import HOSTILE, dashboard, visitor

HTML = {"accept": "text/html"}


def get(board, address):
    return httpx.get(board.url + address, headers=HTML, timeout=60)


def test_models_that_are_served_and_loaded(open_board):
    httpx.post(f"{open_board.url}/v1/embeddings", json={"input": "otters", "model": "small"}, timeout=60)
    text = get(open_board, at("models")).text
    assert "small" in text and "large" in text and re.search(r'badge good">loaded', text)
    assert "of which the first 40 are shown" in text, "the catalog"
    assert "no model of this name" in get(open_board, at("models", q="<none>")).text
    few = get(open_board, at("models", q="minilm")).text
    assert "MiniLM" in few and "bge-m3" not in few


def test_advice(open_board):
    assert "Try these first" not in get(open_board, at("advice")).text
    text = get(open_board, at("advice", asked="true", language="de,en", privacy="true", max_mb=500)).text
    assert "Try these first" in text and "left out, and why" in text and "embassay compare" in text
    wrong = get(open_board, at("advice", asked="true", language="German"))
    assert wrong.status_code == 400 and 'role="alert"' in wrong.text and 'value="German"' in wrong.text
    assert get(open_board, at("advice", asked="true", max_mb="much")).status_code == 400


def test_costs_by_day_model_key_and_run(tmp_path, monkeypatch):
    with dashboard(tmp_path, monkeypatch) as board:
        assert "embassay cost ./docs" in get(board, at("costs")).text
        ledger = board.server.service.session.models.ledger
        key = board.server.guard.store.create("ci", Grant("admin"))[0]
        for ago, purpose, usd in ((40, "index", 4.0), (2, "index", 2.0), (1, purpose_of(key.id), 1.0)):
            ledger._clock = lambda ago=ago: time.time() - ago * DAY
            order = Order(model="openai/text-embedding-3-small", role="document", usd=usd)
            at_ = ledger.reserve(Payer(f"run{ago}", purpose), order, Term(), None)
            ledger.settle(at_, Paid(usd, tokens=1000))
        ledger._clock = time.time
        token = board.server.guard.store.rotate("ci")[1]
        headers = {**HTML, "authorization": f"Bearer {token}"}
        text = httpx.get(board.url + at("costs"), headers=headers).text
        for said in ("$2.00", "$1.00", "key ci", "run2", "text-embedding-3-small", "<svg", "spend_cap_usd"):
            assert said in text, said
        assert "run40" not in text and "run40" in httpx.get(board.url + at("costs", days=90), headers=headers).text
        days = sums_by(ledger, "day", Term())
        assert [one.usd for one in days] == [4.0, 2.0, 1.0] and days[0].name < days[1].name
        assert [one.name for one in sums_by(ledger, "run", Term(), 2)] == ["run1", "run2"]
        assert (
            sums_by(ledger, "model", Term())[0].usd == 7.0
            and sums_by(ledger, "purpose", Term(run="run2"))[0].usd == 2.0
        )


def test_a_key_is_shown_once_and_used_then(tmp_path, monkeypatch, looked):
    with dashboard(tmp_path, monkeypatch) as board:
        board.home.set("animals").upsert(DOCUMENTS)
        page = looked.page
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto(board.url + at("keys"))
        assert "No key was made yet" in page.locator("main").inner_text()
        page.get_by_label("Name").fill(HOSTILE[:40])
        page.get_by_role("button", name="Make it").click()
        token = page.locator("#token").inner_text()
        assert token.startswith("ek_") and "nobody is let in without one" in page.locator(".note.good").inner_text()
        page.get_by_role("link", name="Log in with it").click()
        page.get_by_label("Key").fill(token)
        page.keyboard.press("Enter")
        page.locator("h1", has_text="Keys").wait_for()
        assert token not in page.content() and token.split("_")[1] in page.content()
        page.get_by_label("Name").fill("ci")
        page.get_by_label("Sets").fill("animals, other")
        page.get_by_label("It may").select_option("read")
        page.get_by_label("Days until it expires").fill("30")
        page.get_by_role("button", name="Make it").click()
        made = page.locator("#token").inner_text()
        (key,) = [one for one in board.server.guard.store.all() if one.name == "ci"]
        assert key.grant.sets == ("animals", "other") and key.grant.right == "read"
        assert 29 < (key.grant.expires - time.time()) / DAY < 31
        page.get_by_role("button", name="Rotate ci").click()
        new = page.locator("#token").inner_text()
        asked = [httpx.get(f"{board.url}/v1/models", headers={"x-api-key": one}).status_code for one in (made, new)]
        assert new != made and asked == [200, 200], "the one before is good for a day"
        page.get_by_role("button", name="Revoke ci").click()
        assert "is revoked" in page.locator(".note.good").inner_text()
        assert httpx.get(f"{board.url}/v1/models", headers={"x-api-key": new}).status_code == 401
        assert looked.complaints == []


@pytest.mark.parametrize(
    "fields",
    [{"name": ""}, {"name": "admin"}, {"name": "x" * 65}, {"name": "a\nb"}, {"name": "b", "rpm": 0}, {"name": "b", "right": "root"},
     {"name": "b", "days": -1}],
)  # fmt: skip
def test_keys_that_cannot_be(kept_board, fields):
    with visitor(kept_board, "admin") as admin:
        reply = admin.post(at("keys") + "/create", data=fields)
        assert reply.status_code == 400 and 'role="alert"' in reply.text and "shown this once" not in reply.text


def test_only_the_owner_sees_keys_and_costs(kept_board):
    kept_board.tokens["part"] = kept_board.keys.create("part", Grant("admin", sets=("animals",)))[1]
    for name in ("reader", "writer", "part"):
        with visitor(kept_board, name) as made:
            menu = made.get("/").text
            for page in ("keys", "costs"):
                assert at(page) not in menu and made.get(at(page)).status_code == 403, (name, page)
            for form in ("create", "rotate", "revoke"):
                assert made.post(at("keys") + f"/{form}", data={"name": "admin"}).status_code == 403
    with visitor(kept_board, "admin") as admin:
        assert admin.get(at("keys")).status_code == admin.get(at("costs")).status_code == 200
        assert at("keys") in admin.get("/").text
