"""What people would ask, by rule: the question that a heading or a clause of purpose answers, in many languages."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Literal, TypedDict

TABLE = Path(__file__).with_name("asking.toml")
_OWN = ((re.compile(r"\byour\b"), "my"), (re.compile(r"\byou\b"), "I"), (re.compile(r"\byourself\b"), "myself"))
"""The reader is who asks. Only English has them in its clauses: the rules of other languages leave them out."""
_AFTER = re.compile(
    r"(?:an?|the|your|my|all|multiple|several|up|out|off|different|new|custom|old|[`\"'])\b", re.IGNORECASE
)
"""What follows a word that is a verb there, though it may be a noun elsewhere."""

Kind = Literal["heading", "goal"]


class _Row(TypedDict, total=False):
    heading: Sequence[Sequence[str]]
    goal: Sequence[Sequence[str]]
    verbs: str
    nouns: str
    generic: str


def question_of_heading(title: str, language: str) -> str:
    """The question that the section below a heading answers; empty where no rule says it soundly."""
    return _asked("heading", title.rstrip(" .:!"), language)[0]


def question_of_goal(sentence: str, language: str) -> tuple[str, int]:
    """(question, characters of its clause) where a sentence begins with what somebody wants to do; else ("", 0)."""
    return _asked("goal", sentence, language)


def is_generic(words: Sequence[str], language: str) -> bool:
    """Whether every word stands in titles of anything: "introduction", "release notes"."""
    known = _generic(language)
    return all(word in known for word in words)


def _asked(kind: Kind, text: str, language: str) -> tuple[str, int]:
    for pattern, question in _rules(language, kind):
        if (found := pattern.search(text)) and (words := _groups(found, language)) is not None:
            asked = re.sub(r"\\(\d)", lambda place: words[int(place[1]) - 1], question)
            if kind == "goal" and language == "en":
                for own, mine in _OWN:
                    asked = own.sub(mine, asked)
            return " ".join(asked.split()), found.end()
    return "", 0


def _groups(found: re.Match[str], language: str) -> list[str] | None:
    """What the question is made of, its first letter small where the rest of the word is; None: no verb after all."""
    named, words = found.groupdict(), [str(word) for word in found.groups()]
    verbs, nouns = _verbs(language)
    rest = words[1] if len(words) > 1 else ""
    if (gerund := named.get("gerund")) is not None:
        base = {_gerund(verb): verb for verb in verbs}.get(gerund.lower())
        return [base, *words[1:]] if base else None
    if (verb := named.get("verb")) is not None:
        word = verb.lower()
        is_verb = word in verbs and (word not in nouns or bool(_AFTER.match(rest)))
        return [word, *words[1:]] if is_verb else None
    if (plain := named.get("plain")) is not None and plain not in verbs:
        return None
    first = words[0]
    if language != "de" and (first[1:2].islower() or first[1:2] == " "):  # German nouns keep their capital
        words[0] = first[:1].lower() + first[1:]
    return words


def _gerund(verb: str) -> str:
    """As English spells it: ``make`` making, ``set`` setting, ``configure`` configuring."""
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")):
        return f"{verb[:-1]}ing"
    doubled = verb in ("set", "get", "run", "stop", "split", "wrap", "skip", "log", "submit", "omit", "debug", "reset")
    return f"{verb}{verb[-1]}ing" if doubled else f"{verb}ing"


@cache
def _table() -> Mapping[str, _Row]:
    return tomllib.loads(TABLE.read_text("utf-8"))


@cache
def _rules(language: str, kind: Kind) -> Sequence[tuple[re.Pattern[str], str]]:
    row = _table().get(language, {})
    listed = row.get(kind, ())
    return [(re.compile(pattern), question) for pattern, question in listed]


@cache
def _verbs(language: str) -> tuple[frozenset[str], frozenset[str]]:
    row = _table().get(language, {})
    return frozenset(row.get("verbs", "").split()), frozenset(row.get("nouns", "").split())


@cache
def _generic(language: str) -> frozenset[str]:
    return frozenset(_table().get(language, {}).get("generic", "").split())
