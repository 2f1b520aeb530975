"""How far made-up queries are off when a search by words is added: what the makers of a set say of themselves."""

from __future__ import annotations

from collections.abc import Mapping

from embassay import plugins
from embassay.evaluate.data.origins import origin_of

MAKERS = "embassay.evaluate.judge.makers"
UNKNOWN = (-0.10, 0.10)
"""Of made-up queries whose maker does not say: those of a chat model, and those of other programs."""
Bias = tuple[float, float]
FAIR: Bias = (0.0, 0.0)


def bias_of(sources: Mapping[str, int]) -> Bias:
    """Least and greatest bias of the mean over queries, of which `sources` says how many come from where.

    It is that of each maker in proportion to its queries; questions of people have none.
    """
    total = sum(sources.values())
    pairs = [(_of_source(source), count / total) for source, count in sources.items()]
    return sum(low * share for (low, _), share in pairs), sum(high * share for (_, high), share in pairs)


def _of_source(source: str) -> Bias:
    if origin_of(source) != "made-up":
        return FAIR
    if source in plugins.names(MAKERS):
        low, high = getattr(plugins.load(MAKERS, source), "BIAS", UNKNOWN)
        return float(low), float(high)
    return UNKNOWN


def reversed_bias(bias: Bias) -> Bias:
    """Of the difference A minus B, where `bias` is that of B minus A."""
    return -bias[1], -bias[0]
