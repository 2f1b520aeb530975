"""The codes, one file each; see `embassay.compress.base`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay import plugins

if TYPE_CHECKING:
    from embassay.compress.base import Code


def all_codes() -> dict[str, Code]:
    """Every code by its name. Raises PluginError where one needs something that is not installed."""
    return {name: module.CODE for name, module in plugins.load_all(__name__).items()}
