"""What people read of the text of a mail's part that was written for programs: invitations, and what is signed."""

from __future__ import annotations

import re
from collections.abc import Iterator

CALENDARS = frozenset({"text/calendar", "application/ics"})
READ = frozenset("SUMMARY DESCRIPTION LOCATION COMMENT ORGANIZER ATTENDEE".split())
"""Properties of an event that people read (RFC 5545, 3.8)."""
OF_PEOPLE = frozenset({"ORGANIZER", "ATTENDEE"})
"""Those whose value is an address, with a name beside it."""
ENCRYPTED = "-----BEGIN PGP MESSAGE-----"
_FOLD = re.compile(r"\n[ \t]")
_PROPERTY = re.compile(r"([A-Z-]{1,40})((?:;(?:[^\":;]|\"[^\"]*\")*+)*+):(.*)")
_NAME = re.compile(r";CN=(?:\"([^\"]*)\"|([^;:]*))")
_ESCAPED = re.compile(r"\\([nN,;\\])")
_SIGNED = re.compile(r"-----BEGIN PGP SIGNED MESSAGE-----\n(?:[A-Za-z]{1,40}: [^\n]*\n)*\n?")
_SIGNATURE = re.compile(
    r"-----BEGIN PGP (SIGNATURE|MESSAGE|PUBLIC KEY BLOCK)-----\n.*?(?:-----END PGP \1-----\n?|\Z)", re.DOTALL
)
_DASHED = re.compile(r"^- ", re.MULTILINE)
_DATA = bytes.fromhex("06092a864886f70d010701a0")
"""What the content of signed data stands behind: that it is plain data, and the tag of its wrapping (RFC 5652, 5.2)."""


def of_calendar(text: str) -> str:
    """What an invitation says (iCalendar, RFC 5545), without what only calendars read."""
    return "\n".join(dict.fromkeys(filter(None, _properties(_FOLD.sub("", text)))))


def _properties(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        found = _PROPERTY.match(line[:100_000])
        if found is None or found[1] not in READ:
            continue
        value = found[3]
        if found[1] in OF_PEOPLE:
            named = _NAME.search(found[2])
            value = (named[1] or named[2]) if named else ""
        yield _ESCAPED.sub(lambda sign: "\n" if sign[1] in "nN" else sign[1], value).strip()


def without_armor(text: str) -> str:
    """The text that is signed inside of a message (OpenPGP, RFC 9580), without signature, keys and encrypted parts."""
    if "-----BEGIN PGP " not in text:
        return text
    if (bare := _SIGNED.sub("", text)) != text:
        text = _DASHED.sub("", bare)
    return _SIGNATURE.sub("", text)


def signed_content(data: bytes) -> bytes:
    """What is signed, where it lies inside of the signature (S/MIME, RFC 8551); empty where nothing lies there."""
    at = data.find(_DATA)
    at = len(data) if at < 0 else at + len(_DATA) - 1
    found = []
    while at + 2 <= len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length > 0x80:
            size = length & 0x7F
            length = int.from_bytes(data[at : at + size])
            at += size
        if tag == 0x04:
            found.append(data[at : at + length])
            at += length
        elif tag not in (0xA0, 0x24, 0x00):  # a wrapping is entered, and its end passed over
            break
    return b"".join(found)
