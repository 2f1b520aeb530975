"""Any model of embassay as an encoder of MTEB, so that every task of that benchmark runs against it.

    import mteb
    from embassay.evaluate.mteb_encoder import MtebEncoder

    with MtebEncoder("minilm@int8") as encoder:
        mteb.evaluate(encoder, tasks=mteb.get_tasks(tasks=["SciFact"]))

Needs the extra ``mteb``. Vectors come past no cache of embassay's unless the configuration says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.errors import PluginError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from embassay.embedders.base import Embedder
    from embassay.types import Role, Vectors


class MtebEncoder:
    """A model of embassay that keeps mteb's `EncoderProtocol` (mteb 2).

    Threads may share it. Use it as a context manager, or call `close`.
    """

    def __init__(self, model: str | Embedder) -> None:
        """Take a model as it is, or open one by a name of a registry. Raises ModelError; PluginError without mteb."""
        from embassay.models.registry import Registry

        self._registry = Registry() if isinstance(model, str) else None
        self.embedder: Embedder = self._registry.get(model) if isinstance(model, str) else model  # type: ignore[union-attr]
        self.mteb_model_meta = _meta(self.embedder)

    def encode(
        self,
        inputs: Iterable[Mapping[str, Sequence[str]]],
        *,
        task_metadata: object = None,  # noqa: ARG002
        hf_split: str = "",  # noqa: ARG002
        hf_subset: str = "",  # noqa: ARG002
        prompt_type: object = None,
        **options: object,  # noqa: ARG002
    ) -> Vectors:
        """Vectors of the texts of a data loader: float32 (n, dimensions).

        A task with queries and documents says which they are; texts of any other task are all queries, so that both
        sides of a pair are alike.
        """
        import numpy as np

        role: Role = "document" if getattr(prompt_type, "value", prompt_type) == "document" else "query"
        texts = (text for batch in inputs for text in batch["text"])
        blocks = [np.empty((0, self.embedder.space.dimensions), np.float32)]
        for block in self.embedder.stream(texts, role):
            for reason in block.refused.values():
                raise ValueError(f"a text was refused: {reason}")
            blocks.append(block.vectors)
        return np.concatenate(blocks)

    def similarity(self, first: ArrayLike, second: ArrayLike) -> Vectors:
        """How alike all pairs are, by cosine or by dot product as the space says: (n, m)."""
        product: Vectors = self._comparable(first) @ self._comparable(second).T
        return product

    def similarity_pairwise(self, first: ArrayLike, second: ArrayLike) -> Vectors:
        """How alike each row and its partner are, by cosine or by dot product as the space says: (n,)."""
        products: Vectors = (self._comparable(first) * self._comparable(second)).sum(axis=1)
        return products

    def _comparable(self, rows: ArrayLike) -> Vectors:
        import numpy as np

        from embassay.vectors import unit_rows

        given = np.asarray(rows, np.float32)
        return unit_rows(given) if self.embedder.space.similarity == "cosine" else given

    def close(self) -> None:
        """Close the model, if it was opened here."""
        if self._registry:
            self._registry.close()

    def __enter__(self) -> MtebEncoder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _meta(embedder: Embedder) -> object:
    """What mteb keeps results under: the revision is the space and the precision, so that no two share any."""
    try:
        from mteb.models import ModelMeta
    except ImportError as error:
        raise PluginError(f"the MTEB encoder needs {error.name}.", remedy=remedy.install("embassay[mteb]")) from error
    space = embedder.space
    name = space.model if space.model.count("/") == 1 else f"embassay/{space.model.replace('/', '-')}"
    return ModelMeta(
        loader=None,
        name=name,
        revision=f"{space.digest}-{embedder.precision}",
        release_date=None,
        languages=None,
        n_parameters=None,
        memory_usage_mb=None,
        max_tokens=embedder.tokens.max_tokens,
        embed_dim=space.dimensions,
        license=None,
        open_weights=None,
        public_training_code=None,
        public_training_data=None,
        framework=[],
        similarity_fn_name=space.similarity,
        use_instructions=bool(space.query_prompt or space.document_prompt),
        training_datasets=None,
    )
