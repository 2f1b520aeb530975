"""Reads `embassay.yaml` and the environment.

The environment wins over the file: ``EMBASSAY_EMBEDDINGS__DEFAULT_MODEL=minilm`` sets
``embeddings.default_model``; in names of models ``_`` stands for any of ``-``, ``.`` and ``_``.

A file that the user named is the user's own, and so is the environment. One that was found by walking up is not, until
the user has agreed to it (`embassay.config.agreement`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from embassay.config import agreement
from embassay.config.unagreed import KeyPath, Unagreed
from embassay.config.values import Config, Seconds, Trust
from embassay.errors import ConfigError
from embassay.files import expanded
from embassay.text import did_you_mean

FILE = "embassay.yaml"
ENV_PREFIX = "EMBASSAY_"
SEPARATOR = "__"

WORDS = frozenset({"language", "query_log", "queries"})
"""Keys whose value is a word, even where YAML has ``no``, ``off`` or ``on`` for false and true."""

PLAIN_KEYS = {"LANGUAGE": "LANGUAGE", "EXCLUDE": "EXCLUDE", "CARDS": "CARDS", "QUERY_LOG": "QUERY_LOG__QUERIES"}
"""Keys that stand below no other, and what their variables set."""
LISTS = ("FALLBACK_CHAIN", "CARDS", "EXCLUDE")
"""What is written with commas."""

T = TypeVar("T", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class ConfigSource:
    """A configuration file as it was read, before anything is made of it."""

    file: Path
    named: bool
    """Whether the user named it; else it was found by walking up."""
    raw: dict[str, object]
    digest: str
    """Of its content, and of the cards that it names."""

    @property
    def standing(self) -> agreement.Standing:
        """Whether the user has agreed to it. One that the user named needs no agreement."""
        return agreement.standing(self.file, self.digest)


def load_config(file: str | Path | None = None, env: Mapping[str, str] = os.environ) -> Config:
    """The configuration: `file`, else EMBASSAY_CONFIG, else the nearest ``embassay.yaml`` here or above, else defaults.

    Raises ConfigError: unreadable, unknown keys (with the nearest known one), or values of the wrong type.
    """
    source = read_source(file, env)
    raw = source.raw if source else {}
    if isinstance(raw.get("query_log"), str):
        raw["query_log"] = {"queries": raw["query_log"]}  # the short form
    standing = "agreed" if source is None or source.named else source.standing
    said = frozenset(_key_paths(raw)) if standing != "agreed" else frozenset()
    by_environment = _apply_environment(raw, env)
    said -= by_environment
    if not raw:
        return Config()
    glossary = raw.get("glossary")
    if isinstance(glossary, dict) and not (isinstance(glossary.get("terms"), dict) or "apply_to" in glossary):
        raw["glossary"] = {"terms": glossary}  # the short form: terms alone
    places = {str(source.file) if source else "": source, "the environment": by_environment}
    config = checked(raw, Config, " and ".join(place for place, says in places.items() if says))
    if source is None:
        return config
    found = Unagreed(source.file, standing == "changed", said) if standing != "agreed" else None
    return msgspec.structs.replace(config, file=source.file, found=found, trust=_trust(source, standing))


def _trust(source: ConfigSource, standing: agreement.Standing) -> Trust:
    if source.named:
        return "own"
    return "found" if standing == "unknown" else standing


def read_source(file: str | Path | None = None, env: Mapping[str, str] = os.environ) -> ConfigSource | None:
    """The file that `load_config` reads; None where there is none. Raises ConfigError."""
    chosen = file or env.get(f"{ENV_PREFIX}CONFIG")
    path = Path(os.path.abspath(expanded(chosen))) if chosen else nearest_file()
    if path is None:
        return None
    content = _content(path)
    raw = _parsed(path, content)
    return ConfigSource(path, bool(chosen), raw, agreement.digest_of(content, _cards(path, raw)))


def nearest_file() -> Path | None:
    """The nearest file of that name, here or above."""
    here = Path.cwd()
    return next((p / FILE for p in (here, *here.parents) if (p / FILE).is_file()), None)


def _cards(file: Path, raw: Mapping[str, object]) -> list[Path]:
    names = raw.get("cards")
    listed = names if isinstance(names, list) else []
    return [file.parent / expanded(name) for name in listed if isinstance(name, str)]


def checked(raw: object, kind: type[T], where: str) -> T:
    """`raw` as `kind`. Raises ConfigError that names the key, what was expected, and the nearest known key."""
    for name in sorted(_unreadable(kind).intersection(raw if isinstance(raw, dict) else ())):
        raise ConfigError(f"{where}: unknown key {name!r}.", remedy=did_you_mean(name, _names(kind)))
    try:
        return msgspec.convert(raw, kind, dec_hook=_custom, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {_plainly(error)}.", remedy=_did_you_mean(error, kind)) from None


def read_yaml(file: Path) -> dict[str, object]:
    """The keys and values of a YAML file. Raises ConfigError: unreadable, not YAML, or a key that stands twice."""
    return _parsed(file, _content(file))


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}.") from error


def _parsed(file: Path, content: bytes) -> dict[str, object]:
    import yaml

    try:
        data = yaml.load(content, Loader=_loader())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = f", line {mark.line + 1}" if mark else ""
        raise ConfigError(f"{file}{at}: not YAML: {getattr(error, 'problem', error)}.") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{file} cannot be read: {error}.") from error
    if data is not None and not isinstance(data, dict):
        raise ConfigError(f"{file} holds {type(data).__name__}, not keys and values.")
    return data or {}


def _key_paths(raw: Mapping[str, object], deep: int = 4) -> Iterator[KeyPath]:
    """Every key that has a value of its own, down to the settings of a model: those stand four deep."""
    for key, value in raw.items():
        if isinstance(value, dict) and deep > 1:
            yield from ((str(key), *path) for path in _key_paths(value, deep - 1))
        else:
            yield (str(key),)


def _loader() -> Any:
    """PyYAML's safe one, by which a key that stands twice is an error: the first would be lost without a word.

    The language ``no`` is Norwegian, and not false; a query log that is ``off`` is a word as well.
    """
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen: set[str] = set()
            for key, value in node.value:
                if key.tag != "tag:yaml.org,2002:merge" and str(key.value) in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"{key.value!r} stands there twice", key.start_mark
                    )
                seen.add(str(key.value))
                if key.value in WORDS and value.tag == "tag:yaml.org,2002:bool":
                    value.tag = "tag:yaml.org,2002:str"
            return super().construct_mapping(node, deep)

    return Loader


def _apply_environment(raw: dict[str, object], env: Mapping[str, str]) -> set[KeyPath]:
    """Set in `raw` what the environment says; the keys that it said."""
    said: set[KeyPath] = set()
    for name, value in env.items():
        variable = name.removeprefix(ENV_PREFIX)
        path = PLAIN_KEYS.get(variable, variable).split(SEPARATOR)
        if not name.startswith(ENV_PREFIX) or not (len(path) > 1 or variable in PLAIN_KEYS):
            continue
        place: dict[str, object] = raw
        keys = []
        for part in path[:-1]:
            keys.append(_existing(place, part))
            below = place.setdefault(keys[-1], {})
            if not isinstance(below, dict):
                raise ConfigError(f"{name} goes below {part.lower()}, which is a plain value.")
            place = below
        keys.append(_existing(place, path[-1]))
        place[keys[-1]] = [part.strip() for part in value.split(",")] if path[-1] in LISTS else value
        said.add(tuple(keys))
    return said


def _existing(place: Mapping[str, object], part: str) -> str:
    """The key that `part` of a variable's name means: one that is there, else its lower case."""
    plain = _plain(part)
    return next((key for key in place if isinstance(key, str) and _plain(key) == plain), part.lower())


def _plain(name: str) -> str:
    return re.sub(r"[-.]", "_", name).lower()


def _custom(kind: type, value: object) -> object:
    if kind is Seconds:
        return Seconds.parse(value)
    raise NotImplementedError


def _plainly(error: msgspec.ValidationError) -> str:
    """msgspec's words with a path as a user writes it."""
    text, _, path = str(error).partition(" - at `$")
    text = text.replace("Object contains unknown field", "unknown key").replace("`", "'")
    return f"{text} in {path.strip('`').lstrip('.')}" if path.strip("`") else text


def _did_you_mean(error: msgspec.ValidationError, kind: type[msgspec.Struct]) -> str:
    if "Invalid enum value" in str(error):
        return _choices(str(error).partition(" - at `$.")[2].rstrip("`").split("."), kind)
    match = re.search(r"unknown field `(.+?)`(?: - at `\$\.?(.*)`)?", str(error))
    if not match:
        return ""
    for part in (match[2] or "").split("."):
        field = next((f for f in msgspec.structs.fields(kind) if f.name == part), None)
        if field is None or not isinstance(field.type, type) or not issubclass(field.type, msgspec.Struct):
            break
        kind = field.type
    return did_you_mean(match[1], _names(kind))


def _choices(path: Sequence[str], kind: Any) -> str:
    """What the field at `path` may be, where that is one of a few words."""
    for name in path:
        hints = get_type_hints(kind) if isinstance(kind, type) else {}
        if name not in hints:
            return ""
        kind = hints[name]
    words = get_args(kind) if get_origin(kind) is Literal else ()
    return f"Write one of: {', '.join(words)}." if words else ""


def _names(kind: type[msgspec.Struct]) -> list[str]:
    """The keys that a file may say."""
    return [field.name for field in msgspec.structs.fields(kind) if field.name not in _unreadable(kind)]


def _unreadable(kind: type[msgspec.Struct]) -> frozenset[str]:
    hidden: frozenset[str] = getattr(kind, "UNREADABLE", frozenset())
    return hidden
