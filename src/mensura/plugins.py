"""A file is its own registration: plugins are the modules of a package, and entry points of its name.

A package named ``mensura.ingest.readers`` is joined through the entry-point group ``mensura.readers``.
"""

from __future__ import annotations

import difflib
import pkgutil
from functools import cache
from importlib import import_module, metadata
from typing import Any

from mensura.errors import PluginError


@cache
def names(package: str) -> tuple[str, ...]:
    """Every plugin of `package`, sorted, without importing one.

    A leading underscore hides a helper; an underscore in a module's name is a dash in the plugin's.
    """
    own = {
        m.name.replace("_", "-")
        for m in pkgutil.iter_modules(import_module(package).__path__)
        if not m.name.startswith("_")
    }
    return tuple(sorted(own | {entry.name for entry in _entries(package)}))


def load(package: str, name: str) -> Any:
    """The module `name` of `package`. Raises PluginError for an unknown name or a missing extra."""
    if name not in names(package):
        close = difflib.get_close_matches(name, names(package), 1)
        hint = f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(names(package))}."
        raise PluginError(f"no {_kind(package)} is called {name!r}.", remedy=hint)
    entry = next((e for e in _entries(package) if e.name == name), None)
    try:
        return entry.load() if entry else import_module(f"{package}.{name.replace('-', '_')}")
    except ImportError as error:
        raise PluginError(
            f"the {_kind(package)} {name!r} needs {error.name}.", remedy=f"pip install {error.name}"
        ) from error


def load_all(package: str) -> dict[str, Any]:
    return {name: load(package, name) for name in names(package)}


@cache
def _entries(package: str) -> tuple[metadata.EntryPoint, ...]:
    return tuple(metadata.entry_points(group=f"mensura.{package.rsplit('.', 1)[-1]}"))


def _kind(package: str) -> str:
    return package.rsplit(".", 1)[-1].removesuffix("s")
