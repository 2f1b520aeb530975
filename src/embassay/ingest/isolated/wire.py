"""What goes between a run and the process that reads for it: values, each behind its length in eight bytes."""

from __future__ import annotations

from typing import Literal

import msgspec

from embassay.ingest.base import LeftOut
from embassay.types import Document

LENGTH = 8
"""Bytes that tell how long the value behind them is, the least significant first."""
TOO_LARGE = 99
"""Exit status of a process that went beyond its memory."""


class ReadOrder(msgspec.Struct, frozen=True):
    """A file to read."""

    file: str
    id: str
    seconds: float
    """Of computing, after which the process ends if nothing came of the file."""
    text_bytes: int
    """Most that all documents of the file may take as they are sent."""


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The process has started."""


class ReadDocument(msgspec.Struct, frozen=True, tag=True):
    """A document of the file, in its order."""

    document: Document


class BadRecord(msgspec.Struct, frozen=True, tag=True):
    """A record of the file that cannot be read; others follow."""

    reason: str


class PartLeftOut(msgspec.Struct, frozen=True, tag=True):
    """A part of the file that gives no text, though nothing failed."""

    part: LeftOut


class ReadEnd(msgspec.Struct, frozen=True, tag=True):
    """Nothing more comes of the file."""

    outcome: Literal["read", "unreadable", "no text"] = "read"
    reason: str = ""
    retired: bool = False
    """The process has grown so much that another one should read the next file."""


ReadReply = Ready | ReadDocument | BadRecord | PartLeftOut | ReadEnd
REPLIES = msgspec.msgpack.Decoder(ReadReply)
ORDERS = msgspec.msgpack.Decoder(ReadOrder)
ENCODER = msgspec.msgpack.Encoder()


def framed(body: bytes) -> bytes:
    """The body behind its length."""
    return len(body).to_bytes(LENGTH, "little") + body
