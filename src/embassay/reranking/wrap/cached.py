"""A reranker whose scores are looked up before they are made, and kept once they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b

from embassay.embedders.keeper import FITS, TRUNCATED, Kept, Vault
from embassay.reranking.base import Reranked, Reranker
from embassay.reranking.wrap.wrapper import RerankWrapper

SCORE_BYTES = 4
"""Of a float32."""


class CachedScores(RerankWrapper):
    """Keeps each score by what decides it: reranker, query and text, and the whole list for one that ranks lists."""

    def __init__(self, inner: Reranker, vault: Vault, ttl: float | None = None) -> None:
        """`ttl`: seconds after which a score is forgotten; None: never."""
        super().__init__(inner)
        self._vault, self._ttl = vault, ttl

    def score(self, query: str, texts: Sequence[str]) -> Reranked:
        """Scores that were found, and the others as the reranker inside makes them; a text that comes twice is asked
        for once. Raises as that does, and CacheError.
        """
        keys = self._keys(query, texts)
        found = self._found(list(dict.fromkeys(keys)))
        if self.listwise and len(found) < len(set(keys)):
            found = {}
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        made = self.inner.score(query, list(missing.values()))
        places = dict(zip(missing, range(len(missing)), strict=True))
        self._keep(places, made)
        return self._joined(keys, found, places, made)

    def _keys(self, query: str, texts: Sequence[str]) -> list[bytes]:
        base = blake2b(b"score\0", digest_size=16)
        for part in (self.identity, query, *(texts if self.listwise else ())):
            plain = part.encode("utf-8", "surrogatepass")
            base.update(len(plain).to_bytes(8, "little") + plain)
        keys = []
        for text in texts:
            digest = base.copy()
            digest.update(text.encode("utf-8", "surrogatepass"))
            keys.append(digest.digest())
        return keys

    def _found(self, wanted: Sequence[bytes]) -> dict[bytes, Kept]:
        import numpy as np

        kept = self._vault.get(wanted, self._ttl) if wanted else {}
        found = {
            key: one
            for key, one in kept.items()
            if len(one.vector) == SCORE_BYTES and np.isfinite(np.frombuffer(one.vector, np.float32)[0])
        }
        self._vault.tell(len(found), len(wanted) - len(found))
        return found

    def _keep(self, places: Mapping[bytes, int], made: Reranked) -> None:
        """Scores of texts that were refused are none."""
        rows = [
            (key, Kept(made.scores[at].tobytes(), int(made.tokens[at]), TRUNCATED if made.truncated[at] else FITS))
            for key, at in places.items()
            if at not in made.refused
        ]
        if rows:
            self._vault.put(rows)

    def _joined(
        self, keys: Sequence[bytes], found: Mapping[bytes, Kept], places: Mapping[bytes, int], made: Reranked
    ) -> Reranked:
        import numpy as np

        count = len(keys)
        scores, tokens = np.zeros(count, np.float32), np.zeros(count, np.int64)
        truncated, cached = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
        refused: dict[int, str] = {}
        for at, key in enumerate(keys):
            if (one := found.get(key)) is not None:
                scores[at] = np.frombuffer(one.vector, np.float32)[0]
                tokens[at], truncated[at], cached[at] = one.tokens, one.long == TRUNCATED, True
                continue
            row = places[key]
            scores[at], tokens[at], truncated[at] = made.scores[row], made.tokens[row], made.truncated[row]
            if row in made.refused:
                refused[at] = made.refused[row]
        if refused:  # the least of those that were made now need not be the least of all
            scores[list(refused)] = scores.min()
        usage = replace(made.usage, cached=int(cached.sum()))
        return Reranked(scores, tokens, truncated, self.name, usage, cached, refused)
