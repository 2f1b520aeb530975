"""Mailboxes (.mbox, RFC 4155): each message as an e-mail is read, one after the other, so that any size will do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from embassay.ingest.base import Document, Read, ReadError, SourceFile
from embassay.ingest.readers._messages import documents, parsed

SUFFIXES = frozenset({".mbox"})
STREAMS = True
MAX_MESSAGE = 64_000_000
"""Bytes of one message, with what is attached to it."""
HEAD = 4_096
"""Bytes in which the first envelope begins."""
MAX_LINE = 1 << 20
"""Bytes of a line that are read at once."""
MAX_ENVELOPE = 300
"""Bytes of the line above a message that are looked at."""
MAX_ID = 200
"""Characters of the id of a message."""
_ENVELOPE = re.compile(rb"From \S.*\d\d:\d\d.*\d{4}|From -")
_QUOTED = re.compile(rb">+From ")
"""A line of a message that would begin another one; mailboxes put a mark before it."""


def read(source: SourceFile) -> Iterator[Read]:
    with source.open() as stream:
        if not stream.read(HEAD).lstrip().startswith(b"From "):
            raise ReadError("not a mailbox: it does not begin with the line of an envelope")
        stream.seek(0)
        for number, (line, data) in enumerate(_messages(stream), 1):
            if data is None:
                yield ReadError(f"message {number} (line {line}): larger than {MAX_MESSAGE / 1e6:.0f} MB")
                continue
            try:
                message = parsed(data)
                name = f"{source.id}#{_id(str(message['Message-ID'] or '')) or number}"
                for found in documents(message, name, source.id):
                    yield _placed(found, line) if isinstance(found, Document) else found
            except ReadError as error:
                yield ReadError(f"message {number} (line {line}): {error.message}")


def _messages(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """For each message the line where it begins and its bytes; None in their place if they are too many."""
    parts: list[bytes] = []
    size, start, at, ended, blank = 0, 0, 0, True, True
    while line := stream.readline(MAX_LINE):
        at += ended
        if ended and blank and _ENVELOPE.match(line[:MAX_ENVELOPE]):
            if start:
                yield start, b"".join(parts) if size <= MAX_MESSAGE else None
            parts, size, start = [], 0, at
        else:
            size += len(line)
            if size <= MAX_MESSAGE:
                parts.append(line[1:] if ended and _QUOTED.match(line) else line)
            else:
                parts = []
        ended, blank = line.endswith(b"\n"), ended and not line.strip()
    yield start, b"".join(parts) if size <= MAX_MESSAGE else None


def _id(header: str) -> str:
    """What a message calls itself, so that it keeps its name when others are taken out of the mailbox."""
    return "".join(header.split()).strip("<>") if len(header) <= MAX_ID else ""


def _placed(document: Document, line: int) -> Document:
    """Every line of it is found where the message begins."""
    return replace(document, source_lines=[line] * (document.text.count("\n") + 1))
