"""Questions from a chat model over real HTTP: what is asked, what is kept, and every kind of failure."""

import functools
import json
import multiprocessing
import os
import signal
import time

import pytest

from embassay.chat.client import Chat, ChatSettings
from embassay.errors import BadReply, KeyMissing, KeyRejected, ProviderDown
from embassay.evaluate.data.judged import read_judged
from embassay.evaluate.judge.generate import JOURNAL, KINDS, Questions
from embassay.evaluate.judge.passages import Passages
from embassay.evaluate.judge.writing import write_judged_set
from embassay.types import Document
from tests.evaluate.judge.chat_server import asked_about, chat_body, good, message, thorough
from tests.servers import Answer, serving

WORDS = "the pump of unit {n} is started by hand after the valve has been opened and the pressure was read twice "


@pytest.fixture
def passages():
    texts = [f"# Unit {n}\n\n" + (WORDS * 2).format(n=n) for n in range(12)]
    return Passages([Document(f"unit{n}.md", f"unit{n}.md", text, "markdown") for n, text in enumerate(texts)])


def questions(passages, folder, server, count=12, **options):
    settings = ChatSettings(model_id="m", base_url=server.url, concurrency=2, retries=2, deadline=5)
    return Questions(passages, folder, Chat(settings), **{"count": count, "check": False, **options})


def test_a_judged_set(tmp_path, passages):
    with serving(good) as server:
        asked = questions(passages, tmp_path, server, prices=(1.0, 2.0))
        planned = asked.estimate()
        assert planned.passages == 12 and planned.usd == pytest.approx(
            (planned.tokens_in + 2 * planned.tokens_out) / 1e6
        )
        assert not server.received, "the cost is known before anything is sent"
        draft, made = asked.draft()
        assert len(draft.queries) == 12 and made.unusable == 0 and made.tokens_in == 1200
        write_judged_set(tmp_path, draft)
        body = server.received[0].json
    assert body["model"] == "m" and body["stream"] is False and "max_completion_tokens" in body
    assert "Do not mention" in body["messages"][0]["content"]
    found = read_judged(tmp_path)
    assert set(found.sources.values()) == {"llm"}
    for query, text in found.queries.items():
        number = text.split("unit ")[1].split()[0]
        assert found.relevant(query) == {name for name in found.by_id if name.startswith(f"unit{number}.md")}


@pytest.mark.parametrize(
    "content",
    [
        '<think>The user wants {"questions": ["what is not this one?"]}</think>{answer}',
        "<thinking>\nhm\n</thinking>\n\n{answer}",
    ],
)
def test_reasoning_is_taken_out(tmp_path, passages, content):
    def handle(request):
        answer = json.dumps({"questions": [f"how is unit {asked_about(request)} switched on?"]})
        return Answer(chat_body(content.replace("{answer}", answer)))

    with serving(handle) as server:
        draft, _ = questions(passages, tmp_path, server).draft()
    assert len(draft.queries) == 12 and all("switched on" in query.text for query in draft.queries)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (chat_body("I am a language model and like pumps."), "I am a language model"),
        (chat_body(None, "length"), r"nothing \(length\)"),
        (chat_body("<think>and then the budget was spent", "length"), r"nothing \(length\)"),
        (chat_body(None, "content_filter", reasoning_content="hm"), r"nothing \(content_filter\)"),
    ],
)
def test_a_model_that_cannot_do_it(tmp_path, passages, body, shown):
    with serving(lambda _: Answer(body)) as server, pytest.raises(BadReply, match=f"none of its first 5 .*{shown}"):
        questions(passages, tmp_path, server).draft()


def test_some_answers_without_a_question(tmp_path, passages):
    def handle(request):
        return Answer(chat_body("No.")) if asked_about(request) == "7" else good(request)

    with serving(handle) as server:
        draft, made = questions(passages, tmp_path, server).draft()
        assert sum(asked_about(r) == "7" for r in server.received) == 2, "asked once more"
    assert len(draft.queries) == 11 and made.unusable == 1 and made.example == "No."


def test_one_passage_that_is_refused_is_one_passage(tmp_path, passages):
    """A content filter, or one broken reply, costs no other answer."""

    def filtering(request):
        if asked_about(request) in ("2", "5"):
            return Answer({"error": {"message": "blocked", "code": "content_filter"}}, status=400)
        return Answer(b"<html>") if asked_about(request) == "8" else good(request)

    with serving(filtering) as server:
        draft, made = questions(passages, tmp_path, server).draft()
        assert len(draft.queries) == 9 and made.unusable == 3
        assert len((tmp_path / JOURNAL).read_text().splitlines()) == 9
        server.received.clear()
        questions(passages, tmp_path, server).draft()
        assert len(server.received) == 3, "only those are asked again"


def test_answers_in_flight_are_kept_when_one_fails(tmp_path, passages):
    def handle(request):
        if asked_about(request) == "3":
            return Answer({"error": {"message": "bad key"}}, status=401)
        return Answer(good(request).body, delay=0.2)

    with serving(handle) as server:
        with pytest.raises(KeyRejected):
            questions(passages, tmp_path, server).draft()
        answered = sum(asked_about(request) != "3" for request in server.received)
        assert len((tmp_path / JOURNAL).read_text().splitlines()) == answered


def _ask_all(folder, url):
    texts = [f"# Unit {n}\n\n" + (WORDS * 2).format(n=n) for n in range(12)]
    made = Passages([Document(f"unit{n}.md", f"unit{n}.md", text, "markdown") for n, text in enumerate(texts)])
    settings = ChatSettings(model_id="m", base_url=url, concurrency=2)
    Questions(made, folder, Chat(settings), count=12, check=False).draft()


def test_two_processes_pay_once(tmp_path):
    with serving(lambda request: Answer(good(request).body, delay=0.05)) as server:
        context = multiprocessing.get_context("spawn")
        workers = [context.Process(target=_ask_all, args=(tmp_path, server.url)) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert len(server.received) == 12


def test_ctrl_c_ends_a_run_whose_server_hangs(tmp_path):
    with serving(lambda _: Answer(b"{}", delay=60)) as server:
        worker = multiprocessing.get_context("spawn").Process(target=_ask_all, args=(tmp_path, server.url))
        worker.start()
        while not server.received:
            time.sleep(0.05)
        os.kill(worker.pid, signal.SIGINT)
        worker.join(timeout=20)
        assert worker.exitcode is not None


def test_few_passages_and_no_question_is_a_failure(tmp_path, passages):
    with serving(lambda _: Answer(chat_body("No."))) as server, pytest.raises(BadReply, match="none of its first 2"):
        questions(passages, tmp_path, server, count=2).draft()


def test_a_run_that_broke_goes_on(tmp_path, passages):
    def breaking(request):
        return good(request) if len(server.received) <= 6 else Answer({"error": {"message": "gone"}}, status=500)

    with serving(breaking) as server, pytest.raises(ProviderDown):
        questions(passages, tmp_path, server).draft()
    kept = len((tmp_path / JOURNAL).read_text().splitlines())
    assert 1 <= kept <= 6 and not (tmp_path / "corpus.jsonl").exists()
    with serving(good) as server:
        again = questions(passages, tmp_path, server)
        assert again.estimate().passages == 12 - kept
        draft, _ = again.draft()
        assert len(server.received) == 12 - kept, "an answer is paid for once"
    assert len(draft.queries) == 12


def test_a_journal_that_a_kill_cut_short(tmp_path, passages):
    with serving(good) as server:
        questions(passages, tmp_path, server, count=3).draft()
        journal = tmp_path / JOURNAL
        journal.write_bytes(journal.read_bytes()[:-20])
        draft, made = questions(passages, tmp_path, server, count=3).draft()
        assert made.asked == 1 and len(draft.queries) == 3
        assert questions(passages, tmp_path, server, count=3).estimate().passages == 0


def test_more_queries_later_keep_the_first_ones(tmp_path, passages):
    with serving(good) as server:
        first, _ = questions(passages, tmp_path, server, count=4).draft()
        more, made = questions(passages, tmp_path, server, count=8).draft()
    assert made.asked == 4 and {q.text for q in first.queries} < {q.text for q in more.queries}


def test_parameters_that_a_server_refuses_are_left_out(tmp_path, passages):
    def picky(request):
        for name in ("temperature", "max_completion_tokens"):
            if name in request.json:
                message = f"Unsupported parameter: '{name}' is not supported with this model."
                return Answer({"error": {"message": message, "param": name}}, status=400)
        return good(request)

    with serving(picky) as server:
        draft, _ = questions(passages, tmp_path, server).draft()
    assert len(draft.queries) == 12


def test_rate_limits_are_waited_for(tmp_path, passages):
    def limited(request):
        if len(server.received) == 1:
            return Answer({"error": {"message": "slow down"}}, status=429, headers={"retry-after": "0.05"})
        return good(request)

    with serving(limited) as server:
        draft, _ = questions(passages, tmp_path, server, count=2).draft()
    assert len(draft.queries) == 2


def test_failures_are_errors_of_ours(tmp_path, passages, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(KeyMissing, match="OPENAI_API_KEY"):
        Chat(ChatSettings(model_id="gpt")).check_key()
    refused = Answer({"error": {"message": "Incorrect API key"}}, status=401)
    with serving(lambda _: refused) as server, pytest.raises(KeyRejected):
        questions(passages, tmp_path, server).draft()
    for body in (b"<html>", {"choices": []}, {"choices": [{"message": None}]}, b"[]"):
        with serving(lambda _, body=body: Answer(body)) as server, pytest.raises(BadReply, match="no chat completion"):
            Chat(ChatSettings(model_id="m", base_url=server.url)).say("hello")


def test_questions_of_every_kind_which_the_set_keeps(tmp_path, passages):
    with serving(thorough) as server:
        draft, made = questions(passages, tmp_path, server, count=24, each=2, check=True).draft()
        assert len(server.received) == 24, "one message for the questions of a passage, one for their check"
    assert {kind: [q.kind for q in draft.queries].count(kind) for kind in KINDS} == dict.fromkeys(KINDS, 6)
    assert all(query.text.startswith(query.kind) for query in draft.queries)
    assert not made.thrown_out and not made.unchecked
    write_judged_set(tmp_path, draft)
    rows = map(json.loads, (tmp_path / "queries.jsonl").read_text().splitlines())
    assert {row["metadata"]["kind"] for row in rows} == set(KINDS)


def test_questions_that_their_passage_does_not_answer_are_thrown_out(tmp_path, passages):
    handle = functools.partial(thorough, answered=lambda question: not question.startswith("symptom"))
    with serving(handle) as server:
        asked = questions(passages, tmp_path, server, count=24, each=2, check=True)
        draft, made = asked.draft()
        assert made.thrown_out == 6 and len(draft.queries) == 18
        assert not any(query.kind == "symptom" for query in draft.queries)
        server.received.clear()
        again, made = questions(passages, tmp_path, server, count=24, each=2, check=True).draft()
        assert not server.received and made.thrown_out == 6, "nothing is paid for twice, and it is told again"
        assert [q.text for q in again.queries] == [q.text for q in draft.queries]


def test_a_run_that_broke_between_both_messages_pays_for_neither_twice(tmp_path, passages):
    def breaking(request):
        is_check = '"answered"' in message(request)
        return Answer({"error": {"message": "gone"}}, status=500) if is_check else thorough(request)

    with serving(breaking) as server, pytest.raises(ProviderDown):
        questions(passages, tmp_path, server, check=True).draft()
    written = len((tmp_path / JOURNAL).read_text().splitlines())
    with serving(thorough) as server:
        going_on = questions(passages, tmp_path, server, check=True)
        assert going_on.estimate().messages == 24 - written
        draft, _ = going_on.draft()
        assert len(server.received) == 24 - written and len(draft.queries) == 12


@pytest.mark.parametrize("said", ["Surely.", '{"answered": [true, false, true]}', '{"answered": ["perhaps"]}', ""])
def test_a_check_that_cannot_be_read_keeps_the_questions_and_says_so(tmp_path, passages, said):
    def handle(request):
        return Answer(chat_body(said)) if '"answered"' in message(request) else thorough(request)

    with serving(handle) as server:
        draft, made = questions(passages, tmp_path, server, check=True).draft()
    assert len(draft.queries) == made.unchecked == 12 and not made.thrown_out


def test_the_cost_of_both_messages_is_known_before(tmp_path, passages):
    with serving(thorough) as server:
        both, one = (questions(passages, tmp_path, server, check=check).estimate() for check in (True, False))
        assert (both.messages, one.messages, both.passages) == (24, 12, 12)
        assert both.tokens_in > 1.8 * one.tokens_in and not server.received
