"""E-mail (.eml): subject, sender and date are metadata, the text or HTML body is the text."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage, MIMEPart
from email.policy import EmailPolicy
from typing import Any

from embassay.ingest.base import Document, ReadError, SourceFile
from embassay.ingest.html_text import extract

SUFFIXES = frozenset({".eml"})
MAX_HEADER = 8_000
"""Characters of a header that are parsed: the parser of Python's library takes time and memory with their square."""
HEADERS = {"from": "From", "to": "To", "date": "Date", "subject": "Subject"}


class BoundedHeaders(EmailPolicy):
    """Python's policy for e-mail as it is written today, which parses the head of each header alone."""

    def header_fetch_parse(self, name: str, value: str) -> Any:
        """The header called `name`, parsed when it is asked for."""
        return super().header_fetch_parse(name, value[:MAX_HEADER])


def read(source: SourceFile) -> Iterator[Document]:
    message = message_from_bytes(source.data, policy=BoundedHeaders())
    if not isinstance(message, EmailMessage) or not any(message[h] for h in HEADERS.values()):
        raise ReadError("not an e-mail: it has no From, To, Date or Subject")
    metadata = {name: str(message[header]) for name, header in HEADERS.items() if message[header]}
    body = message.get_body(preferencelist=("plain", "html"))
    text = _content(body) if isinstance(body, MIMEPart) else ""
    if not text.strip() and message.defects:
        raise ReadError(f"no readable body: {type(message.defects[0]).__name__}")
    subject = metadata.get("subject", "")
    yield Document(source.id, source.id, text.replace("\r\n", "\n"), title=subject, metadata=metadata)


def _content(body: MIMEPart) -> str:
    try:
        text = str(body.get_content())
    except (LookupError, KeyError):  # a charset that Python does not know
        payload = body.get_payload(decode=True)
        text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    if body.get_content_type() == "text/html" and text.strip():
        text = "\n".join(extract(text)[1].text)
    return text
