"""Reads a pipeline from the words in which it prints.

    pipeline := arm ("|" arm)* (">>" stage)+
    arm      := [label "="] stage
    stage    := name ["(" [argument ("," argument)*] ")"]
    argument := [name "="] value            value := number | "text" | true | false

Whatever is left out has its default; where a search is measured its end may be left out as well. Every error says at
which character it is and what was expected there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from embassay.errors import PluginError, UsageError
from embassay.remedy import Remedy
from embassay.search.arguments import Argument, Value, arguments, read_text
from embassay.search.base import Arm, Last, Stage
from embassay.search.fusion import Fusion
from embassay.search.pipeline import EXAMPLE, Pipeline, find_fault
from embassay.search.stages import stage_class, stage_names
from embassay.text import did_you_mean

MAX_LENGTH = 10_000
"""Characters of a pipeline."""
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*")
    |(?P<number>-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)(?![\w.])
    |(?P<name>[^\W\d][\w-]*)
    |(?P<mark>>>|[|=(),])
    |(?P<end>$))""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    """``text``, ``number``, ``name``, ``mark`` or ``end``."""
    word: str
    at: int
    """Character where it starts, from 0."""


def parse_pipeline(text: str, *, end: Last | None = None) -> Pipeline:
    """The pipeline that `text` says; `end` where the text has none of its own.

    Raises UsageError that points at the place of what is wrong.
    """
    if len(text) > MAX_LENGTH:
        raise UsageError(f"the pipeline has {len(text):,} characters, at most {MAX_LENGTH:,} are read.")
    return _Parser(text).whole(end)


def parse_fusion(text: str) -> Fusion:
    """The stage that joins arms as `text` writes it, such as ``convex(0.6)``. Raises UsageError for anything else."""
    found = parse_pipeline(f"dense | lexical >> {text} >> top").stages
    if len(found) != 2 or not isinstance(found[0], Fusion):
        raise UsageError(f"{text!r} is no stage that joins arms.", remedy="Example: convex(0.6)")
    return found[0]


class _Parser:
    """Reads from left to right; `_token` is the next thing that was not read yet."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._places: list[int] = []
        """Where each stage starts, in the order in which they are written."""
        self._token = self._scan(0)

    def whole(self, end: Last | None) -> Pipeline:
        arms = [self._stage(labelled=True)]
        while self._take("|"):
            arms.append(self._stage(labelled=True))
        stages = []
        while self._take(">>"):
            stages.append(self._stage())
        if self._token.kind != "end":
            raise self._unexpected("| or >> or the end" if not stages else ">> or the end")
        self._places.append(len(self._text.rstrip()))
        if end and not (stages and isinstance(stages[-1], Last)):
            stages.append(end)
            self._places.append(self._places[-1])
        fault = find_fault(arms, stages)
        if fault:
            raise self._error(self._places[fault.at], fault.message, fault.remedy)
        return Pipeline(tuple(arm for arm in arms if isinstance(arm, Arm)), tuple(stages))

    def _stage(self, *, labelled: bool = False) -> Stage:
        name = self._name("an arm, like dense(100)" if labelled else "a stage, like top(10)")
        self._places.append(name.at)
        label = None
        if labelled and self._take("="):
            label, name = name, self._name("an arm, like dense(100)")
        made = self._class(name)
        if label and not issubclass(made, Arm):
            raise self._error(label.at, f"only arms have names of their own, and {name.word} is none.")
        values = self._arguments(made) if self._take("(") else {}
        try:
            return made(**values, **({"label": label.word} if label else {}))
        except UsageError as error:  # of a stage that has rules of its own
            raise self._error(name.at, error.message, error.remedy) from error

    def _class(self, name: _Token) -> type[Stage]:
        try:
            return stage_class(name.word)
        except PluginError as error:
            known = stage_names()
            if name.word in known:  # it is there, and something that it needs is not
                raise self._error(name.at, error.message, error.remedy) from error
            message = f"no stage is called {name.word!r}."
            raise self._error(name.at, message, did_you_mean(name.word, known)) from None

    def _arguments(self, made: type[Stage]) -> dict[str, Value]:
        """What stands between the parentheses, by the name of the argument; the first one has been read."""
        expected = {one.name: one for one in arguments(made)}
        placed = [one.name for one in arguments(made) if not one.named]
        values: dict[str, Value] = {}
        named = False
        while not self._take(")"):
            if values and not self._take(","):
                raise self._unexpected(", or )")
            start = self._token
            name = self._argument_name(expected, values) if start.kind == "name" and not _is_bool(start) else None
            named = named or name is not None
            if name is None:
                if named or len(values) == len(placed):
                    raise self._unexpected("name=value" if named or len(placed) < len(expected) else ")")
                name = placed[len(values)]
            values[name] = self._value(expected[name])
        return values

    def _argument_name(self, expected: Mapping[str, Argument], values: Mapping[str, Value]) -> str:
        name = self._name("an argument")
        if name.word not in expected:
            hint = did_you_mean(name.word, expected) if expected else "It has no arguments."
            raise self._error(name.at, f"no argument is called {name.word!r}.", hint)
        if name.word in values:
            raise self._error(name.at, f"{name.word} is given twice.")
        if not self._take("="):
            raise self._unexpected(f"= and the value of {name.word}")
        return name.word

    def _value(self, wanted: Argument) -> Value:
        token = self._token
        if token.kind == "number":
            whole = re.fullmatch(r"-?\d{1,15}", token.word)  # a longer one is beyond every range
            value: Value = int(token.word) if whole and wanted.kind is not float else float(token.word)
        elif token.kind == "text":
            value = read_text(token.word)
        elif _is_bool(token):
            value = token.word == "true"
        else:
            raise self._unexpected(f"{wanted.name}, {wanted.expected}")
        if not wanted.accepts(value):
            raise self._unexpected(f"{wanted.name}, {wanted.expected}")
        self._token = self._scan(token.at + len(token.word))
        return value

    def _name(self, expected: str) -> _Token:
        token = self._token
        if token.kind != "name":
            raise self._unexpected(expected)
        self._token = self._scan(token.at + len(token.word))
        return token

    def _take(self, mark: str) -> bool:
        if self._token.kind != "mark" or self._token.word != mark:
            return False
        self._token = self._scan(self._token.at + len(mark))
        return True

    def _scan(self, start: int) -> _Token:
        found = _TOKEN.match(self._text, start)
        if found and found.lastgroup:
            return _Token(found.lastgroup, found[found.lastgroup], found.start(found.lastgroup))
        at = start + len(self._text[start:]) - len(self._text[start:].lstrip())
        return _Token("unknown", self._text[at : at + 10], at)

    def _unexpected(self, expected: str) -> UsageError:
        found = repr(self._token.word) if self._token.kind != "end" else "the end"
        return self._error(self._token.at, f"expected {expected}, found {found}.")

    def _error(self, at: int, message: str, remedy: Remedy | str = "") -> UsageError:
        whole = f"the pipeline {self._text!r} cannot be read at character {at + 1}: {message}"
        return UsageError(whole, remedy=remedy or EXAMPLE)


def _is_bool(token: _Token) -> bool:
    return token.kind == "name" and token.word in ("true", "false")
