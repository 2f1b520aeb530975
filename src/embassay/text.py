"""Text that can leave Python (as UTF-8, into a tokenizer, a database, a terminal), and words about names and sizes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

ALIKE = 0.6
"""Least similarity, from 0 to 1, at which one name is offered in place of another (`difflib`'s ratio)."""
AS_NEAR = 0.02
"""Names whose similarities differ by no more are offered together."""
DAY = 86_400.0
"""Seconds."""
LONG_NAME = 24
"""A name of more characters is shortened where it stands in a table."""

_BREAKS = re.compile("\r\n|[\t\n\r]")
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 with ESC, DEL, and C1, which holds one-character CSI and OSC
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # they turn the order in which other characters are shown
    "\u2028\u2029\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb"  # further ends of lines, and what is never seen
    "\U000e0000-\U000e007f\ud800-\udfff]"  # invisible tags; halves of characters, which have no encoding
)


_FILE = re.compile(r"[^\s'\"]*/[^\s'\"]*/[^\s'\",]*")


def printable(text: str, *, lines: bool = False) -> str:
    """`text` as a terminal may be given it: each character that it would obey, and not show, becomes a space.

    Everything that came from documents, names, servers and other people's files goes through here before it is shown.
    Line breaks and tabs stay where `lines` are wanted, and else become spaces as well. What joins letters and emoji
    (U+200C, U+200D) stays.
    """
    if text.isprintable():
        return text
    text = text.replace("\r\n", "\n") if lines else _BREAKS.sub(" ", text)
    return _CONTROLS.sub(" ", text)


def without_files(text: str) -> str:
    """`text` with the paths of files left out, for whoever has no business with them."""
    return _FILE.sub("a file of the server", text)


def escaped_json(text: str) -> str:
    """JSON `text` in which every character that `printable` would replace is written ``\\uXXXX``: nothing is lost."""
    return text if text.isprintable() else _CONTROLS.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def encodable(text: str) -> str:
    """`text` with pairs of surrogates joined, and lone ones, which have no encoding, replaced by U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def composed(text: str) -> str:
    """`text` with accents and syllables composed (Unicode's NFC): how texts, names and what is compared with them are
    kept, whatever form a file system or a keyboard gives them."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def moment(seconds: float) -> str:
    """Seconds since 1970 as a date and a time, UTC, to the minute."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):  # a clock that was far off when it was written down
        return f"an unknown time ({seconds:g})"


def size(n: float) -> str:
    """Bytes as a person reads them: ``640 B``, ``1.5 GB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if n < 1000 or unit == "GB":
            return f"{n:,.0f} {unit}" if n >= 10 or unit == "B" else f"{n:,.1f} {unit}"
        n /= 1000
    raise AssertionError


def count(n: int, word: str, many: str = "") -> str:
    """``1 file``, ``2,000 files``; `many` is the plural of a word that has another one."""
    return f"{n:,} {word if n == 1 else many or f'{word}s'}"


def dollars(usd: float | None) -> str:
    """Money as a person reads it. A model that runs here bills nothing: it is free."""
    if usd is None:
        return "unknown"
    if 0 < usd < 0.0001:
        return "< $0.0001"
    return "free" if usd == 0 else f"${usd:,.2f}" if usd >= 0.1 else f"${usd:.4f}"


def share(part: float) -> str:
    """A percentage that is 0 only for nothing."""
    return f"{part:.1%}" if 0 < part < 0.1 else f"{part:.0%}"


def duration(seconds: float | None) -> str:
    """``3.2 s``, ``45 s``, ``12 min``, ``3.5 h``, ``6.9 days``."""
    if seconds is None:
        return "unknown"
    if seconds < 90:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 2 * DAY else f"{seconds / DAY:.1f} days"


def nearest_name(
    name: str, known: Iterable[str], *, cutoff: float = ALIKE, key: Callable[[str], str] = str
) -> str | None:
    """The one of `known` that is spelled most like `name`; None if none reaches the similarity `cutoff`.

    `key` makes of a name what is compared, for instance its last part in lower case.
    """
    import difflib

    by_key = {key(other): other for other in known}
    close = difflib.get_close_matches(key(name), by_key, 1, cutoff)
    return by_key[close[0]] if close else None


def similarity(one: str, other: str) -> float:
    """How much alike two names are spelled, from 0 to 1."""
    import difflib

    return difflib.SequenceMatcher(None, one, other).ratio()


def nearest_names(name: str, known: Iterable[str], *, cutoff: float = ALIKE, most: int = 3) -> list[str]:
    """Those of `known` that are spelled most like `name`, the nearest first: one, or several that are about as near."""
    import difflib

    close = difflib.get_close_matches(name, known, most, cutoff)
    ratios = {other: difflib.SequenceMatcher(None, other, name).ratio() for other in close}
    return [other for other in close if ratios[other] >= ratios[close[0]] - AS_NEAR]


def one_of(names: Sequence[str], count: int = 0) -> str:
    """A question that offers `names`, of which there are `count`: ``Did you mean 'a', 'b' or one of 3 more?``"""
    more = [f"one of {count - len(names):,} more"] if count > len(names) else []
    *first, last = [*map(repr, names), *more]
    return f"Did you mean {', '.join(first)} or {last}?" if first else f"Did you mean {last}?"


def did_you_mean(
    name: str,
    known: Iterable[str],
    *,
    cutoff: float = ALIKE,
    key: Callable[[str], str] | None = None,
    otherwise: str | None = None,
) -> str:
    """A sentence that names the one of `known` that is spelled most like `name`.

    Whole names are compared first, then what `key` makes of them. Where nothing is alike, the sentence is `otherwise`,
    or by default one that lists all of `known`.
    """
    known = list(known)
    close = nearest_name(name, known, cutoff=cutoff)
    if close is None and key is not None:
        close = nearest_name(name, known, cutoff=cutoff, key=key)
    if close is not None:
        return f"Did you mean {close!r}?"
    return f"There are: {', '.join(sorted(known))}." if otherwise is None else otherwise


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Each name as a table shows it: long ones lose their organisation, if all of them can still be told apart."""
    short = {name: name.rsplit("/", 1)[-1] if len(name) > LONG_NAME else name for name in names}
    return short if len(set(short.values())) == len(short) else {name: name for name in names}
