"""What an index takes and what a month costs, for the picks of an advice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.cli import common, words
from embassay.cli.tables import table, text

if TYPE_CHECKING:
    from embassay.catalog.advice import Advice
    from embassay.catalog.rules import Needs
    from embassay.catalog.sizing import Load

CHUNK_TOKENS = 256
"""Tokens of a chunk where the user's own were not measured: half of the most that one has by default."""


@dataclass(frozen=True, slots=True)
class Month:
    """What happens in a month."""

    updates: float
    """Share of the chunks that change."""
    queries: float


def monthly_costs(advice: Advice, needs: Needs, month: Month) -> dict[str, float | None]:
    """USD a month by model: changes and queries, by the arithmetic of `embassay cost`. None where no price is known."""
    from embassay.catalog.cost import EmbeddingSpeed, Workload, estimate_cost
    from embassay.catalog.worth import monthly_usd

    chunks = needs.load.chunks if needs.load else 0
    tokens = chunks * (needs.chunk_tokens or CHUNK_TOKENS)
    found = {}
    for pick in advice.recommended:
        price = 0.0 if pick.card.open_weights else pick.card.usd_per_million_tokens
        cost = estimate_cost(
            pick.card.id, Workload(0, chunks, tokens, 0), dimensions=pick.card.dimensions or 0, price=price,
            speed=EmbeddingSpeed(), monthly_change=month.updates,
        )  # fmt: skip
        found[pick.card.id] = monthly_usd(cost, month.queries)
    return found


def show_sizing(advice: Advice, load: Load) -> None:
    """The kind of index, and the machine, of each pick."""
    rows = []
    for pick in advice.recommended:
        sizing = pick.sizing
        if sizing is None or sizing.chosen is None:
            continue
        kinds = dict(sizing.vectors)
        rows.append([
            pick.card.id, sizing.chosen.name, *(words.size(kinds[form]) for form in ("float32", "int8", "binary")),
            f"{sizing.memory_gb:,.0f} GB", str(sizing.chosen.cores),
            f"{sizing.embed_ms + sizing.chosen.search_ms:,.0f} ms",
        ])  # fmt: skip
    if not rows:
        return
    out = common.console()
    title = f"{load.chunks:,} chunks, {load.qps:g} queries a second, within {load.latency_ms:g} ms"
    names = ("model", "index", "float32", "int8", "binary", "memory", "cores", "a query")
    out.print(table(names, rows, wrap=("index",), title=title))
    said = "Computed from what 2 cores did; that up to 16 are faster in proportion is assumed, and not measured."
    out.print(text(said, "dim"))


def show_month(costs: dict[str, float | None], month: Month) -> None:
    """What a month costs with each pick."""
    out = common.console()
    asked = f"A month: {words.share(month.updates)} of the chunks change, {month.queries:,.0f} queries"
    out.print(table(("model", "a month"), [[name, words.dollars(usd)] for name, usd in costs.items()], title=asked))
