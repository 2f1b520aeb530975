"""How one dense and one lexical arm were searched and joined before stages were values: the slow, obvious definition.

Sums are made in the same order and with the same functions, so that scores can be compared bit for bit.
"""

import math
import struct


def oracle(dense, lexical, depth, k, fusion, weight, *, complete=False):
    """(ref, score) of the top `k`; lists are (ref, score) pairs, best first; None for an arm that does not run.

    With `complete` an arm scores what the other one found, as far as it is in its list at any depth, and words give 0
    to all others.
    """
    whole = {"dense": dict(dense or []), "lexical": dict(lexical or [])}
    lists = {"dense": dense, "lexical": lexical}
    lists = {name: found[:depth] for name, found in lists.items() if found is not None}
    if len(lists) == 1:
        return next(iter(lists.values()))[:k]
    if fusion == "rrf":
        fused = {}
        for found in lists.values():
            for rank, (ref, _) in enumerate(found, 1):
                fused[ref] = fused.get(ref, 0.0) + 1 / (weight + rank)
    else:
        scale = {"convex": scaled, "zscore": standardised}[fusion]
        refs = list(dict.fromkeys(ref for found in lists.values() for ref, _ in found))
        if complete:
            for name, found in lists.items():
                missing = [ref for ref in refs if ref not in dict(found)] if found else []
                scores = [whole[name].get(ref, 0.0 if name == "lexical" else None) for ref in missing]
                lists[name] = found + [
                    (ref, float32(score)) for ref, score in zip(missing, scores, strict=True) if score is not None
                ]
        arms = {name: scale(name, found) for name, found in lists.items() if found}
        weights = {"dense": weight, "lexical": 1 - weight}
        fused = {ref: math.fsum(weights[n] * s.get(ref, min(s.values())) for n, s in arms.items()) for ref in refs}
    return sorted(fused.items(), key=lambda item: -item[1])[:k]


def float32(number):
    """As an array of scores holds it."""
    return struct.unpack("f", struct.pack("f", number))[0]


def scaled(name, found):
    least = -1.0 if name == "dense" else 0.0
    span = max(score for _, score in found) - least
    return {ref: (score - least) / span if span > 0 else 0.0 for ref, score in found}


def standardised(_, found):
    mean = math.fsum(score for _, score in found) / len(found)
    deviation = math.sqrt(math.fsum((score - mean) ** 2 for _, score in found) / len(found))
    return {ref: (score - mean) / deviation if deviation > 0 else 0.0 for ref, score in found}
