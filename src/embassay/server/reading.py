"""Bodies and query strings to values, checked on the way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec

from embassay.server.refusals import MediaUnsupported, RequestInvalid, RequestTooLarge

if TYPE_CHECKING:
    from embassay.server.route import Route

    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

FORM_TYPE = "application/x-www-form-urlencoded"
JSON_TYPES = ("", "application/json", "text/json", FORM_TYPE)
"""What a body of JSON may be called: curl says the last one of whatever it is given."""
MOST_FIELDS = 100
"""Of a query string."""


class RequestReader:
    """Reads the requests of one route."""

    def __init__(self, route: Route) -> None:
        self._decoder = None if route.body is None else msgspec.json.Decoder(route.body)
        self._query, self._form, self._is_page = route.query, route.form, route.page

    def query(self, raw: bytes) -> Any:
        """The query string as the route describes it; None for a route without one. Raises RequestInvalid."""
        return None if self._query is None else self._fields(raw, self._query, "query string")

    async def body(self, headers: Mapping[str, str], receive: Receive, most: int) -> Any:
        """The body as the route describes it; None for a route without one. Raises RequestInvalid, RequestTooLarge."""
        if self._form is not None:
            media = headers.get("content-type", "").partition(";")[0].strip().lower()
            if media != FORM_TYPE:
                raise MediaUnsupported(f"the body is {media[:60] or 'of no kind'}; it must be a form ({FORM_TYPE}).")
            return self._fields(await _read(headers, receive, most), self._form, "form")
        if self._decoder is None:
            return None
        media, _, rest = headers.get("content-type", "").partition(";")
        media = media.strip().lower()
        if media not in JSON_TYPES and not media.endswith("+json"):
            raise MediaUnsupported(f"the body is {media[:60]}; it must be application/json.")
        if "charset" in rest.lower() and "utf-8" not in rest.lower() and "utf8" not in rest.lower():
            raise MediaUnsupported("the body must be JSON in UTF-8.")
        coding = headers.get("content-encoding", "").strip().lower()
        if coding not in ("", "identity"):
            raise MediaUnsupported(f"the body is compressed by {coding[:40]}; it must be sent as it is.")
        raw = await _read(headers, receive, most)
        try:
            return self._decoder.decode(raw)
        except msgspec.ValidationError as error:
            raise _invalid(error) from None
        except msgspec.DecodeError as error:
            raise RequestInvalid(f"the body is no JSON: {error}.") from None
        except UnicodeDecodeError:
            raise RequestInvalid("the body is no JSON: it is not in UTF-8.") from None
        except RecursionError:
            raise RequestInvalid("the body is nested too deep.") from None

    def _fields(self, raw: bytes, kind: Any, what: str) -> Any:
        """`kind` of the fields of a query string or a form. A browser sends empty ones of what nobody filled in."""
        blank = not self._is_page
        try:
            pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=blank, max_num_fields=MOST_FIELDS, errors="strict")
        except (ValueError, UnicodeDecodeError):
            raise RequestInvalid(f"the {what} cannot be read.") from None
        fields: dict[str, str] = {}
        for name, value in pairs:
            if name in fields:
                raise RequestInvalid(f"{name[:40]!r} stands twice in the {what}.", place=name[:40])
            fields[name] = value
        try:
            return msgspec.convert(fields, kind, strict=False)
        except msgspec.ValidationError as error:
            raise _invalid(error) from None


async def _read(headers: Mapping[str, str], receive: Receive, most: int) -> bytes:
    said = headers.get("content-length", "")
    if said.isdigit() and int(said) > most:
        raise _too_large(most)
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestInvalid("the body ended before it was whole.")
        part = message.get("body", b"")
        size += len(part)
        if size > most:
            raise _too_large(most)
        parts.append(part)
        more = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large(most: int) -> RequestTooLarge:
    return RequestTooLarge(f"the body is larger than {most:,} bytes.", remedy="Send it in several requests.")


def _invalid(error: msgspec.ValidationError) -> RequestInvalid:
    """``Expected `str`, got `int` - at `$.input[3]``` as a sentence, and the place of the value by itself."""
    message, _, place = str(error).partition(" - at ")
    place = place.strip("`").removeprefix("$").removeprefix(".")
    where = f"{place}: " if place else ""
    words = message.replace("`", "").rstrip(".")
    return RequestInvalid(f"{where}{words[:1].lower()}{words[1:]}."[:500], place=place[:100])
