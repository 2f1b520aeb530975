"""Vectors as the bytes of a reply: numbers of JSON, and base64, of fewer bits where that is asked for."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Literal

import msgspec
import orjson

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from embassay.types import Vectors

    Numbers = npt.NDArray[np.float32] | npt.NDArray[np.int8] | npt.NDArray[np.uint8]

Dtype = Literal["float", "int8", "uint8", "binary", "ubinary"]
"""What vectors are given as, in the words of Cohere, Voyage and Mistral."""


def as_dtype(vectors: Vectors, dtype: Dtype) -> Numbers:
    """Vectors (n, dimensions) in fewer bits.

    ``int8`` scales each vector so that its greatest number is 127, which changes no cosine; ``uint8`` is that plus 128.
    ``ubinary`` has a bit for each number above 0, eight to a byte, the first one highest; ``binary`` is that less 128.
    """
    import numpy as np

    from embassay.stores.dtypes import packed

    if dtype == "float":
        return vectors
    if dtype in ("int8", "uint8"):
        small: npt.NDArray[np.int8] = packed(vectors, "int8")
        return small if dtype == "int8" else (small.astype(np.int16) + 128).astype(np.uint8)
    bits = np.packbits(vectors > 0, axis=1)
    return bits if dtype == "ubinary" else (bits.astype(np.int16) - 128).astype(np.int8)


def as_numbers(array: Numbers) -> msgspec.Raw:
    """An array of any shape as JSON: each number is the shortest one that reads back as the same float32."""
    import numpy as np

    return msgspec.Raw(orjson.dumps(np.ascontiguousarray(array), option=orjson.OPT_SERIALIZE_NUMPY))


def as_base64(array: Numbers) -> str:
    """The numbers of an array, little-endian, without a header, as the clients of OpenAI and Voyage decode them."""
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return b64encode(little.tobytes()).decode("ascii")
