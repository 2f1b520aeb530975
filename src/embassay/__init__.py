"""embassay: choose, run, measure and switch embedding models, with every vector tied to its space.

    import embassay

    with embassay.open() as home:
        home.index(["docs"])
        for hit in home.search("how do I rotate a key").hits:
            print(hit.chunk.path, hit.chunk.lines, hit.chunk.text)

Importing this imports nothing: every name is loaded when it is first used.
"""

from typing import TYPE_CHECKING

from embassay import version

if TYPE_CHECKING:
    from embassay.embedding_set import EmbeddingSet
    from embassay.errors import EmbassayError
    from embassay.evaluate.compare.opening import compare
    from embassay.evaluate.judge.label.opening import label
    from embassay.evaluate.migration.probe import probe
    from embassay.home import Home, examine_vectors
    from embassay.home import open_home as open
    from embassay.models.deciding import decide
    from embassay.models.registry import Registry
    from embassay.search.stages.cascade import Cascade
    from embassay.search.stages.rerank import Rerank
    from embassay.session import Session
    from embassay.space import Space, describe_difference
    from embassay.types import Chunk, Embeddings, Hit, Record
    from embassay.warm import close
    from embassay.without_home import embed, rerank

__version__ = version.VERSION

__all__ = [
    "Cascade",
    "Chunk",
    "EmbassayError",
    "EmbeddingSet",
    "Embeddings",
    "Hit",
    "Home",
    "Record",
    "Registry",
    "Rerank",
    "Session",
    "Space",
    "__version__",
    "close",
    "compare",
    "decide",
    "describe_difference",
    "embed",
    "examine_vectors",
    "label",
    "open",
    "probe",
    "rerank",
]


_PLACES = {
    "Cascade": "embassay.search.stages.cascade:Cascade",
    "Chunk": "embassay.types:Chunk",
    "EmbassayError": "embassay.errors:EmbassayError",
    "EmbeddingSet": "embassay.embedding_set:EmbeddingSet",
    "Embeddings": "embassay.types:Embeddings",
    "Hit": "embassay.types:Hit",
    "Home": "embassay.home:Home",
    "Record": "embassay.types:Record",
    "Registry": "embassay.models.registry:Registry",
    "Rerank": "embassay.search.stages.rerank:Rerank",
    "Session": "embassay.session:Session",
    "Space": "embassay.space:Space",
    "close": "embassay.warm:close",
    "compare": "embassay.evaluate.compare.opening:compare",
    "decide": "embassay.models.deciding:decide",
    "describe_difference": "embassay.space:describe_difference",
    "embed": "embassay.without_home:embed",
    "examine_vectors": "embassay.home:examine_vectors",
    "label": "embassay.evaluate.judge.label.opening:label",
    "open": "embassay.home:open_home",
    "probe": "embassay.evaluate.migration.probe:probe",
    "rerank": "embassay.without_home:rerank",
}
"""Where each name is."""


def __getattr__(name: str) -> object:
    if name in _PLACES:
        from importlib import import_module

        module, _, attribute = _PLACES[name].partition(":")
        found: object = getattr(import_module(module), attribute)
        globals()[name] = found
        return found
    raise AttributeError(f"module 'embassay' has no attribute {name!r}")
