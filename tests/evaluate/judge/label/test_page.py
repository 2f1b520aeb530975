"""Judging in a real browser: by keys and by buttons, on a phone, in the dark, and not by anybody else."""

import http.client
import json
import re
import threading
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from embassay.errors import HomeNotWritable
from embassay.evaluate.judge.label.kept import FILE
from embassay.evaluate.judge.label.page import LabelPage
from tests.browser import chromium

HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> & \u202eneedle1"


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@contextmanager
def served(judging):
    """The page of a sitting, and what ended it."""
    page, ended = LabelPage(judging), []

    def run():
        try:
            page.run()
            ended.append(None)
        except Exception as error:
            ended.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield page.url, ended
    finally:
        page._over.set()
        thread.join(10)
        assert not thread.is_alive()


def asked(url, method="GET", path=None, body=None, **headers):
    """Status, headers and text of a request as anybody could make it."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    connection.request(method, parts.path if path is None else path, body, headers)
    answer = connection.getresponse()
    return answer.status, dict(answer.headers), answer.read().decode()


@pytest.fixture
def judging(opened, folder):
    rows = [json.loads(line) for line in (folder / "corpus.jsonl").read_text().splitlines()]
    for row in rows:
        row["text"] += f" {HOSTILE}"
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with opened([f"needle{at} {HOSTILE}" for at in range(3)]) as made:
        yield made


@pytest.fixture
def shown(judging, browser):
    """A page with what it asked for and what it complained of."""
    with served(judging) as (url, ended):
        page = browser.new_page(viewport={"width": 1000, "height": 900})
        requests, complaints = [], []
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url)
        yield page, judging, requests, complaints, ended
        page.close()


def press(page, key):
    with page.expect_navigation():
        page.keyboard.press(key)


def test_by_keys_from_the_first_result_to_the_end(shown):
    page, judging, requests, complaints, _ = shown
    assert page.title().startswith("1/3, 1/10: needle")
    press(page, "1")
    assert page.locator("[role=status]").inner_text() == "Relevant." and page.title().startswith("1/3, 2/10")
    press(page, "u")
    assert page.title().startswith("1/3, 1/10")
    for _ in range(3):
        press(page, "2")
        press(page, "x")
    assert page.locator("h1").inner_text() == "Nothing is left to judge"
    page.get_by_label("Another question").fill("needle5")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator("h1").inner_text() == "needle5"
    press(page, "q")
    assert "every judgment is kept" in page.locator("h1").inner_text()
    standing = judging.standing
    assert (standing.done, standing.left, standing.relevant) == (3, 1, 3) and complaints == []
    assert all(url.startswith("http://127.0.0.1:") for url in requests)


def test_by_buttons_and_without_scripts(judging, browser):
    with served(judging) as (url, _):
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(url)
        for name in ("Relevant", "Not relevant", "Answers it fully"):
            with page.expect_navigation():
                page.get_by_role("button", name=name, exact=True).click()
        assert page.locator("label").inner_text() == "Question 1 of 3, result 4 of 10"
        context.close()
    assert judging.standing.judgments == 3 and judging.standing.relevant == 2


def test_what_documents_say_is_only_text(shown):
    page, *_, complaints, _ = shown
    assert page.locator("img, iframe").count() == 0 and page.locator("script").count() == 1
    assert "owned" in page.locator("h1").inner_text() and page.title() != "owned" and "\u202e" not in page.content()
    assert complaints == []


def test_nobody_can_see_whose_a_result_is(shown):
    assert "hash/64" not in shown[0].content() and "score" not in shown[0].locator("main").inner_text()


def test_keys_reach_neither_a_field_nor_the_browsers_own_commands(shown):
    page, judging, *_ = shown
    page.keyboard.press("Control+0")
    page.keyboard.press("z")
    page.keyboard.press("m")
    assert page.locator("article details").get_attribute("open") is not None and judging.standing.judgments == 0


def test_a_key_that_is_pressed_again_judges_no_other_result(shown):
    page, judging, *_ = shown
    at = page.locator("input[name=at]").get_attribute("value")
    for _ in range(2):
        body = f"at={at}&key=1"
        assert asked(page.url, "POST", urlsplit(page.url).path + "key", body)[0] == 303
    assert judging.standing.judgments == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_and_the_dark(judging, browser, scheme):
    with served(judging) as (url, _):
        page = browser.new_page(viewport={"width": 400, "height": 800}, color_scheme=scheme)
        page.goto(url)
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
        for button in page.get_by_role("button").all():
            box = button.bounding_box()
            assert box["height"] >= 44 and box["x"] >= 0 and box["x"] + box["width"] <= 400
        colours = page.evaluate(
            "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
        )
        ink, paper = (sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in colours)
        assert (ink < paper) == (scheme == "light") and abs(ink - paper) > 400
        page.close()


def test_a_screen_reader_is_told(shown):
    page, *_ = shown
    page.keyboard.press("m")
    assert page.evaluate("document.activeElement.id") == "result", "it reads the result first"
    said = page.locator("main").aria_snapshot()
    assert "heading" in said and "article" in said and "progressbar" in said and 'button "Relevant"' in said
    assert page.get_by_role("button", name="Relevant", exact=True).get_attribute("aria-keyshortcuts") == "1"
    assert page.locator("html").get_attribute("lang") == "en"


def test_nobody_else_gets_in(judging):
    with served(judging) as (url, ended):
        path, port = urlsplit(url).path, urlsplit(url).port
        status, headers, text = asked(url)
        assert status == 200 and "needle" in text
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert headers["Cache-Control"] == "no-store" and "Python" not in headers["Server"]
        for wrong in ("/", "/x/", path[:-2] + "/", path + "key", path + "../", "*"):
            assert asked(url, path=wrong)[0] == 404, wrong
        for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", ""):
            assert asked(url, Host=host)[0] == 404, "a name that somebody points here opens nothing"
        assert asked(url, Host=f"localhost:{port}")[0] == 200
        at = re.search(r'name="at" value="(\w+)"', text)[1]
        form = f"at={at}&key=1"
        for origin in ("http://evil.example", "null", f"https://127.0.0.1:{port}"):
            assert asked(url, "POST", path + "key", form, Origin=origin)[0] == 404
        assert asked(url, "POST", "/x/key", form)[0] == 404 and asked(url, "PUT", path + "key", form)[0] == 501
        for length in ("-1", "x", "99999999"):
            assert asked(url, "POST", path + "key", "", **{"Content-Length": length})[0] == 400
        assert judging.standing.judgments == 0 and not ended
        assert asked(url, "POST", path + "key", form, Origin=f"http://127.0.0.1:{port}")[0] == 303
        for garbage in ("", "at=x&key=1", "key=1", "at=&key=q", "at=%ff&key=%00", "&" * 50):
            assert asked(url, "POST", path + "key", garbage)[0] in (303, 400)
        assert judging.standing.judgments == 1 and not ended


def test_a_full_disk_ends_it_in_words(judging, folder):
    with served(judging) as (url, ended):
        at = re.search(r'name="at" value="(\w+)"', asked(url)[2])[1]
        (folder / FILE).unlink()
        (folder / FILE).mkdir()
        status, _, text = asked(url, "POST", urlsplit(url).path + "key", f"at={at}&key=1")
        assert status == 500 and "cannot be written" in text
    assert isinstance(ended[0], HomeNotWritable)
