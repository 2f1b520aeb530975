"""mensura: choose, run, measure and switch embedding models, with every vector tied to its space.

    import mensura

    with mensura.open() as home:
        home.index(["docs"])
        for hit in home.search("how do I rotate a key").hits:
            print(hit.chunk.path, hit.chunk.lines, hit.chunk.text)

Importing this imports nothing heavy: the engine and the store are loaded when they are first used.
"""

from mensura.errors import MensuraError
from mensura.home import Home, embed
from mensura.home import open_home as open
from mensura.space import Space, describe_difference
from mensura.types import Chunk, Embeddings, Hit

__version__ = "0.1.0"

__all__ = [
    "Chunk",
    "Embeddings",
    "Hit",
    "Home",
    "MensuraError",
    "Space",
    "__version__",
    "describe_difference",
    "embed",
    "open",
]
