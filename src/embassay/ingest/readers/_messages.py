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
from embassay.ingest.dates import sortable_date
from embassay.ingest.decode import decode
from embassay.ingest.html_text import extract
from embassay.ingest.readers._flowed import unfolded
from embassay.ingest.readers._mail_text import CALENDARS, ENCRYPTED, of_calendar, signed_content, without_armor

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
WRITTEN_TWICE = frozenset({"text/x-amp-html", "text/vcard", "text/x-vcard"})
"""Alternatives for programs, which say what another one says for people."""
DEFECTS = {
    "CloseBoundaryNotFoundDefect": "damaged: the end of the message is missing",
    "InvalidBase64LengthDefect": "damaged: a part is cut off, and cannot be decoded",
}
"""Of what Python's library finds wrong, that which may have cost text."""
SIGNED = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
"""What holds a message that is signed as a whole, or encrypted (S/MIME)."""
STUB = 2
"""A plain alternative that has fewer than one in so many of the different words of the HTML one only says that there is
another."""
_PAGE = re.compile(r"\s*(?:<!doctype html|<html[\s>])", re.IGNORECASE)
_WORD = re.compile(r"\w+")
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
    message = _parsed(data.removeprefix(b"\xef\xbb\xbf"))
    if not any(header in message for header in (*HEADERS.values(), *OTHERS)):
        raise ReadError("not an e-mail: it has no From, To, Date or Subject")
    return message


def _parsed(data: object) -> EmailMessage:
    message = message_from_bytes(data if isinstance(data, bytes) else b"", policy=BoundedHeaders())
    assert isinstance(message, EmailMessage)  # the policy makes them
    return message


def documents(message: EmailMessage, name: str, path: str, *, level: int = 0) -> Iterator[Read]:
    """The message, the messages that it forwards and the files that it brings, each as a document; `name` is its id.

    A message that says nothing else says its subject. Raises ReadError where there is no readable body. What cannot be
    read beside it is told as LeftOut.
    """
    metadata = {key: text for key, header in HEADERS.items() if (text := str(message[header] or ""))}
    if "date" in metadata:
        metadata["date"] = sortable_date(metadata["date"])
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
    events: list[str] = field(default_factory=list)
    """What invitations say; they come several times, and beside a text that says less."""
    forwarded: list[EmailMessage] = field(default_factory=list)
    files: list[Message] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The blocks and what invitations say, with a blank line between them."""
        blocks = self.blocks + self.events
        return blocks[0] if len(blocks) == 1 else "\n\n".join(block.strip("\n") for block in blocks)

    @property
    def kind(self) -> str:
        """How to cut the text."""
        return "markdown" if self.is_markup and not self.is_plain else "text"

    @property
    def words(self) -> int:
        """Number of words in the text."""
        return sum(len(block.split()) for block in self.blocks + self.events)

    @property
    def vocabulary(self) -> set[str]:
        """The different words of the text."""
        return {word.casefold() for block in self.blocks for word in _WORD.findall(block)}

    def take(self, other: Content, *, with_text: bool = True) -> None:
        """Add what another part holds, behind what is here."""
        if with_text:
            self.blocks += other.blocks
            self.is_markup |= other.is_markup
            self.is_plain |= other.is_plain
        self.events += [event for event in other.events if event not in self.events]
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
    if part.get_content_type() in CALENDARS:
        return _of_text(part)
    if part.get_content_type() in SIGNED:
        return _of_signed(part)
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
    """One text of several that say the same: the plain one, unless it is blank or only says that there is another.

    Where they say different things, and the plain one is no shorter, both.
    """
    whole = Content()
    chosen = _chosen([content for content in alternatives if content.blocks])
    for content in alternatives:
        whole.take(content, with_text=any(content is one for one in chosen))
    return whole


def _chosen(texts: list[Content]) -> list[Content]:
    plain = next((content for content in texts if content.is_plain and not content.is_markup), None)
    marked = max((content for content in texts if content.is_markup), key=lambda content: content.words, default=None)
    if plain is None or marked is None:
        return [content for content in (plain, marked) if content is not None]
    if _says(plain, marked):
        return [plain]
    return [marked] if plain.words < marked.words or _says(marked, plain) else [plain, marked]


def _says(one: Content, other: Content) -> bool:
    """Whether one text says most of the words of the other."""
    words = other.vocabulary
    return len(one.vocabulary & words) * STUB >= len(words)


def _of_message(part: Message, subtype: str) -> Content:
    inner = part.get_payload()
    if subtype in ("rfc822", "global", "news") and isinstance(inner, list):
        return Content(forwarded=[_decoded_message(part, each) for each in inner if isinstance(each, EmailMessage)])
    if subtype in ("delivery-status", "disposition-notification", "feedback-report"):
        texts = [str(block) for block in inner] if isinstance(inner, list) else [str(inner)]
        return Content(blocks=[text for text in texts if text.strip()], is_plain=True)
    if subtype == "external-body":
        return Content(left_out=["an attachment that lies elsewhere"])
    return _of_text(part)


def _decoded_message(part: Message, message: EmailMessage) -> EmailMessage:
    """The message inside of `part`, which some programs encode like a file although it may not be (RFC 2046, 5.2.1)."""
    if message.keys() or str(part.get("Content-Transfer-Encoding", "")).strip().lower() != "base64":
        return message
    message["Content-Transfer-Encoding"] = "base64"
    return _parsed(message.get_payload(decode=True))


def _of_signed(part: Message) -> Content:
    payload = part.get_payload(decode=True)
    inner = signed_content(payload) if isinstance(payload, bytes) else b""
    return _content(_parsed(inner)) if inner else Content(left_out=["the message is encrypted"])


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
    if part.get_content_type() in CALENDARS:
        event = of_calendar(text)
        return Content(events=[event] if event else [])
    encrypted = ["the message is encrypted"] if ENCRYPTED in text else []
    text = without_armor(text)
    if not text.strip():
        return Content(left_out=encrypted)
    return Content([text], is_markup=is_markup, is_plain=not is_markup, left_out=encrypted)


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
