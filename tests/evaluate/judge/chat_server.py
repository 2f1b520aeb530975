"""A chat server that answers as OpenAI does."""

import json

from embassay.evaluate.judge.generate import KINDS
from tests.servers import Answer


def chat_body(content, reason="stop", **message):
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": content, "refusal": None, **message},
                     "logprobs": None, "finish_reason": reason}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }  # fmt: skip


def asked_about(request):
    return request.json["messages"][0]["content"].split("unit ")[1].split()[0]


def good(request):
    return Answer(chat_body(json.dumps({"questions": [f"how is unit {asked_about(request)} switched on?"]})))


def agreeing(content):
    """Writes `content` whatever it is asked to write, and says that each question is answered."""

    def handle(request):
        asked = message(request)
        if '"answered"' not in asked:
            return Answer(chat_body(content))
        questions = asked.split("Queries:\n")[1].split("\n\nTitle:")[0].splitlines()
        return Answer(chat_body(json.dumps({"answered": [True] * len(questions)})))

    return handle


def kinds_asked(request):
    """The kinds of question that are asked for; none where questions are to be checked."""
    return [line[2:].split(":")[0] for line in message(request).splitlines() if line.startswith("- ") and ": " in line]


def message(request):
    return request.json["messages"][0]["content"]


def thorough(request, *, answered=lambda question: True):
    """Writes a question of each kind, and says of each whether it is `answered`."""
    if '"answered"' in message(request):
        listed = message(request).split("Queries:\n")[1].split("\n\nTitle:")[0].splitlines()
        return Answer(chat_body(json.dumps({"answered": [answered(line.partition(". ")[2]) for line in listed]})))
    kinds = [kind for kind in kinds_asked(request) if kind in KINDS]
    written = [{"kind": kind, "question": f"{kind} unit {asked_about(request)}"} for kind in kinds]
    return Answer(chat_body(json.dumps({"questions": written})))
