"""A file is its own registration: plugins are the modules of a package, and entry points of its name.

A package named ``embassay.ingest.readers`` is joined through the entry-point group ``embassay.readers``.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from embassay import remedy
from embassay.errors import PluginError
from embassay.text import did_you_mean

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


@cache
def names(package: str) -> tuple[str, ...]:
    """Every plugin of `package`, sorted, without importing one.

    A leading underscore hides a helper; an underscore in a module's name is a dash in the plugin's.
    """
    return tuple(sorted(own_names(package) | {entry.name for entry in _entries(package)}))


def load(package: str, name: str) -> Any:
    """The module `name` of `package`. Raises PluginError for an unknown name or a missing extra."""
    try:
        if name in own_names(package):
            return import_module(f"{package}.{name.replace('-', '_')}")
        entry = next((entry for entry in _entries(package) if entry.name == name), None)
        if entry:
            return entry.load()
    except ImportError as error:
        raise PluginError(
            f"the {_kind(package)} {name!r} needs {error.name}.", remedy=remedy.install(error.name or name)
        ) from error
    raise PluginError(f"no {_kind(package)} is called {name!r}.", remedy=did_you_mean(name, names(package)))


def load_all(package: str) -> dict[str, Any]:
    """Every plugin of `package` by its name. Raises PluginError where one needs something that is not installed."""
    return {name: load(package, name) for name in names(package)}


@cache
def own_names(package: str) -> frozenset[str]:
    """Plugins that are modules of `package` itself: found without asking what else is installed."""
    found = pkgutil.iter_modules(import_module(package).__path__)
    return frozenset(m.name.replace("_", "-") for m in found if not m.name.startswith("_"))


@cache
def _entries(package: str) -> tuple[EntryPoint, ...]:
    from importlib import metadata  # a tenth of the start-up where only our own are needed

    return tuple(metadata.entry_points(group=f"embassay.{package.rsplit('.', 1)[-1]}"))


def _kind(package: str) -> str:
    return package.rsplit(".", 1)[-1].removesuffix("s")
