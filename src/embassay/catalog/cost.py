"""What it costs to embed a folder with a model: money, time and storage, at first and every month."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

REQUEST_SECONDS = 0.5
"""Seconds that a hosted model takes for a full batch, as a rule of thumb; `models probe` measures it."""
OLD_PRICE_DAYS = 180
"""A price that was looked up longer ago is told as old."""
OVERHEAD = 1.9
"""Bytes on disk for each byte of text and vectors: measured right after indexing 5,516 chunks of documentation
(3.1 MB of text, 8.5 MB of vectors, 22.3 MB stored); later runs remove old versions and need less."""


@dataclass(frozen=True, slots=True)
class Workload:
    """A folder as one model sees it."""

    documents: int
    chunks: int
    tokens: int
    """With prompts and special tokens: what is computed, or billed."""
    text_bytes: int
    truncated: int = 0
    """Chunks above the model's limit."""


@dataclass(frozen=True, slots=True)
class EmbeddingSpeed:
    """How fast one model embeds: either in tokens a second on this machine, or in requests to whoever hosts it."""

    tokens_per_second: float | None = None
    batch_inputs: int = 0
    batch_tokens: int | None = None
    concurrency: int = 1
    tokens_per_minute: float | None = None
    how: str = ""
    """Where the figure comes from."""
    cpu_share: float = 0.0
    """CPU seconds that a second takes, of all cores together; 0 for a model that runs elsewhere."""

    def seconds(self, chunks: float, tokens: float) -> float | None:
        """How long it takes to embed so many chunks with so many tokens in all; None where nothing is known."""
        if self.tokens_per_second:
            return tokens / self.tokens_per_second
        if not self.batch_inputs:
            return None
        requests = max(chunks / self.batch_inputs, tokens / self.batch_tokens if self.batch_tokens else 0)
        seconds = math.ceil(requests) * REQUEST_SECONDS / min(self.concurrency, max(1, math.ceil(requests)))
        limited = tokens / self.tokens_per_minute * 60 if self.tokens_per_minute else 0.0
        return max(seconds, limited)


@dataclass(frozen=True, slots=True)
class Bill:
    """What one indexing run takes."""

    chunks: int
    tokens: int
    usd: float | None
    seconds: float | None
    bytes: int

    def to_dict(self) -> dict[str, object]:
        """The bill as the JSON output has it."""
        seconds = None if self.seconds is None else round(self.seconds, 2)
        usd = None if self.usd is None else round(self.usd, 6)
        return {"chunks": self.chunks, "tokens": self.tokens, "usd": usd, "seconds": seconds, "bytes": self.bytes}


@dataclass(frozen=True, slots=True)
class Cost:
    """What one model costs on one folder."""

    model: str
    documents: int
    dimensions: int
    first: Bill
    monthly: Bill
    usd_per_million_tokens: float | None
    tokens_exact: bool
    token_error: float
    """Share by which the count may be off; 0 where the model's own tokenizer counted."""
    speed: str
    truncated: int
    query_prompt_tokens: int = 0
    """Tokens that the model's prompt adds to each query."""
    price_as_of: str = ""
    """When the price was looked up: a day, month or year; empty where the user set it, or nothing is billed."""
    price_source: str = ""

    def price_age_days(self, today: date) -> int | None:
        """Days since the price was looked up, at least; None where nobody says when."""
        try:
            year, month, day = [*map(int, self.price_as_of.split("-")), 1, 1][:3]
            return max(0, (today - date(year, month, day)).days)
        except ValueError:
            return None

    def to_dict(self) -> dict[str, object]:
        """The cost as the JSON output has it."""
        plain = (
            "model", "documents", "dimensions", "usd_per_million_tokens", "price_as_of", "price_source", "tokens_exact",
            "token_error", "speed",
        )  # fmt: skip
        data = {name: getattr(self, name) for name in plain}
        return data | {"truncated": self.truncated, "first": self.first.to_dict(), "monthly": self.monthly.to_dict()}


def estimate_cost(
    model: str,
    work: Workload,
    *,
    dimensions: int,
    price: float | None,
    speed: EmbeddingSpeed,
    monthly_change: float,
    token_error: float = 0.0,
    query_prompt_tokens: int = 0,
    priced: tuple[str, str] = ("", ""),
) -> Cost:
    """What `work` costs with a model, at first and every month.

    `price` is in USD per million tokens and 0 where nothing is billed; `monthly_change` is the share of the folder
    that changes in a month; `token_error` is the share by which the count of tokens may be off, and
    `priced` says when the price was looked up, and where.
    """

    def bill(share: float) -> Bill:
        tokens, chunks = round(work.tokens * share), math.ceil(work.chunks * share)
        size = (work.text_bytes * share + chunks * dimensions * 4) * OVERHEAD
        usd = None if price is None else tokens * price / 1e6
        return Bill(chunks, tokens, usd, speed.seconds(chunks, tokens), round(size))

    return Cost(
        model, work.documents, dimensions, bill(1.0), bill(monthly_change), price, token_error == 0, token_error,
        speed.how, work.truncated, query_prompt_tokens, *priced,
    )  # fmt: skip
