"""E-mail messages to documents (RFC 5322 and MIME): one for each message and each attached file that can be read."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import EmailPolicy
from functools import lru_cache
from pathlib import Path
from typing import Any

from embassay.ingest.base import Document, LeftOut, Read, ReadError, SourceFile
from embassay.ingest.charset import declared
from embassay.ingest.decode import decode
from embassay.ingest.html_text import extract
from embassay.ingest.readers._flowed import unfolded

MAX_HEADER = 8_000
"""Characters of a header that are parsed: the parser of Python's library takes time and memory with their square."""
MAX_FORWARDED = 20
"""Levels of messages in messages."""
MAX_NAME = 100
"""Characters of an attachment's name that are kept."""
HEADERS = {"from": "From", "to": "To", "cc": "Cc", "date": "Date", "subject": "Subject"}
OTHERS = ("Message-ID", "MIME-Version", "Content-Type", "Received", "Return-Path")
"""Headers that nobody reads, and that only messages have."""
MARKUP = frozenset({"text/html", "application/xhtml+xml", "text/enriched", "text/richtext"})
NO_READING = frozenset({"text/css", "text/javascript", "application/javascript", "application/pgp-signature"})
"""Parts that serve the others, and say nothing themselves."""
WRITTEN_TWICE = frozenset({"text/calendar", "text/x-amp-html", "text/vcard", "text/x-vcard"})
"""Alternatives for programs, which say what another one says for people."""
DEFECTS = {
    "CloseBoundaryNotFoundDefect": "damaged: the end of the message is missing",
    "InvalidBase64LengthDefect": "damaged: a part is cut off, and cannot be decoded",
}
"""Of what Python's library finds wrong, that which may have cost text."""
STUB = 2
"""A plain alternative with fewer words than the HTML one has, divided by this, only says that there is another."""
_PAGE = re.compile(r"\s*(?:<!doctype html|<html[\s>])", re.IGNORECASE)
_UNSAFE = re.compile(r"[\x00-\x1f/\\]+")


class BoundedHeaders(EmailPolicy):
    """Python's policy for e-mail as it is written today, which parses the head of each header alone, and never fails.

    Bytes that no header may hold are text in the encoding that they look like; what cannot be parsed is as it is.
    """

    def header_fetch_parse(self, name: str, value: str) -> Any:
        """The header called `name`, parsed when it is asked for."""
        return _header(name, value[:MAX_HEADER])


@lru_cache(maxsize=512)
def _header(name: str, value: str) -> Any:
    """Parsed once for all parts that have the same; parsing is most of what reading a message costs."""
    if any("\udc80" <= letter <= "\udcff" for letter in value):
        data = value.encode("utf-8", "surrogateescape")
        try:
            value = decode(data)
        except ReadError:
            value = data.decode("utf-8", "replace")
    try:
        return EmailPolicy().header_fetch_parse(name, value)
    except MemoryError:
        raise
    except Exception:  # the library lets whatever through that a header of somebody else's making does to it
        return " ".join(value.split())


def parsed(data: bytes) -> EmailMessage:
    """The message that `data` is. Raises ReadError where it has none of the headers that every message has."""
    message = message_from_bytes(data.removeprefix(b"\xef\xbb\xbf"), policy=BoundedHeaders())
    if not isinstance(message, EmailMessage) or not any(header in message for header in (*HEADERS.values(), *OTHERS)):
        raise ReadError("not an e-mail: it has no From, To, Date or Subject")
    return message


def documents(message: EmailMessage, name: str, path: str, *, level: int = 0) -> Iterator[Read]:
    """The message, the messages that it forwards and the files that it brings, each as a document; `name` is its id.

    A message that says nothing else says its subject. Raises ReadError where there is no readable body. What cannot be
    read beside it is told as LeftOut.
    """
    metadata = {key: text for key, header in HEADERS.items() if (text := str(message[header] or ""))}
    content = _content(message)
    brings = bool(content.files or content.forwarded)
    if not content.words and not brings and message.defects:
        raise ReadError(f"no readable body: {type(message.defects[0]).__name__}")
    title = metadata.get("subject", "")
    if content.words or title or not brings:
        text = content.text if content.words else title
        yield Document(name, path, text, content.kind, title=title, metadata=metadata)
    for reason in content.left_out:
        yield LeftOut(reason)
    for at, inner in enumerate(content.forwarded, 1):
        yield from _forwarded(inner, f"{name}#{at}", path, level + 1)
    for part in content.files:
        yield from _attached(part, name, path)


def _forwarded(message: EmailMessage, name: str, path: str, level: int) -> Iterator[Read]:
    if level > MAX_FORWARDED:
        yield LeftOut(f"a message inside of {MAX_FORWARDED} others")
        return
    try:
        yield from documents(message, name, path, level=level)
    except ReadError as error:
        yield LeftOut(f"a message inside of it: {error.message}")


@dataclass
class Content:
    """What a part of a message holds: text to be read in its place, and what stands for itself."""

    blocks: list[str] = field(default_factory=list)
    is_markup: bool = False
    """Whether some of the text was markup, so that its headings are marked."""
    is_plain: bool = False
    forwarded: list[EmailMessage] = field(default_factory=list)
    files: list[Message] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The blocks, with a blank line between them."""
        return self.blocks[0] if len(self.blocks) == 1 else "\n\n".join(block.strip("\n") for block in self.blocks)

    @property
    def kind(self) -> str:
        """How to cut the text."""
        return "markdown" if self.is_markup and not self.is_plain else "text"

    @property
    def words(self) -> int:
        """Number of words in the text."""
        return sum(len(block.split()) for block in self.blocks)

    def take(self, other: Content, *, with_text: bool = True) -> None:
        """Add what another part holds, behind what is here."""
        if with_text:
            self.blocks += other.blocks
            self.is_markup |= other.is_markup
            self.is_plain |= other.is_plain
        self.forwarded += other.forwarded
        self.files += other.files
        self.left_out += other.left_out


def _content(part: Message) -> Content:
    content = _of_part(part)
    found = {DEFECTS[name] for defect in part.defects if (name := type(defect).__name__) in DEFECTS}
    content.left_out += sorted(found)
    return content


def _of_part(part: Message) -> Content:
    kind, subtype = part.get_content_maintype(), part.get_content_subtype()
    if kind == "multipart" and part.is_multipart():
        return _of_parts(part, subtype)
    if kind == "message":
        return _of_message(part, subtype)
    if part.get_content_type() in NO_READING:
        return Content()
    is_file = part.get_content_disposition() == "attachment" or part.get_filename()
    if not is_file and (kind in ("text", "multipart") or part.get_content_type() in MARKUP):
        return _of_text(part)
    return Content(files=[part])


def _of_parts(part: Message, subtype: str) -> Content:
    children = [child for child in part.get_payload() if isinstance(child, Message)]
    if subtype == "encrypted":
        return Content(left_out=["the message is encrypted"])
    if subtype == "alternative":
        for_people = [child for child in children if child.get_content_type() not in WRITTEN_TWICE]
        return _best([_content(child) for child in for_people or children])
    contents = [_content(child) for child in children]
    whole = Content()
    for at, content in enumerate(contents):
        if subtype == "related" and at:  # what the first part shows: pictures in the main, and pages in a saved page
            content.files = [file for file in content.files if file.get_content_disposition() == "attachment"]
        if subtype == "signed" and at:
            continue
        whole.take(content)
    return whole


def _best(alternatives: list[Content]) -> Content:
    """One text of several that say the same: the plain one, unless it is blank or only says that there is another."""
    richest = max(alternatives, key=lambda content: content.words, default=Content())
    plain = next((content for content in alternatives if content.is_plain and not content.is_markup), richest)
    chosen = plain if plain.words and plain.words * STUB >= richest.words else richest
    whole = Content()
    for content in alternatives:
        whole.take(content, with_text=content is chosen)
    return whole


def _of_message(part: Message, subtype: str) -> Content:
    inner = part.get_payload()
    if subtype in ("rfc822", "global", "news") and isinstance(inner, list):
        return Content(forwarded=[message for message in inner if isinstance(message, EmailMessage)])
    if subtype in ("delivery-status", "disposition-notification", "feedback-report"):
        texts = [str(block) for block in inner] if isinstance(inner, list) else [str(inner)]
        return Content(blocks=[text for text in texts if text.strip()], is_plain=True)
    if subtype == "external-body":
        return Content(left_out=["an attachment that lies elsewhere"])
    return _of_text(part)


def _of_text(part: Message) -> Content:
    try:
        text = decoded(part)
    except ReadError as error:
        return Content(left_out=[f"a part of the message: {error.message}"])
    is_markup = part.get_content_type() in MARKUP or bool(_PAGE.match(text))
    if is_markup:
        text = "\n".join(extract(text)[1].text)
    elif str(part.get_param("format", "")).lower() == "flowed":
        text = unfolded(text, joins_words=str(part.get_param("delsp", "")).lower() == "yes")
    if not text.strip():
        return Content()
    return Content([text], is_markup=is_markup, is_plain=not is_markup)


def decoded(part: Message) -> str:
    """The text of a part, in the encoding that it names if that is true, else in the one that it looks like.

    Raises ReadError where no encoding fits.
    """
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else str(part.get_payload()).encode("utf-8", "surrogateescape")
    text = declared(data, str(part.get_param("charset", "") or ""))
    return decode(data.replace(b"\0", b"")) if text is None else text


def _attached(part: Message, name: str, path: str) -> Iterator[Read]:
    """The documents of an attached file, by the reader of its name; their ids begin with that of the message."""
    from embassay.ingest.read import reader_of, readers

    file = _file_name(part)
    suffix = Path(file).suffix.lower()
    is_text = part.get_content_maintype() == "text"
    if part.get_content_maintype() == "image" and part.get_content_disposition() != "attachment":
        return  # it belongs to how the message looks
    if suffix not in readers() and not is_text:
        yield LeftOut(f"the attachment {file} ({part.get_content_type()})")
        return
    try:
        payload = decoded(part).encode() if is_text else part.get_payload(decode=True)
        content = payload if isinstance(payload, bytes) else b""
        source = SourceFile(Path(file), f"{name}#{file}", content)
        for found in reader_of(suffix).read(source):
            yield replace(found, path=path) if isinstance(found, Document) else _told(file, found)
    except MemoryError:
        raise
    except Exception as error:  # a reader may fail in any way; the message is kept
        yield LeftOut(f"the attachment {file}: {' '.join(str(error).split())[:200]}")


def _told(file: str, found: ReadError | LeftOut) -> LeftOut:
    reason = found.reason if isinstance(found, LeftOut) else found.message
    return LeftOut(f"the attachment {file}: {reason}")


def _file_name(part: Message) -> str:
    given = _UNSAFE.sub("_", part.get_filename() or "").strip()
    if given:
        return given if len(given) <= MAX_NAME else given[: MAX_NAME // 2] + "…" + given[-MAX_NAME // 2 :]
    return "attachment" + (mimetypes.guess_extension(part.get_content_type()) or "")
