"""Reads `embassay.yaml` and the environment.

The environment wins over the file: ``EMBASSAY_EMBEDDINGS__DEFAULT_MODEL=minilm`` sets
``embeddings.default_model``; in names of models ``_`` stands for any of ``-``, ``.`` and ``_``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from embassay.config.values import Config, Seconds
from embassay.errors import ConfigError
from embassay.text import did_you_mean

FILE = "embassay.yaml"
ENV_PREFIX = "EMBASSAY_"
SEPARATOR = "__"

T = TypeVar("T", bound=msgspec.Struct)


def load_config(file: str | Path | None = None, env: Mapping[str, str] = os.environ) -> Config:
    """The configuration: `file`, else EMBASSAY_CONFIG, else the nearest ``embassay.yaml`` here or above, else defaults.

    Raises ConfigError: unreadable, unknown keys (with the nearest known one), or values of the wrong type.
    """
    found = _find(file, env)
    raw = _read(found) if found else {}
    _apply_environment(raw, env)
    if not raw:
        return Config()
    glossary = raw.get("glossary")
    if isinstance(glossary, dict) and not (isinstance(glossary.get("terms"), dict) or "apply_to" in glossary):
        raw["glossary"] = {"terms": glossary}  # the short form: terms alone
    config = checked(raw, Config, str(found or "the environment"))
    return msgspec.structs.replace(config, file=found)


def checked(raw: object, kind: type[T], where: str) -> T:
    """`raw` as `kind`. Raises ConfigError that names the key, what was expected, and the nearest known key."""
    try:
        return msgspec.convert(raw, kind, dec_hook=_custom, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {_plainly(error)}.", remedy=_did_you_mean(error, kind)) from None


def _find(file: str | Path | None, env: Mapping[str, str]) -> Path | None:
    chosen = file or env.get(f"{ENV_PREFIX}CONFIG")
    if chosen:
        return Path(chosen).expanduser().absolute()
    here = Path.cwd()
    return next((p / FILE for p in (here, *here.parents) if (p / FILE).is_file()), None)


def _read(file: Path) -> dict[str, object]:
    import yaml

    try:
        data = yaml.load(file.read_bytes(), Loader=_loader())
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = f", line {mark.line + 1}" if mark else ""
        raise ConfigError(f"{file}{at}: not YAML: {getattr(error, 'problem', error)}.") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{file} cannot be read: {error}.") from error
    if data is not None and not isinstance(data, dict):
        raise ConfigError(f"{file} holds {type(data).__name__}, not keys and values.")
    return data or {}


def _loader() -> Any:
    """PyYAML's safe one, by which a key that stands twice is an error: the first would be lost without a word."""
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen: set[str] = set()
            for key, _ in node.value:
                if key.tag != "tag:yaml.org,2002:merge" and str(key.value) in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"{key.value!r} stands there twice", key.start_mark
                    )
                seen.add(str(key.value))
            return super().construct_mapping(node, deep)

    return Loader


def _apply_environment(raw: dict[str, object], env: Mapping[str, str]) -> None:
    for name, value in env.items():
        path = name.removeprefix(ENV_PREFIX).split(SEPARATOR)
        if not name.startswith(ENV_PREFIX) or len(path) < 2:
            continue
        place: dict[str, object] = raw
        for part in path[:-1]:
            below = place.setdefault(_existing(place, part), {})
            if not isinstance(below, dict):
                raise ConfigError(f"{name} goes below {part.lower()}, which is a plain value.")
            place = below
        place[_existing(place, path[-1])] = (
            [part.strip() for part in value.split(",")] if path[-1] in ("FALLBACK_CHAIN", "CARDS") else value
        )


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
    match = re.search(r"unknown field `(.+?)`(?: - at `\$\.?(.*)`)?", str(error))
    if not match:
        return ""
    for part in (match[2] or "").split("."):
        field = next((f for f in msgspec.structs.fields(kind) if f.name == part), None)
        if field is None or not isinstance(field.type, type) or not issubclass(field.type, msgspec.Struct):
            break
        kind = field.type
    return did_you_mean(match[1], [f.name for f in msgspec.structs.fields(kind) if f.name != "file"])
