"""What is installed only by those who want it: an extra that is missing is told with the line that installs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from embassay import remedy
from embassay.errors import PluginError


@contextmanager
def needed(what: str, extra: str) -> Iterator[None]:
    """The imports of the block are those of an extra, which `what` needs. Raises PluginError where it is missing."""
    try:
        yield
    except ImportError as error:
        if error.name is None or error.name.partition(".")[0] == "embassay":
            raise
        raise PluginError(f"{what} needs {error.name}.", remedy=remedy.install(f"embassay[{extra}]")) from error
