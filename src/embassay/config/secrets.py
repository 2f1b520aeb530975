"""Secrets of a configuration: taken from the environment when they are needed, and hidden where values are shown."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from embassay import remedy
from embassay.errors import ConfigError

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


def expand(value: str, what: str, env: Mapping[str, str] = os.environ) -> str:
    """`value` with every ``${NAME}`` replaced. Raises ConfigError for one that is not set."""

    def replace(match: re.Match[str]) -> str:
        if match[1] not in env:
            raise ConfigError(
                f"{what} refers to ${{{match[1]}}}, which is not set.", remedy=remedy.environment(match[1])
            )
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
