"""What of a reply can be scores. A ranking that may be wrong is no ranking: whatever is amiss is named."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from embassay.errors import BadReply
from embassay.reranking.http.api import RerankReply

if TYPE_CHECKING:
    from embassay.types import Vectors


def checked(reply: RerankReply, count: int) -> Vectors:
    """The scores of `count` texts in their order: float32 (count,). Raises BadReply."""
    import numpy as np

    if len(reply.scores) != count:
        raise BadReply(f"the reply has {len(reply.scores)} scores for {count} text{'s' if count > 1 else ''}.")
    scores = np.full(count, np.nan, np.float32)
    for index, said in reply.scores:
        if not isinstance(index, int) or isinstance(index, bool):
            raise BadReply(f"the reply has a score for text {index!r}, which is no index.")
        if not 0 <= index < count:
            raise BadReply(f"the reply has a score for text {index}, and those asked for are 0 to {count - 1}.")
        if not math.isnan(scores[index]):
            raise BadReply(f"the reply has two scores for text {index}.")
        scores[index] = _number(said, index)
    return scores


def _number(said: object, index: int) -> float:
    """A score, which may be written as a string."""
    import numpy as np

    try:
        number = float(said) if isinstance(said, (int, float, str)) and not isinstance(said, bool) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not abs(number) <= float(np.finfo(np.float32).max):
        raise BadReply(f"the reply has {said!r} for the score of text {index}, which is no finite number.")
    return number
