"""A chunk as a person reads it: prose in one line, code in lines, and without what only a generator of pages reads.

Nothing of this touches what is embedded and searched.
"""

from __future__ import annotations

import re

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n.*?\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_INLINE = re.compile(
    r"\{[ \t]*#[\w:.-]+[ \t]*\}"  # the anchor of a heading: { #tests }
    r"|\{\*[^*\n]*\*\}|\{![^!\n]*!\}"  # files that MkDocs includes
    r"|\{\{[#<%][^\n]*?\}\}"  # those of mdBook, and the shortcodes of Hugo
    r'|<!--.*?-->|<a (?:id|name)="[^"\n]*"></a>',
    re.DOTALL,
)
_KINDS = "tip|note|info|warning|danger|check|success|failure|bug|example|quote|abstract|details|tab|admonition|caution"
_LINE = re.compile(
    r"^[ \t]*(?:--8<--.*|:{3,}.*|\.\. (?:literal)?include::.*"
    rf"|/{{3,}}(?:[ \t]+(?:{_KINDS})(?:[ \t]*\|[ \t]*(.*))?)?)[ \t]*$",
    re.MULTILINE,
)
_FENCE = re.compile(r"[ \t>]*(?:```+|~~~+)")


def as_read(text: str, *, code: bool = False) -> str:
    """`text` with its prose folded into lines of one paragraph after the other; `code` says that there is no prose."""
    if code:
        return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())
    text = _FRONT_MATTER.sub("", text)
    text = _LINE.sub(lambda found: found[1] or "", _INLINE.sub("", text))
    parts: list[str] = []
    fenced = False
    for line in text.splitlines():
        if _FENCE.match(line):
            fenced = not fenced
            parts.append("\n")
        elif fenced:
            parts.append(line.rstrip() + "\n")
        elif folded := " ".join(line.split()):
            parts.append(folded + " ")
    return re.sub(r"[ \t]*\n[\n]*", "\n", "".join(parts)).strip()
