"""Acronyms and terms of a domain, spelled out for the model: ``JWT`` becomes ``JWT (JSON Web Token)``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from embassay import jsontext
from embassay.embedders.base import Embedder
from embassay.embedders.wrap.wrapper import Wrapper
from embassay.space import NO_TRANSFORM, Space
from embassay.types import ROLES, Embeddings, OnLong, Role

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from embassay.config.values import Glossary
    from embassay.engine.token_states import TokenStates
    from embassay.types import Counts


class Terms:
    """A glossary ready to be applied. A term is matched as a whole word; in lower case it matches any case.

    The order in which terms are given does not matter: longer ones come first, and of two that are equally long the one
    that is written in capitals, which matches less.
    """

    def __init__(self, terms: Mapping[str, str]) -> None:
        self._terms = dict(terms)
        self._longest_first = sorted(terms, key=lambda term: (-len(term), term == term.lower(), term))
        groups = (f"((?i:{re.escape(t)}))" if t == t.lower() else f"({re.escape(t)})" for t in self._longest_first)
        words = "|".join(groups)
        self._pattern = re.compile(rf"(?<!\w)(?:{words})(?!\w)") if words else None

    @property
    def digest(self) -> str:
        """8 hex digits that change with any term or meaning.

        They are made of the glossary as it was always written, with NUL between its parts, or as JSON where that could
        be misread, and where texts were once expanded otherwise: two terms differed in nothing but their case.
        """
        items = sorted(self._terms.items())
        ambiguous = len({(len(term), term.casefold()) for term in self._terms}) < len(self._terms)
        if ambiguous or any("\0" in part for item in items for part in item):
            return hashlib.sha256(jsontext.dumps(items, ascii_only=True).encode()).hexdigest()[:8]
        listed = "\0".join(f"{term}\0{meaning}" for term, meaning in items)
        return hashlib.sha256(listed.encode("utf-8", "surrogatepass")).hexdigest()[:8]

    def expand(self, text: str) -> str:
        """Spell out the first mention of each term, unless its meaning stands in the text already."""
        if self._pattern is None:
            return text
        seen: set[str] = set()
        folded = text.lower()

        def spell(match: re.Match[str]) -> str:
            term = match[0]
            meaning = self._terms[self._longest_first[(match.lastindex or 1) - 1]]  # a group for each term
            if meaning in seen or meaning.lower() in folded:
                return term
            seen.add(meaning)
            return f"{term} ({meaning})"

        return self._pattern.sub(spell, text)


class _ExpandedCounts:
    """Counts texts as the model will see them."""

    def __init__(self, inner: Counts, terms: Terms) -> None:
        self._inner, self._terms = inner, terms
        self.max_tokens = inner.max_tokens

    @property
    def safe_tokens(self) -> int:
        return self._inner.safe_tokens

    @property
    def identity(self) -> str:
        return f"{self._inner.identity} glossary {self._terms.digest}" if self._inner.identity else ""

    @property
    def tokenizer(self) -> Tokenizer:
        return self._inner.tokenizer

    @property
    def special(self) -> int:
        return self._inner.special

    def count(self, texts: Sequence[str]) -> list[int]:
        return self._inner.count([self._terms.expand(text) for text in texts])


class Expanded(Wrapper):
    """An embedder that spells terms out in queries, documents or both.

    Where documents are expanded the space says so: their vectors are not those of the bare texts.
    """

    is_transparent = True

    def __init__(self, inner: Embedder, glossary: Glossary) -> None:
        super().__init__(inner)
        self._terms = Terms(glossary.terms)
        self._roles = ROLES if glossary.apply_to == "both" else (glossary.apply_to,)

    @cached_property
    def space(self) -> Space:
        """The inner space; where documents are expanded, with the digest of the glossary in its transform."""
        return self._after(self.inner.space)

    @property
    def former_space(self) -> Space:
        return self._after(self.inner.former_space)

    def _after(self, bare: Space) -> Space:
        if "document" not in self._roles:
            return bare
        done = [] if bare.transform == NO_TRANSFORM else [bare.transform]
        return replace(bare, transform="+".join([*done, f"glossary-{self._terms.digest}"]))

    @property
    def tokens(self) -> Counts:
        """Counts texts as documents are embedded, with their terms spelled out if they are."""
        return _ExpandedCounts(self.inner.tokens, self._terms) if "document" in self._roles else self.inner.tokens

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        for block in self.inner.stream(self._expanded(texts, role), role, on_long):
            yield replace(block, space=self.space)

    def embed(self, texts: Sequence[str], role: Role, on_long: OnLong = "truncate") -> Embeddings:
        return replace(self.inner.embed(list(self._expanded(texts, role)), role, on_long), space=self.space)

    def token_states(self, texts: Sequence[str], role: Role) -> Iterator[TokenStates]:
        """The tokens of the texts with their terms spelled out."""
        return self.inner.token_states(list(self._expanded(texts, role)), role)

    def _expanded(self, texts: Iterable[str], role: Role) -> Iterable[str]:
        return map(self._terms.expand, texts) if role in self._roles else texts
