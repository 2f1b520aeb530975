"""An OpenAI-compatible chat endpoint: one message in, its text out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from embassay.config.values import positive
from embassay.embedders.http.connection import Connection, Failed
from embassay.embedders.http.service import HttpService
from embassay.embedders.http.wire import said
from embassay.embedders.settings import HttpSettings
from embassay.embedders.texts.bill import whole_number
from embassay.errors import BadReply, RequestRefused

URL = "https://api.openai.com/v1"
CHAT_PATH = "/chat/completions"
_THINK = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_PARAMETERS = ("temperature", "response_format", "max_tokens", "max_completion_tokens")


class ChatSettings(HttpSettings, frozen=True, kw_only=True):
    """Settings of a chat model; `model_id`, `base_url` and `api_key` are as for embedding models."""

    max_tokens_field: str = "max_completion_tokens"
    """Local servers that know only the old name want ``max_tokens``."""
    max_reply_tokens: int = 2048
    """Most tokens of an answer, reasoning included."""
    temperature: float | None = 0.7
    """None: the server's own."""

    def __post_init__(self) -> None:
        HttpSettings.__post_init__(self)
        positive(self, "max_reply_tokens")


@dataclass(frozen=True, slots=True)
class ChatAnswer:
    """The answer to one message, without the reasoning before it."""

    text: str
    """Empty where the model said nothing."""
    reason: str
    """Why the answer ended: stop, length, content_filter, ..."""
    tokens_in: int | None
    tokens_out: int | None
    billed: tuple[object, object] = (None, None)
    """Tokens in and out as the service says them, which need be no numbers."""
    whole: str = ""
    """All that it said, reasoning included."""


class Chat(HttpService):
    """A chat model behind an OpenAI-compatible endpoint. Threads may share it."""

    url: ClassVar[str] = URL
    key_variables: ClassVar[Sequence[str]] = ("OPENAI_API_KEY",)

    def __init__(self, settings: ChatSettings) -> None:
        self.settings: HttpSettings = settings
        self._chat = settings
        self.name = f"chat model {settings.model_id}"
        self._connection = Connection(self, self.name)
        self._dropped: set[str] = set()

    def check_key(self) -> None:
        """Raise KeyMissing if a key is needed and there is none; nothing is sent."""
        self._connection.check_key()

    def say(self, message: str) -> ChatAnswer:
        """Ask one message and return the answer. Raises ProviderError."""
        return self._answered(message, lambda *_: None)

    def _answered(self, message: str, failed: Failed) -> ChatAnswer:
        """The answer to a message; `failed` is told of each failed attempt, and whether another one follows.

        A parameter that the server refuses by name is left out from then on: reasoning models refuse `temperature`,
        local servers the newer name of the token limit.
        """
        while True:
            body = self._body(message)
            try:
                return self._read(self._post(body, failed))
            except RequestRefused as error:
                named = [name for name in _PARAMETERS if name in error.message and name in body]
                if not named:
                    raise
                self._dropped.update(named)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _body(self, message: str) -> dict[str, object]:
        chosen = self._chat
        body: dict[str, object] = {
            "model": chosen.model_id,
            "messages": [{"role": "user", "content": message}],
            "stream": False,
            chosen.max_tokens_field: chosen.max_reply_tokens,
        }
        if chosen.temperature is not None:
            body["temperature"] = chosen.temperature
        return {key: value for key, value in body.items() if key not in self._dropped} | chosen.extra_body

    def _post(self, body: Mapping[str, object], failed: Failed) -> bytes:
        tries, seconds = self._chat.retries + 1, self._chat.deadline
        return self._connection.asked(
            "POST", CHAT_PATH, msgspec.json.encode(body), tries=tries, seconds=seconds, failed=failed
        )

    def _read(self, body: bytes) -> ChatAnswer:
        try:
            reply = msgspec.json.decode(body)
            choice = reply["choices"][0]
            content = choice["message"].get("content") or ""
            usage = reply.get("usage")
            text = content if isinstance(content, str) else "".join(p.get("text", "") for p in content)
            billed = said(usage, "prompt_tokens"), said(usage, "completion_tokens")
        except (msgspec.DecodeError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise BadReply(f"{self.name}: the reply is no chat completion ({error}): {body[:80]!r}.") from None
        spoken, reason = _THINK.sub("", text).strip(), str(choice.get("finish_reason") or "")
        return ChatAnswer(spoken, reason, whole_number(billed[0]), whole_number(billed[1]), billed, text)
