"""Plain text whose lines were cut to be sent, made whole again (RFC 3676, ``format=flowed``)."""

from __future__ import annotations

SIGNATURE = "-- "
"""The line above a signature; its space at the end is no sign that the line goes on."""


def unfolded(text: str, *, joins_words: bool = False) -> str:
    """Each paragraph on one line. `joins_words`: the space at the end of a line is no text (``delsp=yes``)."""
    lines: list[str] = []
    goes_on, depth = False, 0
    for line in text.split("\n"):
        bare = line.lstrip(">")
        quoted = len(line) - len(bare)
        bare = bare.removeprefix(" ")
        if goes_on and quoted == depth and bare != SIGNATURE:
            lines[-1] += bare
        else:
            lines.append((">" * quoted + " " if quoted else "") + bare)
        goes_on, depth = bare.endswith(" ") and bare != SIGNATURE, quoted
        if goes_on and joins_words:
            lines[-1] = lines[-1][:-1]
    return "\n".join(lines)
