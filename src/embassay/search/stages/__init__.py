"""The stages of a search: one file each, found by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay import plugins

if TYPE_CHECKING:
    from embassay.search.base import Stage


def stage_class(name: str) -> type[Stage]:
    """The class of the stage `name`. Raises PluginError for an unknown name or a missing extra."""
    found: type[Stage] = plugins.load(__name__, name).STAGE
    return found


def stage_names() -> tuple[str, ...]:
    """The names of all stages, in order, those of other packages among them."""
    return plugins.names(__name__)
