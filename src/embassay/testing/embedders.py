"""The conformance suite of an embedder: what every provider and every wrapper has to keep."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from embassay.errors import EmbassayError, TextTooLong, UsageError

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.types import Embeddings

TEXTS = ("how do I rotate a key", "Schlüssel drehen", "鍵を交換する", "a", "the same text", "the same text")


def check_embedder(embedder: Embedder) -> None:
    """Raises AssertionError for the first promise that is broken."""
    made = embedder.embed(TEXTS, "document")
    _check_shape(embedder, made, len(TEXTS))
    _check_order(embedder, made)
    _check_blanks(embedder)
    _check_long(embedder)
    _check_none(embedder)
    assert embedder.space == made.space, "the space changed between calls"
    assert embedder.health().ok, embedder.health().message
    embedder.close()
    again = embedder.embed(TEXTS[:1], "document")
    assert _close(again, made, 0), "after close the vectors are others"


def _check_shape(embedder: Embedder, made: Embeddings, count: int) -> None:
    import numpy as np

    assert made.vectors.shape == (count, embedder.space.dimensions), f"shape {made.vectors.shape}"
    assert made.vectors.dtype == np.float32, f"dtype {made.vectors.dtype}"
    assert np.isfinite(made.vectors).all(), "NaN or infinity"
    assert made.vectors.any(axis=1).all(), "a zero vector for a text"
    assert len(made.tokens) == len(made.truncated) == count, "not one count and one flag a text"
    assert made.space == embedder.space, "vectors of another space"
    assert made.model, "nobody made it"
    assert not made.refused, "refused texts outside of a stream"
    if embedder.space.normalised:
        lengths = np.linalg.norm(made.vectors, axis=1)
        assert np.abs(lengths - 1).max() < 1e-2, f"lengths {lengths.min():.3f} to {lengths.max():.3f}"


def _check_order(embedder: Embedder, made: Embeddings) -> None:
    for at, text in enumerate(TEXTS):
        assert _close(embedder.embed([text], "document"), made, at), f"text {at} alone has another vector"
    blocks = list(embedder.stream(iter(TEXTS), "document"))
    assert sum(len(b) for b in blocks) == len(TEXTS), "a stream lost texts"
    at = 0
    for block in blocks:
        for row in range(len(block)):
            assert _cosine(block.vectors[row], made.vectors[at]) > 0.999, f"text {at} of a stream has another vector"
            at += 1
    twin = asyncio.run(embedder.aembed(list(TEXTS), "document"))
    assert _cosine(twin.vectors[2], made.vectors[2]) > 0.999, "aembed gives other vectors"


def _check_blanks(embedder: Embedder) -> None:
    made = embedder.embed(["", TEXTS[0], " \n\t"], "document")
    assert made.vectors.shape[0] == 3, "blank texts lost their positions"
    assert not made.vectors[[0, 2]].any(), "a blank text has a direction"
    assert made.tokens[0] == made.tokens[2] == 0, "a blank text has tokens"
    assert _cosine(made.vectors[1], embedder.embed([TEXTS[0]], "document").vectors[0]) > 0.999
    (block,) = embedder.stream(["", " "], "document")
    assert not block.vectors.any(), "a stream of blank texts has a direction"


def _check_long(embedder: Embedder) -> None:
    limit = embedder.tokens.max_tokens
    if limit > 1_000_000:
        return
    long = "word " * (2 * limit + 10)
    made = embedder.embed([TEXTS[0], long], "document", "truncate")
    assert list(made.truncated) == [False, True], "a cut was not told"
    assert made.tokens[1] > limit, "the count is that of the cut text"
    split = embedder.embed([long], "document", "split")
    assert not split.truncated[0], "a split text counts as cut"
    try:
        embedder.embed([TEXTS[0], long], "document", "error")
    except TextTooLong as error:
        assert error.position == 1, f"the long text is at 1, not {error.position}"
    else:
        raise AssertionError('on_long="error" took a text above the limit')


def _check_none(embedder: Embedder) -> None:
    assert embedder.embed([], "query").vectors.shape == (0, embedder.space.dimensions), "no texts, another shape"
    try:
        embedder.embed(["a"], "passage")  # type: ignore[arg-type]
    except UsageError:
        return
    except EmbassayError as error:
        raise AssertionError(f"an unknown role is a UsageError, not {error}") from error
    raise AssertionError("an unknown role was accepted")


def _close(one: Embeddings, many: Embeddings, at: int) -> bool:
    return _cosine(one.vectors[0], many.vectors[at]) > 0.999


def _cosine(a: object, b: object) -> float:
    import numpy as np

    left, right = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return float(left @ right) / max(float(np.linalg.norm(left) * np.linalg.norm(right)), 1e-12)
