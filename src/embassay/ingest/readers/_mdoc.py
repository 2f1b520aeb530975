"""Lines of mdoc(7), whose macros name what a word is: a flag, an argument, a path."""

from __future__ import annotations

from collections.abc import Sequence

CALLABLE = frozenset(
    "Ac Ad An Ao Ap Aq Ar At Bc Bo Bq Brc Bro Brq Bsx Bx Cd Cm Dc Do Dq Dv Dx Ec Em En Eo Er Ev Fa Fc Fl Fn Fo Fr "
    "Ft Fx Ic In Li Lk Ms Mt Nd Nm No Ns Nx Oc Oo Op Ot Ox Pa Pc Pf Po Pq Px Qc Ql Qo Qq Re Rs Sc Sm So Sq St Sx "
    "Sy Ta Tn Ud Ux Va Vt Xc Xo Xr Xl Bk Ek It Bl El D1 Dl Lb Rv Ex Hf Lp Es".split()
)
"""Macros that may stand among the words of a line."""
OPENS = {"Op": "[", "Oo": "[", "Dq": "\u201c", "Do": "\u201c", "Sq": "\u2018", "So": "\u2018", "Qq": '"', "Qo": '"',
         "Pq": "(", "Po": "(", "Aq": "<", "Ao": "<", "Bq": "[", "Bo": "[", "Brq": "{", "Bro": "{", "Ql": "'",
         }  # fmt: skip
CLOSES = {"Op": "]", "Dq": "\u201d", "Sq": "\u2019", "Qq": '"', "Pq": ")", "Aq": ">", "Bq": "]", "Brq": "}", "Ql": "'"}
"""Macros whose mark closes at the end of the line."""
CLOSING = {"Oc": "]", "Dc": "\u201d", "Sc": "\u2019", "Qc": '"', "Pc": ")", "Ac": ">", "Bc": "]", "Brc": "}"}
SYSTEMS = {"Ux": "UNIX", "Bx": "BSD", "Fx": "FreeBSD", "Nx": "NetBSD", "Ox": "OpenBSD", "Dx": "DragonFly",
           "Bsx": "BSD/OS", "At": "AT&T UNIX"}  # fmt: skip
DROPPED_ARGUMENTS = frozenset({"Bl", "Bk", "Sm"})
"""Macros whose words say how something is laid out."""
PUNCTUATION = frozenset(".,:;)]?!")


def mdoc_line(words: Sequence[str]) -> str:
    """The words of a macro line, each as its macro prints it."""
    if not words or words[0] in DROPPED_ARGUMENTS:
        return ""
    if words[0].startswith("%"):  # a part of a reference
        words = words[1:]
    parts: list[str] = []
    closing: list[str] = []
    joined = flag = xref = False
    for word in words:
        if word in CALLABLE:
            if flag:
                parts.append("-")
            flag, xref = word == "Fl", word == "Xr"
            joined = joined or word in ("Ns", "Ap", "Pf")
            if word == "Ap":
                parts.append("'")
            elif word in ("Nd", "In"):
                parts.append("-" if word == "Nd" else "#include")
            elif word in OPENS:
                parts.append(("" if not joined else "\b") + OPENS[word] + "\b")
                closing += [CLOSES[word]] if word in CLOSES else []
            elif word in CLOSING:
                parts.append("\b" + CLOSING[word])
            elif word in SYSTEMS:
                parts.append(SYSTEMS[word])
            continue
        said = f"-{word}" if flag and word not in PUNCTUATION else word
        if xref and word.isalnum() and len(word) <= 3 and parts and word[0].isdigit():
            said, xref = f"\b({word})", False
        parts.append(("\b" if joined or word in PUNCTUATION else "") + said)
        flag = joined = False
    if flag:
        parts.append("-")
    parts += ["\b" + mark for mark in reversed(closing)]
    return " ".join(parts).replace(" \b", "").replace("\b ", "").replace("\b", "")
