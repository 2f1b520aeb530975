"""About how many letters a file holds, counted from its bytes and without any reader.

The count is there to be held against what a reader gave, so it shares nothing with the readers, and takes a few
milliseconds for a megabyte. It knows kinds of content, not suffixes: archives of XML, mail, mark-up, JSON, plain text.
A letter is an ASCII letter or any character beyond ASCII: neither numbers, punctuation nor white space count, because
readers write them in ways of their own.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator

from embassay.ingest.decode import looks_binary, marked_encoding

MAX_BYTES = 32_000_000
"""Of a file, and of all that an archive unpacks to; nothing is said of what is larger."""
MAX_PARTS = 10_000
"""Of an archive or a mail."""
ZIP, GZIP = b"PK\x03\x04", b"\x1f\x8b"
"""How packed files begin."""
_NO_LETTERS = bytes(code for code in range(128) if not chr(code).isalpha())
_UNCOUNTED = _NO_LETTERS + bytes(range(0x80, 0xC0))
"""Of UTF-8; the latter go on with a character."""
_ENCODED = re.compile(rb"(?<![A-Za-z0-9+/=_%-])[A-Za-z0-9+/=_%-]{64,}+")
"""Base64, addresses and their like: nobody's words."""
_TAG = re.compile(rb"<[^<>]*+>")
_ENTITY = re.compile(rb"&#?\w{1,12};")
_OF_MARKUP = (b"script", b"style")
_OF_PAGES = (*_OF_MARKUP, b"head", b"template", b"svg", b"nav", b"footer", b"aside")
"""Elements that hold no text which belongs to the document."""
_ESCAPE = re.compile(rb"\\(?:u[0-9a-fA-F]{4}|.)", re.DOTALL)
_STRING = re.compile(rb'"((?:[^"\\]++|\\.)*+)"(\s*+:)?', re.DOTALL)
"""A string of JSON, and whether it is a name."""
_RTF = re.compile(rb"([{}])|\\([a-zA-Z]{1,32}|\*)-?\d{0,10} ?|\\'[0-9a-fA-F]{2}|\\[^a-zA-Z]|([^{}\\]++)")
"""The pieces of RTF: a brace, the word of a control, or a stretch of text."""
_NO_BODY = frozenset(
    b"* fonttbl colortbl stylesheet listtable listoverridetable info pict object fldinst themedata datastore".split()
)
"""Controls whose groups hold no text of the document."""
_ROFF = re.compile(rb"[.']\\\"|\.(?:TH|Dd|SH|de|so|nr|if|ie|ds)\b")
_ROFF_LINE = re.compile(rb"[.'](?:\\\"|[a-z]{2}\b)")
"""A comment, or one of the requests that lay out, in small letters; macros of manual pages are in capitals."""
_ROFF_ESCAPE = re.compile(rb"\\(?:[fFsmgkM]?[*(]?\([^\s]{2}|[*fFsmgkMn]?\[[^\]\s\\]{0,64}+\]|[*f].|s[-+]?\d|.)")
_MACRO = re.compile(rb"\\(?:(?:begin|end|ref|cite\w*|label|includegraphics)\b[^\\{}]*+\{[^{}]*+\}|[a-zA-Z]++\*?)")
_COMMENT = re.compile(rb"(?<!\\)%[^\n]*+")
"""What is no text of LaTeX."""
_RUN = re.compile(rb"<(?:\w+:)?t(?:\s[^<>]*+)?>([^<]*+)<")
"""The text of a run, as every format of Office Open XML has it."""
_OFFICE = re.compile(
    r"word/(document|footnotes|endnotes)\d*\.xml|xl/(sharedStrings|worksheets/\w+)\.xml|ppt/slides/\w+\.xml"
)
_HEADER = re.compile(
    rb"(?:From |(?:Return-Path|Received|Delivered-To|MIME-Version|Message-ID|From|Date|Subject|To):)", re.IGNORECASE
)


def letters(text: str) -> int:
    """How many letters `text` has."""
    return len(text.encode("utf-8", "surrogatepass").translate(None, _UNCOUNTED))


def held(data: bytes) -> int | None:
    """About how many letters the content of a file holds for a person; None where that cannot be told from outside."""
    if len(data) > MAX_BYTES:
        return None
    if data.startswith(GZIP):
        return _packed(data)
    if data.startswith(ZIP):
        return _archive(data)
    if data.startswith(b"%PDF") or looks_binary(data):
        return None
    return _text(_utf8(data))


def _packed(data: bytes) -> int | None:
    try:
        unpacked = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data, MAX_BYTES)
    except zlib.error:
        return None
    return None if unpacked.startswith(GZIP) else held(unpacked)


def is_blank(data: bytes) -> bool:
    """Whether there is nothing in it but white space."""
    return not data.strip(b" \t\n\r\f\v\0\xef\xbb\xbf\xfe\xff")


def _utf8(data: bytes) -> bytes:
    """The content as UTF-8 where it says that it is something wider; everything else as it is."""
    encoding = marked_encoding(data)
    return data if encoding is None else data.decode(encoding, "replace").encode()


def _text(data: bytes) -> int | None:
    head = data[:512].lstrip()
    if head.startswith(b"<"):
        return _markup(data)
    if head.startswith(b"{\\rtf"):
        return _plain(b" ".join(_of_rtf(data)))
    if head.startswith((b"{", b"[")):
        return _json(data)
    if _ROFF.match(head):
        return _plain(b" ".join(_of_roff(data)))
    if b"\\begin{" in data:
        body = data.partition(b"\\begin{document}")[2] or data
        return _plain(_MACRO.sub(b" ", _COMMENT.sub(b"", body)))
    return _mail(data) if _HEADER.match(head) else _plain(data)


def _plain(data: bytes) -> int:
    data = _ENCODED.sub(b" ", data)
    try:
        data.decode()
        return len(data.translate(None, _UNCOUNTED))
    except UnicodeDecodeError:  # another encoding, with one or two bytes for a letter
        ascii_only = len(data.translate(None, _NO_LETTERS + bytes(range(128, 256))))
        return ascii_only + (len(data.translate(None, _NO_LETTERS)) - ascii_only) // 2


def _markup(data: bytes) -> int:
    unread = _OF_PAGES if b"<html" in data[:4096].lower() else _OF_MARKUP
    return _plain(_ENTITY.sub(b"e", _TAG.sub(b" ", b"".join(_without(unread, data)))))


def _without(unread: tuple[bytes, ...], data: bytes) -> Iterator[bytes]:
    """What stands outside of comments and of those elements, in time that grows with the content."""
    low = data.lower()
    ends = {b"<!--": b"-->"} | {b"<" + name: b"</" + name for name in unread}
    opening = re.compile(b"<!--|<(?:" + b"|".join(unread) + rb")(?=[\s>])")
    unclosed: set[bytes] = set()
    at = 0
    while (found := opening.search(low, at)) is not None:
        kind = found[0]
        end = -1 if kind in unclosed else low.find(ends[kind], found.end())
        if end < 0:
            unclosed.add(kind)
            yield data[at : found.end()]
        else:
            yield data[at : found.start()]
        at = found.end() if end < 0 else end
    yield data[at:]


def _json(data: bytes) -> int:
    values = (found[1] for found in _STRING.finditer(data) if found[2] is None)
    return _plain(b" ".join(_ESCAPE.sub(b"e", value) for value in values))


def _of_rtf(data: bytes) -> Iterator[bytes]:
    """The text of RTF outside of the groups that are none of it."""
    depth, hidden = 0, 0
    for found in _RTF.finditer(data):
        if found[1] == b"{":
            depth += 1
        elif found[1]:
            depth -= 1
            hidden = hidden if depth >= hidden else 0
        elif hidden:
            continue
        elif found[2] in _NO_BODY:
            hidden = depth
        elif found[3]:
            yield found[3]


def _of_roff(data: bytes) -> Iterator[bytes]:
    """The lines of a manual page, without its requests, its own macros and its escapes."""
    defining = False
    for line in data.splitlines():
        if defining:
            defining = not line.startswith(b"..")
        elif line.startswith((b".de", b".ig", b".am")):
            defining = True
        elif not _ROFF_LINE.match(line):
            text = line.partition(b" ")[2] if line.startswith((b".", b"'")) else line
            yield _ROFF_ESCAPE.sub(b" ", text)


def _archive(data: bytes) -> int | None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()[:MAX_PARTS]
            if office := [name for name in names if _OFFICE.fullmatch(name)]:
                return sum(_plain(b" ".join(_RUN.findall(part))) for part in _parts(archive, office))
            pages = [name for name in names if name.endswith((".xhtml", ".html", ".htm"))]
            found = pages or [name for name in names if name == "content.xml"]
            return sum(_markup(part) for part in _parts(archive, found)) if found else None
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, NotImplementedError, ValueError):
        return None


def _parts(archive: zipfile.ZipFile, names: list[str]) -> Iterator[bytes]:
    """The content of some parts. Raises ValueError where they unpack to more than may be looked through."""
    left = MAX_BYTES
    for name in names:
        with archive.open(name) as stream:
            part = stream.read(left + 1)
        left -= len(part)
        if left < 0:
            raise ValueError("too large")
        yield part


def _mail(data: bytes) -> int | None:
    """Of the part of a mail that holds most: the others say the same in another format, or are attachments."""
    from email import message_from_bytes

    if data.startswith(b"From ") or data.count(b"\n--") > MAX_PARTS:  # a mailbox: behind its first mail stand others
        return None
    most = 0
    try:
        for part in message_from_bytes(data).walk():
            if part.get_content_maintype() == "text" and part.get_content_disposition() != "attachment":
                body = part.get_payload(decode=True)
                most = max(most, (_markup if b"<" in body[:512] else _plain)(body) if isinstance(body, bytes) else 0)
    except (ValueError, LookupError, RecursionError, TypeError, AttributeError):  # of what only looks like a mail
        return None
    return most
