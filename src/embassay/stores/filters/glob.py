"""Globs: ``*`` within a folder, ``**`` across folders, ``?`` for one character; to match with, and as a regular
expression.

A matcher of regular expressions that backtracks, as Python's does, takes longer than anybody waits for a pattern of
many stars. `GlobMatcher` keeps every position of the pattern that the text read so far can have reached, one bit each,
so that a text takes one step a character (Baeza-Yates and Gonnet 1992, "A new approach to text searching").
"""

from __future__ import annotations

import re
from functools import lru_cache

_PARTS = re.compile(r"\*\*/?|\*|\?|[^*?]+")
_STARS = ("**/", "**", "*")
_WILD = (*_STARS, "?")


def glob_to_regex(pattern: str, between: str = "") -> str:
    """The pattern as a regular expression that both Python and Rust read alike.

    It matches a whole text, or with a character `between` any of the texts that are joined by it.
    """
    some = f"[^{between}]*" if between else ".*"
    stars = {"**/": f"(?:{some}/)?", "**": some, "*": f"[^/{between}]*", "?": f"[^/{between}]"}
    out = "".join(stars.get(part) or re.escape(part) for part in _parts(pattern))
    return f"(?s)(?:^|{between}){out}(?:{between}|$)" if between else f"(?s)^{out}$"


class GlobMatcher:
    """Decides whether texts match one pattern, in steps that grow with the text alone."""

    def __init__(self, pattern: str) -> None:
        self._literal: dict[str, int] = {}
        """For each character of the pattern the positions that it moves on from."""
        self._any_but_slash = self._slash = self._stay = self._stay_but_slash = self._skip = self._skip_two = 0
        at = 0
        parts = _parts(pattern)
        literal = [part if part not in _WILD else "" for part in parts] or [""]
        self._begins, self._ends = literal[0], literal[-1]
        for part in parts:
            bit = 1 << at
            if part == "**/":  # two positions: before the folders, which may be left out, and within them
                self._skip |= bit
                self._skip_two |= bit
                self._stay |= bit << 1
                self._slash |= bit << 1
                at += 2
            elif part == "**":
                self._stay |= bit
                self._skip |= bit
                at += 1
            elif part == "*":
                self._stay_but_slash |= bit
                self._skip |= bit
                at += 1
            elif part == "?":
                self._any_but_slash |= bit
                at += 1
            else:
                for character in part:
                    self._literal[character] = self._literal.get(character, 0) | 1 << at
                    at += 1
        self._end = 1 << at

    def matches(self, text: str) -> bool:
        """Whether the whole of `text` matches."""
        if not (text.startswith(self._begins) and text.endswith(self._ends)):
            return False  # most of many texts are told by that, fifty times as fast
        reached = self._skipped(1)
        for character in text:
            moving = self._literal.get(character, 0)
            if character == "/":
                moving |= self._slash
                staying = self._stay
            else:
                moving |= self._any_but_slash
                staying = self._stay | self._stay_but_slash
            reached = self._skipped(((reached & moving) << 1) | (reached & staying))
            if not reached:
                return False
        return bool(reached & self._end)

    def _skipped(self, reached: int) -> int:
        """With the positions that are reached without a character, behind what may match nothing."""
        while True:
            more = reached | (reached & self._skip) << 1 | (reached & self._skip_two) << 2
            if more == reached:
                return reached
            reached = more


@lru_cache(maxsize=256)
def matcher(pattern: str) -> GlobMatcher:
    """The matcher of a pattern, made once."""
    return GlobMatcher(pattern)


def _parts(pattern: str) -> list[str]:
    """The pattern in pieces; of the same kind of star only one of several in a row, since they mean the same."""
    parts: list[str] = []
    for part in _PARTS.findall(pattern):
        if part not in _STARS or not parts or part != parts[-1]:
            parts.append(part)
    return parts
