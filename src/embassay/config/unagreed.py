"""What a configuration says that was found by walking up, and to which nobody has agreed.

Entering a checkout is no agreement to its `embassay.yaml`: such a file may choose models, prompts and limits, and may
not say where secrets or texts go, what is run, or what is read and written outside of its folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from embassay import remedy
from embassay.errors import ConfigNotAgreed

KeyPath = tuple[str, ...]
"""A key of the configuration below its parents: ``("cache", "path")``."""


@dataclass(frozen=True, slots=True)
class Unagreed:
    """A file that was found, and the keys that it says. What the environment says instead is the user's own."""

    file: Path
    changed: bool
    """Whether an earlier content of it was agreed to."""
    keys: frozenset[KeyPath]

    def says(self, *path: str) -> bool:
        """Whether a key, or one below it, has its value from the file."""
        return any(key[: len(path)] == path for key in self.keys)

    def below(self, *path: str) -> Unagreed | None:
        """What the file says below `path`, named from there; None where it says nothing below it."""
        keys = frozenset(key[len(path) :] for key in self.keys if key[: len(path)] == path and len(key) > len(path))
        return Unagreed(self.file, self.changed, keys) if keys else None

    def refusal(self, what: str) -> ConfigNotAgreed:
        """The error for `what` the file asks for, a clause such as ``it would write to /etc``."""
        why = "has changed since it was agreed to" if self.changed else "was found here, and nobody has agreed to it"
        return ConfigNotAgreed(
            f"{self.file} {why}: {what}.",
            remedy=remedy.command("config allow", str(self.file), say="Read the file, then: {}"),
        )
