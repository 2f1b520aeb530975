"""mensura: choose, run, measure and switch embedding models, with every vector tied to its space.

    import mensura

    with mensura.open() as home:
        home.index(["docs"])
        for hit in home.search("how do I rotate a key").hits:
            print(hit.chunk.path, hit.chunk.lines, hit.chunk.text)

Importing this imports nothing heavy: the engine and the store are loaded when they are first used.
"""

from typing import TYPE_CHECKING

from mensura.errors import MensuraError
from mensura.home import Home, embed
from mensura.home import open_home as open
from mensura.space import Space, describe_difference
from mensura.types import Chunk, Embeddings, Hit

if TYPE_CHECKING:
    from mensura.comparing import compare
    from mensura.embedders.registry import Registry

__version__ = "0.1.0"

__all__ = [
    "Chunk",
    "Embeddings",
    "Hit",
    "Home",
    "MensuraError",
    "Registry",
    "Space",
    "__version__",
    "compare",
    "describe_difference",
    "embed",
    "open",
]


_LATER = {"Registry": "mensura.embedders.registry", "compare": "mensura.comparing"}
"""Loaded when they are first named: they take longer than all of the rest."""


def __getattr__(name: str) -> object:
    if name in _LATER:
        from importlib import import_module

        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module 'mensura' has no attribute {name!r}")
