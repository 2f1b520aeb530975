"""Hard constraints: which models cannot be used for what a user needs, and why. Nothing here ranks models.

Every constraint is a row of `RULES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from embassay.catalog.card import ModelCard
from embassay.catalog.machine import HOSTED_QUERY_MS, Machine
from embassay.catalog.runnable import runs_here
from embassay.catalog.scores import every_score
from embassay.catalog.sizing import Load, too_slow
from embassay.catalog.tasks import find_task

Rerank = Literal["none", "llm", "cross-encoder"]
CPU_QUERY_MS = 150.0
"""Most milliseconds a query may take on a CPU where no limit is given: a slower model takes days to index what others
do in an hour."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a user asks of a model. A field that is empty or None is no constraint."""

    hosted: bool = False
    """Only models that somebody else runs."""
    privacy: bool = False
    """No text may leave the user's machines."""
    api: bool = True
    """Whether hosted models may be used at all."""
    languages: tuple[str, ...] = ()
    commercial: bool = False
    """Whether the licence has to allow commercial use."""
    licences: tuple[str, ...] = ()
    gpu: bool = False
    max_mb: float | None = None
    max_latency_ms: float | None = None
    max_storage_gb: float | None = None
    """Of a million float32 vectors."""
    max_usd: float | None = None
    """Per million tokens."""
    chunk_tokens: int | None = None
    """95th percentile of the user's own chunks."""
    min_tokens: int | None = None
    """Tokens of one text that a model has to read."""
    load: Load | None = None
    """Chunks that are searched, how often and how fast."""
    domain: str = ""
    rerank: Rerank = "none"
    remote_code: bool = False
    """Whether code from a model's repository may run."""
    machine: Machine = field(default_factory=Machine)


@dataclass(frozen=True, slots=True)
class Rule:
    """A constraint on models."""

    name: str
    why: Callable[[ModelCard, Needs], str]
    """Says in words why a model is left out; an empty text keeps it."""
    limit: Callable[[Needs], str]
    """What is asked of every model; an empty text where nothing is."""
    asked: Callable[[Needs], bool] = lambda _: True
    """Whether the user set the limit; otherwise it is one of ours."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit that was applied."""

    name: str
    """That of its rule."""
    what: str
    asked: bool
    """Whether the user set it."""

    def to_dict(self) -> dict[str, object]:
        """The limit as the JSON output has it."""
        return {"name": self.name, "limit": self.what, "asked": self.asked}


def _latency(card: ModelCard, needs: Needs) -> str:
    """Where a query is computed, and whether that is fast enough."""
    budget = needs.max_latency_ms
    if not card.open_weights:
        over = budget is not None and budget < HOSTED_QUERY_MS
        return (
            f"a hosted model answers in about {HOSTED_QUERY_MS:.0f} ms, over the {budget:g} ms allowed" if over else ""
        )
    if needs.gpu:
        return ""
    estimate = needs.machine.query_ms(card)
    if estimate is None:
        return "its size is not known, so that its latency cannot be told" if budget is not None else ""
    limit = budget if budget is not None else CPU_QUERY_MS
    return f"about {estimate:,.0f} ms a query on this CPU, over {limit:g} ms" if estimate > limit else ""


def _language(card: ModelCard, needs: Needs) -> str:
    for language in needs.languages:
        speaks = card.speaks(language)
        if speaks is None and not _scored_in(card, language):
            return "its languages are not stated in any source read"
        if speaks is False:
            return f"it was made for {', '.join(card.languages)}, not {language}"
    return ""


def _price(card: ModelCard, needs: Needs) -> str:
    if needs.max_usd is None or card.open_weights:
        return ""
    price = card.usd_per_million_tokens
    if price is None:
        return "its price is not known"
    return f"${price:g} per million tokens, over ${needs.max_usd:g}" if price > needs.max_usd else ""


def _storage(card: ModelCard, needs: Needs) -> str:
    if needs.max_storage_gb is None:
        return ""
    if card.dimensions is None:
        return "its dimensions are not known"
    fewest = min([card.dimensions, *card.matryoshka, *((card.matryoshka_range or ())[:1])])
    smallest = fewest * 4e6 / 1e9
    over = smallest > needs.max_storage_gb
    cut = f" even at {fewest} dimensions" if fewest < card.dimensions else ""
    return f"{smallest:.2f} GB a million float32 vectors{cut}, over {needs.max_storage_gb:g} GB" if over else ""


def _length(card: ModelCard, needs: Needs) -> str:
    if needs.chunk_tokens is None or card.unlimited_tokens:
        return ""
    if card.max_tokens is None:
        return "its token limit is not known"
    over = card.max_tokens < needs.chunk_tokens
    return f"it reads {card.max_tokens:,} tokens, your chunks have up to {needs.chunk_tokens:,}" if over else ""


def _min_tokens(card: ModelCard, needs: Needs) -> str:
    if needs.min_tokens is None or card.unlimited_tokens:
        return ""
    if card.max_tokens is None:
        return "its token limit is not known"
    return f"it reads {card.max_tokens:,} tokens" if card.max_tokens < needs.min_tokens else ""


def _load_limit(needs: Needs) -> str:
    load = needs.load
    return "" if load is None else f"{load.chunks:,} chunks, {load.qps:g} queries a second, {load.latency_ms:g} ms each"


def _memory(card: ModelCard, needs: Needs) -> str:
    if needs.max_mb is None or not card.open_weights:
        return ""
    if card.size_mb is None:
        return "its size is not known"
    return f"{card.size_mb:,} MB, over {needs.max_mb:g} MB" if card.size_mb > needs.max_mb else ""


def _licence(card: ModelCard, needs: Needs) -> str:
    if needs.commercial and card.commercial is not True:
        return f"{card.licence} forbids commercial use" if card.commercial is False else "its licence is not known"
    if needs.licences and card.licence not in needs.licences:
        return f"its licence is {card.licence or 'not known'}"
    return ""


def _runs(card: ModelCard, needs: Needs) -> str:
    if card.open_weights and card.trust_remote_code and not runs_here(card) and not needs.remote_code:
        return "it runs only with code from its repository (remote_code allows that)"
    return ""


def _domain(card: ModelCard, needs: Needs) -> str:
    own = card.domain in ("", "general", needs.domain) or needs.domain in card.also_domains
    return "" if own else f"made for {card.domain}"


def _scored_in(card: ModelCard, language: str) -> bool:
    """Whether a score in the language is published: nobody runs a model in languages that it does not know."""
    tasks = (find_task(score.task) for score in every_score(card.scores))
    return any(language.lower() in task.languages for task in tasks if task)


def _evidence(card: ModelCard, needs: Needs) -> str:
    scored = any((task := find_task(score.task)) and task.domains for score in every_score(card.scores))
    return "" if scored or made_for_domain(card, needs) else "no published retrieval score was found"


def _licence_limit(needs: Needs) -> str:
    allowed = f"licence {' or '.join(needs.licences)}" if needs.licences else ""
    return ", ".join(filter(None, ["commercial use allowed" if needs.commercial else "", allowed]))


def _latency_limit(needs: Needs) -> str:
    if needs.max_latency_ms is not None:
        return f"at most {needs.max_latency_ms:g} ms a query"
    return "" if needs.gpu else f"at most {CPU_QUERY_MS:g} ms a query on a CPU"


def _ours(_: Needs) -> bool:
    return False


RULES = (
    Rule("retired", lambda c, n: f"retired on {c.retired}" if c.retired else "", lambda n: "still offered", _ours),
    Rule("no retrieval model", lambda c, n: c.warning, lambda n: "made for retrieval", _ours),
    Rule(
        "privacy",
        lambda c, n: f"texts would go to {c.provider}" if n.privacy and not c.open_weights else "",
        lambda n: "no text leaves your machines" if n.privacy else "",
    ),
    Rule(
        "open weights",
        lambda c, n: "its weights are to be run by yourself" if n.hosted and c.open_weights else "",
        lambda n: "hosted" if n.hosted else "",
    ),
    Rule(
        "hosted",
        lambda c, n: f"only {c.provider} runs it" if not n.api and not c.open_weights else "",
        lambda n: "" if n.api else "not hosted",
    ),
    Rule("languages", _language, lambda n: f"made for {', '.join(n.languages)}" if n.languages else ""),
    Rule("licence", _licence, _licence_limit),
    Rule("memory", _memory, lambda n: "" if n.max_mb is None else f"at most {n.max_mb:g} MB of weights"),
    Rule(
        "token length",
        _length,
        lambda n: "" if n.chunk_tokens is None else f"reads the {n.chunk_tokens:,} tokens of your chunks",
    ),
    Rule("min tokens", _min_tokens, lambda n: "" if n.min_tokens is None else f"reads {n.min_tokens:,} tokens"),
    Rule("load", lambda c, n: too_slow(c, n.load, n.machine, gpu=n.gpu) if n.load else "", _load_limit),
    Rule("code", _runs, lambda n: "" if n.remote_code else "no code from a model's repository", _ours),
    Rule("price", _price, lambda n: "" if n.max_usd is None else f"at most ${n.max_usd:g} per million tokens"),
    Rule(
        "storage",
        _storage,
        lambda n: "" if n.max_storage_gb is None else f"at most {n.max_storage_gb:g} GB a million vectors",
    ),
    Rule("latency", _latency, _latency_limit, lambda n: n.max_latency_ms is not None),
    Rule("domain", _domain, lambda n: "not made for another domain", _ours),
    Rule("evidence", _evidence, lambda n: "a published retrieval score", _ours),
)
"""Applied in this order; the first that speaks is the reason given."""


def limits(needs: Needs) -> list[Limit]:
    """Every limit that is applied, those that nobody asked for too."""
    return [Limit(rule.name, what, rule.asked(needs)) for rule in RULES if (what := rule.limit(needs))]


def excluded(card: ModelCard, needs: Needs) -> str:
    """The name of the first rule that leaves `card` out, and its reason; empty if no rule does."""
    return next((f"{rule.name}: {why}" for rule in RULES if (why := rule.why(card, needs))), "")


def made_for_domain(card: ModelCard, needs: Needs) -> bool:
    """Whether the model was made for the domain that was asked for."""
    return bool(needs.domain) and needs.domain in (card.domain, *card.also_domains)
