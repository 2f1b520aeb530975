"""Shapes in which services answer, named after whose they were first. Several services share most of them.

One decoder a shape; vectors come as float32 rows in the order of the request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from embassay.embedders.http.rows import by_index, decoded, rows
from embassay.types import Role

if TYPE_CHECKING:
    from embassay.types import Vectors


class _Item(msgspec.Struct):
    embedding: list[float] | bytes
    """Bytes stand in base64: little-endian float32, whatever was asked for."""
    index: int | None = None


class _OpenAI(msgspec.Struct):
    data: list[_Item]
    usage: Any = None


class _LooseItem(msgspec.Struct):
    embedding: Any = None
    index: Any = None


class _LooseOpenAI(msgspec.Struct):
    data: list[_LooseItem | None]
    usage: Any = None


_AnyOpenAI = _LooseOpenAI | list[_LooseItem | None]


class _Named(msgspec.Struct):
    model: str = ""


class _CohereByType(msgspec.Struct, rename={"rows": "float"}):
    rows: list[list[float]]


class _Cohere(msgspec.Struct):
    embeddings: _CohereByType | list[list[float]]
    """By type; a plain list from v1 and from Bedrock's first models."""
    meta: Any = None


class _LooseByType(msgspec.Struct, rename={"rows": "float"}):
    rows: list[Any]


class _LooseCohere(msgspec.Struct):
    embeddings: _LooseByType | list[Any]
    meta: Any = None


_COHERE = msgspec.json.Decoder(_Cohere)
COHERE_ROLES: Mapping[Role, str] = {"query": "search_query", "document": "search_document"}
"""How requests of Cohere's shape name the role, as ``input_type``."""
_OPENAI = msgspec.json.Decoder(_OpenAI)
_NAMED = msgspec.json.Decoder(_Named)
_ROWS = msgspec.json.Decoder(list[list[float]])


def openai_reply(body: bytes, count: int) -> tuple[Vectors, object]:
    """``{"data": [{"embedding": [...] or base64, "index": 0}], "usage": {...}}``: vectors, and tokens as it says them.

    Items are put in the order of their index. A bare list of such items is read as well, and `rows` says what else may
    stand in place of a vector. Raises BadReply or ValueError.
    """
    reply = _openai(body)
    items = [item or _LooseItem() for item in reply.data]
    told = said(reply.usage, "prompt_tokens")
    values = by_index([item.embedding for item in items], [item.index for item in items], count)
    return rows(list(values), count), told or said(reply.usage, "total_tokens") or told


def _openai(body: bytes) -> _OpenAI | _LooseOpenAI:
    reply = decoded(body, _OPENAI, _AnyOpenAI)
    return _LooseOpenAI(reply) if isinstance(reply, list) else reply


def cohere_reply(body: bytes, count: int) -> tuple[Vectors, object]:
    """``{"embeddings": {"float": [...]} or [...], "meta": {"billed_units": {"input_tokens": 2}}}``.

    The vectors, and the tokens that it says are billed. Raises BadReply or ValueError.
    """
    answer = decoded(body, _COHERE, _LooseCohere)
    by_type = answer.embeddings
    vectors = by_type if isinstance(by_type, list) else by_type.rows
    return rows(vectors, count), said(answer.meta, "billed_units", "input_tokens")


def said(part: object, *path: str) -> object:
    """What stands at `path` in a part of a reply that need not be there; None where it does not."""
    for key in path:
        part = part.get(key) if isinstance(part, Mapping) else None
    return part


def said_in_header(text: str | None) -> object:
    """A number that stands in a header; whatever else stands there as it is, None where nothing does."""
    words = (text or "").strip()
    return int(words) if words.isascii() and words.lstrip("-").isdigit() and len(words) < 20 else words or None


def bare_rows(body: bytes, count: int) -> Vectors:
    """``[[...], [...]]``, or the one row of a single text. Raises BadReply or ValueError."""
    values = decoded(body, _ROWS, list[Any])
    return rows(values, count)


def model_in(body: bytes) -> str:
    """What a reply calls its model, ``{"model": "..."}``; empty where it does not say."""
    try:
        return _NAMED.decode(body).model
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


def message_of(body: bytes) -> tuple[str, str]:
    """(message, code) of an error in any of the envelopes in use, or of plain text; HTML gives its title.

    The envelopes: OpenAI's ``error`` object, Ollama's and TEI's ``error`` text, Mistral's and Cohere's ``message``,
    FastAPI's ``detail``, Google's, which may lie in a list.
    """
    try:
        data = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _plain(body.decode("utf-8", "replace")), ""
    if isinstance(data, list) and data:
        data = data[0]
    if not isinstance(data, Mapping):
        return str(data)[:300], ""
    error = data.get("error") or data.get("errors") or data
    if isinstance(error, list) and error:
        error = error[0]
    if not isinstance(error, Mapping):
        return str(error)[:300], str(data.get("error_type", ""))
    message = error.get("message", error.get("detail", ""))
    if isinstance(message, Mapping):
        message = message.get("detail", message)
    if isinstance(message, list):
        message = "; ".join(str(part.get("msg", part)) if isinstance(part, Mapping) else str(part) for part in message)
    code = " ".join(str(error.get(key) or "") for key in ("type", "code", "status"))
    return str(message)[:500] or str(data)[:300], code.strip()


def error_in(body: bytes) -> tuple[str, str] | None:
    """`message_of` for a body that speaks of an error where vectors should be; None for any other."""
    try:
        data = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    speaks = isinstance(data, Mapping) and any(data.get(key) for key in ("error", "errors", "detail", "message"))
    return message_of(body) if speaks else None


def page_in(body: bytes) -> str:
    """What a web page says in place of a reply, its title if it has one; empty where it is none."""
    is_page = body[:200].lstrip().lower().startswith((b"<!doctype", b"<html", b"<head", b"<body"))
    return (_plain(body.decode("utf-8", "replace")) or "empty") if is_page else ""


def _plain(text: str) -> str:
    import re

    title = re.search(r"<title>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    shown = title[1] if title else re.sub(r"<[^>]+>", " ", text)
    return " ".join(shown.split())[:300]
