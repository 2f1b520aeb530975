"""What mends a failure, as a value that each reader is told in words of their own.

    remedy.command("index", "FOLDER", set="docs", say="Make one")

reads ``Make one: embassay index FOLDER --set docs`` on a command line, ``Make one: index('FOLDER', set='docs')`` in
Python, and as fields in JSON. A remedy is a row of parts, each of them words or an action. Arguments have the names of
Python.

`say` holds the words around an action: ``{}`` stands where the action goes, and words without it stand before it,
followed by a colon.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Value = str | int | float | bool
CALLS = frozenset({"index", "search", "status", "doctor"})
"""Commands that are methods of a home in Python, of the same name and arguments."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command to run: its name, what it is about, and its options."""

    name: str
    arguments: tuple[str, ...] = ()
    options: tuple[tuple[str, Value], ...] = ()

    def in_shell(self) -> str:
        """As it is typed: ``embassay index FOLDER --set docs``."""
        flags = (_flag(name, value) for name, value in self.options)
        return " ".join(("embassay", self.name, *map(shlex.quote, self.arguments), *flags))

    def in_python(self) -> str:
        """As a call; a command that only the command line has is named as it is typed."""
        if self.name not in CALLS:
            return self.in_shell()
        given = [*map(repr, self.arguments), *(f"{name}={value!r}" for name, value in self.options)]
        return f"{self.name}({', '.join(given)})"

    def to_dict(self) -> dict[str, object]:
        """As fields: ``do`` is ``command``, with ``name``, ``arguments`` and ``options``."""
        return {"do": "command", "name": self.name, "arguments": [*self.arguments], "options": dict(self.options)}


@dataclass(frozen=True, slots=True)
class Option:
    """Another value for an argument of the call that failed."""

    name: str
    value: Value = True

    def in_shell(self) -> str:
        """As it is added to the command: ``--set NAME``."""
        return _flag(self.name, self.value)

    def in_python(self) -> str:
        """As it is passed to the function: ``set='NAME'``."""
        return f"{self.name}={self.value!r}"

    def to_dict(self) -> dict[str, object]:
        """As fields: ``do`` is ``option``, with ``name`` and ``value``."""
        return {"do": "option", "name": self.name, "value": self.value}


@dataclass(frozen=True, slots=True)
class Setting:
    """A line of the configuration; without a value, one that is to be set or changed."""

    name: str
    value: str = ""

    def in_shell(self) -> str:
        """As it stands in the configuration: ``spend_cap_usd: 5``, or only its name."""
        return f"{self.name}: {self.value}" if self.value else self.name

    in_python = in_shell

    def to_dict(self) -> dict[str, object]:
        """As fields: ``do`` is ``setting``, with ``name`` and ``value``."""
        return {"do": "setting", "name": self.name, "value": self.value}


@dataclass(frozen=True, slots=True)
class Environment:
    """A variable of the environment to set."""

    name: str
    value: str = "..."

    def in_shell(self) -> str:
        """As a shell sets it: ``export VOYAGE_API_KEY=...``."""
        return f"export {self.name}={self.value}"

    in_python = in_shell

    def to_dict(self) -> dict[str, object]:
        """As fields: ``do`` is ``environment``, with ``name`` and ``value``."""
        return {"do": "environment", "name": self.name, "value": self.value}


@dataclass(frozen=True, slots=True)
class Install:
    """A package to install, as pip calls it; `options` are pip's own.

    This package and its extras are not on the Python index: they are installed in a checkout.
    """

    package: str
    options: tuple[tuple[str, Value], ...] = ()

    def in_shell(self) -> str:
        """As pip is called: ``pip install onnxruntime``."""
        name, bracket, extras = self.package.partition("[")
        own = name == "embassay"
        package = shlex.quote(f".{bracket}{extras}" if own else self.package)
        flags = (_flag(name, value) for name, value in self.options)
        return " ".join(("pip install", *flags, package)) + (" in the checkout of embassay" if own else "")

    in_python = in_shell

    def to_dict(self) -> dict[str, object]:
        """As fields: ``do`` is ``install``, with ``package``."""
        return {"do": "install", "package": self.package}


Action = Command | Option | Setting | Environment | Install


@dataclass(frozen=True, slots=True)
class Remedy:
    """Words and actions in the order in which they are read. An empty one is false: nobody knows what helps."""

    parts: tuple[str | Action, ...] = ()

    @property
    def actions(self) -> tuple[Action, ...]:
        """What can be done, without the words around it."""
        return tuple(part for part in self.parts if not isinstance(part, str))

    def in_shell(self) -> str:
        """The sentence for somebody who typed a command."""
        return "".join(part if isinstance(part, str) else part.in_shell() for part in self.parts)

    def in_python(self) -> str:
        """The sentence for somebody who called a function."""
        return "".join(part if isinstance(part, str) else part.in_python() for part in self.parts)

    def in_parts(self) -> list[object]:
        """As JSON has it: words, and actions as fields."""
        return [part if isinstance(part, str) else part.to_dict() for part in self.parts]

    @classmethod
    def of_parts(cls, parts: Iterable[Any]) -> Remedy:
        """What `in_parts` gave. Raises ValueError for anything else."""
        return cls(tuple(part if isinstance(part, str) else _action(part) for part in parts))

    def __str__(self) -> str:
        return self.in_python()

    def __bool__(self) -> bool:
        return bool(self.parts)

    def __add__(self, other: Remedy | str) -> Remedy:
        """One after the other, with a space between."""
        more = say(other) if isinstance(other, str) else other
        return Remedy((*self.parts, " ", *more.parts)) if self and more else self or more


NOTHING = Remedy()
"""Nobody knows what helps, or nothing has to be done."""


def say(words: str | Remedy) -> Remedy:
    """A remedy in plain words, which name no command and no option; one that is a value already stays as it is."""
    if isinstance(words, Remedy):
        return words
    return Remedy((words,)) if words else NOTHING


def command(name: str, *arguments: str, say: str = "{}", **options: Value) -> Remedy:
    """Run a command: ``command("judge new", "FOLDER", out="DIR", say="Make one")``."""
    return _around(Command(name, arguments, tuple(options.items())), say)


def option(name: str, value: Value = True, *, say: str = "{}") -> Remedy:
    """Call again with another value of an argument: ``option("set", "NAME", say="Index into another set")``."""
    return _around(Option(name, value), say)


def setting(name: str, value: str = "", *, say: str = "{}") -> Remedy:
    """Set or change a line of the configuration: ``setting("spend_cap_usd", say="Raise {} and run it again.")``."""
    return _around(Setting(name, value), say)


def environment(name: str, value: str = "...", *, say: str = "{}") -> Remedy:
    """Set a variable of the environment: ``environment("VOYAGE_API_KEY")``."""
    return _around(Environment(name, value), say)


def install(package: str, *, say: str = "{}", **options: Value) -> Remedy:
    """Install a package: ``install("embassay[onnx]")``, with options of pip's own: ``upgrade=True``."""
    return _around(Install(package, tuple(options.items())), say)


def _action(fields: Mapping[str, Any]) -> Action:
    """The action of its `to_dict`."""
    try:
        match fields["do"]:
            case "command":
                return Command(fields["name"], tuple(fields["arguments"]), tuple(fields["options"].items()))
            case "option":
                return Option(fields["name"], fields["value"])
            case "setting":
                return Setting(fields["name"], fields["value"])
            case "environment":
                return Environment(fields["name"], fields["value"])
            case "install":
                return Install(fields["package"])
    except (LookupError, TypeError, AttributeError):
        pass
    raise ValueError("it is no action of a remedy")


def _around(action: Action, words: str) -> Remedy:
    before, place, after = words.partition("{}")
    parts = (before, action, after) if place else (f"{words}: ", action)
    return Remedy(tuple(part for part in parts if part != ""))


def _flag(name: str, value: Value) -> str:
    """An argument as an option of a command; one that is True is an option without a value."""
    flag = f"-{name}" if len(name) == 1 else f"--{name.replace('_', '-')}"
    return flag if value is True else f"{flag} {shlex.quote(str(value))}"
