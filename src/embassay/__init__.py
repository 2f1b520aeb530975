"""embassay: choose, run, measure and switch embedding models, with every vector tied to its space.

    import embassay

    with embassay.open() as home:
        home.index(["docs"])
        for hit in home.search("how do I rotate a key").hits:
            print(hit.chunk.path, hit.chunk.lines, hit.chunk.text)

Importing this imports nothing heavy: the engine and the store are loaded when they are first used.
"""

from typing import TYPE_CHECKING

from embassay.errors import EmbassayError
from embassay.home import Home, embed
from embassay.home import open_home as open
from embassay.session import Session
from embassay.space import Space, describe_difference
from embassay.types import Chunk, Embeddings, Hit

if TYPE_CHECKING:
    from embassay.evaluate.compare.opening import compare
    from embassay.models.registry import Registry

__version__ = "0.1.0"

__all__ = [
    "Chunk",
    "EmbassayError",
    "Embeddings",
    "Hit",
    "Home",
    "Registry",
    "Session",
    "Space",
    "__version__",
    "compare",
    "describe_difference",
    "embed",
    "open",
]


_LATER = {"Registry": "embassay.models.registry", "compare": "embassay.evaluate.compare.opening"}
"""Loaded when they are first named: they take longer than all of the rest."""


def __getattr__(name: str) -> object:
    if name in _LATER:
        from importlib import import_module

        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module 'embassay' has no attribute {name!r}")
