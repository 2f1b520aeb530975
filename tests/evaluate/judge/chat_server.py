"""A chat server that answers as OpenAI does."""

import json

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
