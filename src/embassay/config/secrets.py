"""What of a configuration is secret, and how it is shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from embassay.config.references import REFERENCE, shown

MASK = "********"
_SECRET = re.compile(r"key|token|secret|pass|pwd|auth|credential|cookie|signature|webhook", re.IGNORECASE)
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


def masked(value: Any, key: str = "") -> Any:
    """`value` for printing: whatever may be a secret is hidden, references are not."""
    if isinstance(value, Mapping):
        return {k: masked(v, MASK if key == "headers" else str(k)) for k, v in value.items()}
    if isinstance(value, list):
        return [masked(v, key) for v in value]
    if key == MASK or (_SECRET.search(key) and key not in _NO_SECRETS):
        reference = REFERENCE.fullmatch(value) if isinstance(value, str) else None
        return shown(reference) if reference else value if value in (None, "", "none") else MASK
    if not isinstance(value, str):
        return value
    value = REFERENCE.sub(shown, value)
    return _QUERY.sub(rf"\1{MASK}", _USER_INFO.sub(MASK, value)) if "//" in value else value


def is_secret(name: str) -> bool:
    """Whether a setting or header of this name may hold one."""
    return bool(_SECRET.search(name))
