"""Shapes in which services answer, named after whose they were first. Several services share most of them.

One decoder a shape; vectors come as float32 rows in the order of the request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from embassay.errors import BadReply
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


class _Named(msgspec.Struct):
    model: str = ""


class _CohereByType(msgspec.Struct, rename={"rows": "float"}):
    rows: list[list[float]]


class _Cohere(msgspec.Struct):
    embeddings: _CohereByType | list[list[float]]
    """By type; a plain list from v1 and from Bedrock's first models."""
    meta: Any = None


_COHERE = msgspec.json.Decoder(_Cohere)
COHERE_ROLES: Mapping[Role, str] = {"query": "search_query", "document": "search_document"}
"""How requests of Cohere's shape name the role, as ``input_type``."""
_OPENAI = msgspec.json.Decoder(_OpenAI)
_NAMED = msgspec.json.Decoder(_Named)
_ROWS = msgspec.json.Decoder(list[list[float]])


def openai_reply(body: bytes, count: int) -> tuple[Vectors, object]:
    """``{"data": [{"embedding": [...] or base64, "index": 0}], "usage": {...}}``: vectors, and tokens as it says them.

    Items are put in the order of their index. Raises BadReply or ValueError.
    """
    reply = _OPENAI.decode(body)
    items = reply.data
    if any(item.index is not None for item in items):
        if sorted(item.index if item.index is not None else -1 for item in items) != list(range(len(items))):
            raise BadReply(f"the reply's indexes are not 0 to {len(items) - 1}, each once.")
        items = sorted(items, key=lambda item: item.index or 0)
    told = said(reply.usage, "prompt_tokens")
    return rows([item.embedding for item in items], count), told or said(reply.usage, "total_tokens") or told


def cohere_reply(body: bytes, count: int) -> tuple[Vectors, object]:
    """``{"embeddings": {"float": [...]} or [...], "meta": {"billed_units": {"input_tokens": 2}}}``.

    The vectors, and the tokens that it says are billed. Raises BadReply or ValueError.
    """
    answer = _COHERE.decode(body)
    vectors = answer.embeddings.rows if isinstance(answer.embeddings, _CohereByType) else answer.embeddings
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


def rows(values: Sequence[Sequence[float] | bytes], count: int) -> Vectors:
    """Lists of numbers, or bytes of little-endian float32, as float32 (count, dimensions). Raises BadReply."""
    import numpy as np

    if len(values) != count:
        raise BadReply(f"the reply has {len(values)} vectors for {count} texts.")
    lengths = {len(value) // 4 if isinstance(value, bytes) else len(value) for value in values}
    if len(lengths) > 1:
        raise BadReply(f"the reply's vectors have different lengths: {', '.join(map(str, sorted(lengths)))}.")
    packed = [value for value in values if isinstance(value, bytes)]
    if packed and any(len(value) % 4 for value in packed):
        raise BadReply(f"{len(packed[0])} bytes are no float32 numbers.")
    if packed and len(packed) == len(values):
        return np.frombuffer(b"".join(packed), "<f4").reshape(count, -1)
    plain = [np.frombuffer(value, "<f4") if isinstance(value, bytes) else value for value in values]
    with np.errstate(over="ignore"):  # what is beyond float32 becomes infinite, and is refused as such
        return np.array(plain, np.float32)


def bare_rows(body: bytes, count: int) -> Vectors:
    """``[[...], [...]]``."""
    return rows(_ROWS.decode(body), count)


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
    error = data.get("error", data)
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


def _plain(text: str) -> str:
    import re

    title = re.search(r"<title>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    shown = title[1] if title else re.sub(r"<[^>]+>", " ", text)
    return " ".join(shown.split())[:300]
