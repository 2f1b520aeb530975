"""What is done with a model and no home: texts made into vectors, and scored for a query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from embassay.arguments import checked

if TYPE_CHECKING:
    from embassay.reranking.base import Reranked
    from embassay.session import Session
    from embassay.types import Embeddings, OnLong, Precision, Role


def embed(
    texts: Sequence[str],
    role: Role,
    *,
    model: str | None = None,
    precision: Precision = "auto",
    on_long: OnLong = "truncate",
    session: Session | None = None,
) -> Embeddings:
    """Vectors of `texts` without any home: float32 (len(texts), dimensions).

    `model` is a name of ``embassay.yaml``, ``provider/model``, a Hugging Face id or a folder; by default the configured
    one, else all-MiniLM-L6-v2. Models stay open between calls, as long as neither the configuration, the environment
    nor the working folder changes; ``embassay.close()`` lets go of them. With a `session` its own are used. Raises
    ModelError, ProviderError, and TextTooLong under ``on_long="error"``.
    """
    from contextlib import nullcontext

    from embassay.models.reference import with_precision
    from embassay.warm import SESSIONS

    with nullcontext(session) if session else SESSIONS.using((model, precision)) as opened:
        chosen = with_precision(model or opened.models.default_name, precision)
        return opened.models.get(chosen).embed(texts, role, on_long)


@checked
def rerank(query: str, texts: Sequence[str], *, model: str = "", session: Session | None = None) -> Reranked:
    """Scores of `texts` for `query` by a reranker, in their order: greater is better.

    `model` is a name below ``reranking`` in ``embassay.yaml``, ``provider/model``, a Hugging Face id or a folder; by
    default the configured one. Rerankers stay open between calls, as models do, see `embed`. Raises QueryError,
    UsageError, ModelError, ProviderError, and ConfigError where no reranker is named or configured.

    >>> made = embassay.rerank("how do I rotate a key", passages, model="cohere/rerank-v3.5")     # doctest: +SKIP
    >>> best = [passages[at] for at in made.order[:3]]                                          # doctest: +SKIP
    """
    from contextlib import nullcontext

    from embassay.warm import SESSIONS

    with nullcontext(session) if session else SESSIONS.using((model,)) as opened:
        return opened.rerank(query, texts, model=model)
