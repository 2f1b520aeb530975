"""`embassay.yaml` and the environment, as one checked value.

The environment wins over the file: ``EMBASSAY_EMBEDDINGS__DEFAULT_MODEL=minilm`` sets
``embeddings.default_model``; in names of models ``_`` stands for any of ``-``, ``.`` and ``_``.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from embassay.errors import ConfigError

FILE = "embassay.yaml"
DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
"""Where nobody chose another."""
ENV_PREFIX = "EMBASSAY_"
SEPARATOR = "__"
MASK = "********"
_REFERENCE = re.compile(r"\$\{(\w+)\}")
_SECRET = re.compile(r"key|token|secret|pass|pwd|auth|credential|cookie|signature", re.IGNORECASE)
_USER_INFO = re.compile(r"(?<=//)[^/\s]+(?=@)")
_QUERY = re.compile(r"([?&][^=&\s]+=)[^&\s]+")
_NO_SECRETS = frozenset(
    {
        "batch_tokens",
        "max_tokens",
        "tokens_per_minute",
        "usd_per_million_tokens",
        "request_key",
        "response_key",
        "role_key",
        "keep_alive",
    }
)
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}

T = TypeVar("T", bound=msgspec.Struct)


def positive(settings: msgspec.Struct, *names: str) -> None:
    """Raises ValueError for a number that is not above 0 and finite; None is no number."""
    for name in names:
        value = getattr(settings, name)
        if value is not None and not 0 < value < float("inf"):
            raise ValueError(f"{name} is {value}, it must be above 0")


class Seconds(float):
    """Written ``30``, ``30s``, ``500ms``, ``5m``, ``12h`` or ``30d``."""

    @classmethod
    def parse(cls, value: object) -> Seconds:
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?\s*", str(value))
        if not match or isinstance(value, bool):
            raise ValueError(f"{value!r} is no time: write 30s, 5m, 12h or 30d")
        return cls(float(match[1]) * _UNITS[match[2] or "s"])


class Glossary(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Terms and what they stand for."""

    terms: dict[str, str] = {}
    apply_to: Literal["query", "document", "both"] = "query"


class CacheConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    path: str = ""
    """A file; default: ``cache.db`` in the home."""
    max_gb: float = 5.0

    def __post_init__(self) -> None:
        positive(self, "max_gb")


class EmbeddingsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    default_model: str = ""
    models: dict[str, dict[str, Any]] = {}
    """Settings of each model, checked by its provider."""
    fallback_chain: list[str] = []
    spend_cap_usd: float | None = None
    """Most that one run may spend on all hosted models together."""

    def __post_init__(self) -> None:
        positive(self, "spend_cap_usd")


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    embeddings: EmbeddingsConfig = msgspec.field(default_factory=EmbeddingsConfig)
    glossary: Glossary = msgspec.field(default_factory=Glossary)
    cache: CacheConfig = msgspec.field(default_factory=CacheConfig)
    cards: list[str] = []
    """The user's own card files, relative to this file."""
    file: Path | None = None
    """Where it was read from."""

    def card_files(self) -> list[Path]:
        root = self.file.parent if self.file else Path()
        return [root / Path(name).expanduser() for name in self.cards]


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


def expand(value: str, what: str, env: Mapping[str, str] = os.environ) -> str:
    """`value` with every ``${NAME}`` replaced. Raises ConfigError for one that is not set."""

    def replace(match: re.Match[str]) -> str:
        if match[1] not in env:
            raise ConfigError(f"{what} refers to ${{{match[1]}}}, which is not set.", remedy=f"export {match[1]}=...")
        return env[match[1]]

    return _REFERENCE.sub(replace, value)


def masked(value: Any, key: str = "") -> Any:
    """`value` for printing: whatever may be a secret is hidden, references to the environment are not."""
    if isinstance(value, Mapping):
        return {k: masked(v, MASK if key == "headers" else str(k)) for k, v in value.items()}
    if isinstance(value, list):
        return [masked(v, key) for v in value]
    if key == MASK or (_SECRET.search(key) and key not in _NO_SECRETS):
        plain = value is None or value == "" or (isinstance(value, str) and _REFERENCE.fullmatch(value))
        return value if plain else MASK
    if not isinstance(value, str) or "//" not in value:
        return value
    return _QUERY.sub(rf"\1{MASK}", _USER_INFO.sub(MASK, value))


def is_secret(name: str) -> bool:
    """Whether a setting or header of this name may hold one."""
    return bool(_SECRET.search(name))


def nearest(name: str, known: Iterable[str]) -> str:
    """``Did you mean 'x'?``, or what there is."""
    known = list(known)
    close = difflib.get_close_matches(name, known, 1)
    return f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(sorted(known))}."


def _find(file: str | Path | None, env: Mapping[str, str]) -> Path | None:
    chosen = file or env.get(f"{ENV_PREFIX}CONFIG")
    if chosen:
        return Path(chosen).expanduser().absolute()
    here = Path.cwd()
    return next((p / FILE for p in (here, *here.parents) if (p / FILE).is_file()), None)


def _read(file: Path) -> dict[str, Any]:
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


def _apply_environment(raw: dict[str, Any], env: Mapping[str, str]) -> None:
    for name, value in env.items():
        path = name.removeprefix(ENV_PREFIX).split(SEPARATOR)
        if not name.startswith(ENV_PREFIX) or len(path) < 2:
            continue
        place: dict[str, Any] = raw
        for part in path[:-1]:
            place = place.setdefault(_existing(place, part), {})
            if not isinstance(place, dict):
                raise ConfigError(f"{name} goes below {part.lower()}, which is a plain value.")
        place[_existing(place, path[-1])] = (
            [part.strip() for part in value.split(",")] if path[-1] in ("FALLBACK_CHAIN", "CARDS") else value
        )


def _existing(place: Mapping[str, Any], part: str) -> str:
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
    return nearest(match[1], [f.name for f in msgspec.structs.fields(kind) if f.name != "file"])
