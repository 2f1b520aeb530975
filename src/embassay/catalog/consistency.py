"""What cannot be true of a card at once: each check is a row of a table."""

from __future__ import annotations

from collections.abc import Iterator

from embassay.catalog.card import ModelCard
from embassay.catalog.scores import Score, every_score
from embassay.catalog.tasks import find_task
from embassay.types import ROLES

BARE_ENDINGS = ("\nQuery:", "\n<query>", "：")
"""Of Qwen's and bge-code's instructions, and of prompts in Chinese, which puts no space behind its colon."""


def inconsistencies(card: ModelCard) -> Iterator[str]:
    """Each contradiction within a card, as a sentence that begins with its id."""
    try:
        unknown = sorted({score.task for score in _scores(card) if find_task(score.task) is None})
    except ValueError as error:
        yield f"{card.id}: {error}"
        return
    if unknown:
        yield f"{card.id}: a score of {', '.join(unknown)}, which is no task that models are compared on"
    for check, complaint in _CHECKS:
        if check(card):
            yield f"{card.id}: {complaint}"


def _scores(card: ModelCard) -> list[Score]:
    return list(every_score(card.scores))


def _prompt_lacks_space(card: ModelCard) -> bool:
    """A text prefix ends in white space, but for those that end in a mark of their own by design."""
    return any(not p[-1].isspace() and not p.endswith(BARE_ENDINGS) for p in card.prompts.values() if p)


def _cut_above(card: ModelCard) -> bool:
    """Providers may offer more dimensions than they give by default; weights have what they have."""
    return card.open_weights and any(d > (card.dimensions or 0) for d in card.matryoshka)


_CHECKS = (
    (lambda c: "/" not in c.id or c.id != c.id.strip(), "its id is no provider/model or Hugging Face id"),
    (lambda c: not c.provider_ids, "nobody runs it"),
    (lambda c: not c.sources, "its facts have no source"),
    (lambda c: bool(c.shares_space) and not c.shares_space_source, "a space that it shares, without a source"),
    (lambda c: c.dimensions is not None and not 1 <= c.dimensions <= 16384, "no model has such dimensions"),
    (lambda c: c.max_tokens is not None and c.unlimited_tokens, "a token limit, and none"),
    (lambda c: bool(c.max_tokens and c.max_tokens_architecture and c.max_tokens > c.max_tokens_architecture),
     "its token limit is above what the architecture takes"),
    (_cut_above, "Matryoshka dimensions above its own"),
    (lambda c: bool(c.matryoshka) and list(c.matryoshka) != sorted(set(c.matryoshka)), "Matryoshka list out of order"),
    (lambda c: c.matryoshka_range is not None and c.matryoshka_range[0] > c.matryoshka_range[1], "an empty range"),
    (lambda c: not set(c.prompts) | set(c.role_parameter) <= set(ROLES), "a prompt for no role"),
    (_prompt_lacks_space, "a prompt runs into the text: it ends without white space"),
    (lambda c: bool(c.prompts) and not c.prompts_known, "prompts given, and said to be unknown"),
    (lambda c: c.commercial is True and "-nc" in c.licence, "a non-commercial licence that allows commercial use"),
    (lambda c: c.commercial is not None and not c.licence, "terms without a licence"),
    (lambda c: c.usd_per_million_tokens is not None and not c.price_date, "a price without a date"),
    (lambda c: c.usd_per_million_tokens is not None and not 0 < c.usd_per_million_tokens < 50, "no such price"),
    (lambda c: any(not 0 <= score.value <= 100 for score in _scores(c)), "a score outside 0 to 100"),
    (lambda c: bool(c.parameters and c.size_mb and not 0.9 <= c.size_mb * 1e6 / c.parameters <= 4.5),
     "size and parameters do not fit any number type"),
    (lambda c: c.open_weights and c.usd_per_million_tokens is not None, "open weights with a single price"),
)  # fmt: skip
