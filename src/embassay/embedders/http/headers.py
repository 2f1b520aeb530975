"""Which of the headers that a user sets belong to the identity of a model, and which only let requests in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from embassay.config.references import expand

if TYPE_CHECKING:
    from embassay.embedders.settings import HttpSettings

CREDENTIALS = frozenset(
    {
        "api-key",
        "apikey",
        "authorization",
        "cf-access-client-id",
        "cf-access-client-secret",
        "cookie",
        "ocp-apim-subscription-key",
        "proxy-authorization",
        "x-access-token",
        "x-amz-security-token",
        "x-api-key",
        "x-apikey",
        "x-auth-token",
        "x-goog-api-key",
    }
)
"""Headers that say who asks, by standard or by wide use, and never what is asked for."""


def identifying(settings: HttpSettings) -> Mapping[str, str]:
    """The headers that may choose a model, with the values that are sent.

    A name that looks secret tells nothing: ``X-Model-Token`` can choose a model as well as ``X-Model``. So every header
    counts but for pure credentials: those above, and those that the settings name. They are rotated, and a new one must
    not make another space. Raises ConfigError for a reference to a variable that is not set, or that nobody agreed to.
    """
    settings.check_agreed()
    let_in = CREDENTIALS | {_plain(name) for name in settings.rotating_headers}
    return {
        name: expand(text, f"header {name}") for name, text in settings.headers.items() if _plain(name) not in let_in
    }


def _plain(name: str) -> str:
    """The name of a header as it is compared, because they are written in any case."""
    return name.strip().lower().replace("_", "-")
