"""How a batch of ids is padded, and what its vectors have to be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from embassay.engine.unsupported import damaged

if TYPE_CHECKING:
    from embassay.types import Vectors

Batch = Sequence[Sequence[int]]
"""Token ids of each text, special tokens included, not padded."""
Ids = npt.NDArray[np.int64]
"""Token ids, shape (batch, tokens), padded on the right with 0."""
Lengths = npt.NDArray[np.int32]
"""Tokens of each text of a batch, shape (batch,)."""


def check_width(values: Vectors, dimensions: int) -> None:
    """Raises ModelUnsupported where a graph gives other vectors than the files around it say."""
    if values.ndim != 2 or values.shape[1] != dimensions:
        raise damaged(f"the model gives vectors of {list(values.shape[1:])} numbers, its files say {dimensions}.")


def padded(batch: Batch, width: int) -> tuple[Ids, Lengths]:
    """The ids of a batch as one array of `width` columns, and how many of each row are real."""
    ids = np.zeros((len(batch), width), np.int64)
    lengths = np.empty(len(batch), np.int32)
    for row, tokens in enumerate(batch):
        lengths[row] = len(tokens)
        ids[row, : len(tokens)] = tokens
    return ids, lengths


def kept(ids: Ids, lengths: Lengths) -> Ids:
    """1 for each real token and 0 for padding, in the shape of `ids`."""
    return (np.arange(ids.shape[1], dtype=np.int64) < lengths[:, None]).astype(np.int64)


def named_inputs(ids: Ids, lengths: Lengths, names: Sequence[str]) -> dict[str, Ids]:
    """Of the inputs that exported graphs of the BERT family have, those in `names`."""
    made = {}
    for name in names:
        if name == "input_ids":
            made[name] = ids
        elif name == "attention_mask":
            made[name] = kept(ids, lengths)
        elif name == "token_type_ids":
            made[name] = np.zeros_like(ids)
        elif name == "position_ids":
            places = np.broadcast_to(np.arange(ids.shape[1], dtype=np.int64), ids.shape)
            made[name] = np.ascontiguousarray(places)
    return made
