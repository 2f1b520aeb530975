"""Vectors as the bytes of a reply: numbers of JSON, and base64."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import msgspec
import orjson

if TYPE_CHECKING:
    from embassay.types import Vectors


def as_numbers(array: Vectors) -> msgspec.Raw:
    """An array of any shape as JSON: each number is the shortest one that reads back as the same float32."""
    import numpy as np

    return msgspec.Raw(orjson.dumps(np.ascontiguousarray(array), option=orjson.OPT_SERIALIZE_NUMPY))


def as_base64(array: Vectors) -> str:
    """The float32 of an array, little-endian, without a header, as OpenAI's clients decode them."""
    return b64encode(array.astype("<f4", copy=False).tobytes()).decode("ascii")
