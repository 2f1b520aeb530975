"""What a server refused, as errors of the tree in `embassay.errors`.

EmbassayError
├── ServerRefused         what only a server says: a key that it does not know, a body that it cannot read, a limit
└── ServerUnreachable     it does not answer, or what answers is no server of ours
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from embassay import errors
from embassay.errors import EmbassayError
from embassay.text import printable

OF_OPENAI: Mapping[str, str] = {"invalid_api_key": "key_refused", "rate_limit_exceeded": "limit_reached"}
"""Codes of OpenAI's dialect that have another name here."""
PASSING = frozenset(("rate_limited", "provider_down", "set_moved", "store_error", "interrupted", "index_damaged"))
"""Codes of failures that may be over when the same is asked again."""
MOST_WORDS = 500
"""Characters that are kept of an answer that is none of ours."""


class ServerRefused(EmbassayError):
    """Each has the code that the server gave it; `status` is that of HTTP, `place` says which value was wrong."""

    code: ClassVar[str] = "server_refused"
    status: int = 0
    place: str = ""
    retry_after: float | None = None
    """In how many seconds it may succeed."""


class ServerUnreachable(EmbassayError):
    pass


class _Told(msgspec.Struct):
    message: str = ""
    code: str | int | None = None
    remedy: str = ""
    place: str | None = None
    param: str | None = None


class _Envelope(_Told):
    """Some dialects have the fields in an object of their own, some beside it as well."""

    error: _Told | str | None = None

    @property
    def told(self) -> _Told:
        """What was told, with the code that is a name of ours."""
        inner = self.error if isinstance(self.error, _Told) else self
        code = inner.code if isinstance(inner.code, str) else self.code
        return _Told(inner.message or self.message, code, inner.remedy, inner.place, inner.param)


KNOWN: Mapping[str, type[EmbassayError]] = {
    one.code: one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, EmbassayError)
}


def fault_of(status: int, body: bytes, retry_after: float | None) -> EmbassayError:
    """The error that an answer tells of: of our tree, with `status`, `place` and `retry_after` as attributes."""
    try:
        told = msgspec.json.decode(body, type=_Envelope).told
    except (msgspec.DecodeError, UnicodeDecodeError):
        told = _Told()
    if not told.message:
        words = printable(body[:MOST_WORDS].decode("utf-8", "replace")).strip()
        told.message = f"the server answered with status {status}{f': {words}' if words else '.'}"
    said = told.code if isinstance(told.code, str) and told.code else ServerRefused.code
    code = OF_OPENAI.get(said, said)
    kind = KNOWN.get(code) or _only_of_servers(code)
    made: EmbassayError = kind.__new__(kind)
    EmbassayError.__init__(made, told.message, remedy=told.remedy)
    for name in kind.details:
        setattr(made, name, None)
    vars(made).update(status=status, place=told.place or told.param or "", retry_after=retry_after)
    return made


def _only_of_servers(code: str) -> type[ServerRefused]:
    """ServerRefused with a code: it is one of the class, as that of every error is."""
    made: type[ServerRefused] = type("ServerRefused", (ServerRefused,), {"code": code})
    return made


def is_passing(status: int, error: EmbassayError, retry_after: float | None) -> bool:
    """Whether the same may succeed in a moment: the server has too much to do, or something behind it was away."""
    return status == 429 or (
        status in (502, 503) and (retry_after is not None or error.code in (*PASSING, "server_refused"))
    )
