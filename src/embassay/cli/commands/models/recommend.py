from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from embassay import remedy
from embassay.cli import common, progress, words
from embassay.cli.sizing import Month, monthly_costs, show_month, show_sizing
from embassay.cli.tables import WIDE, indented, table, text
from embassay.errors import UsageError

if TYPE_CHECKING:
    from rich.text import Text

    from embassay.catalog.advice import Advice
    from embassay.catalog.machine import Machine
    from embassay.catalog.rules import Needs
    from embassay.catalog.sizing import Load
    from embassay.ingest.exclude import Exclusions

RERANKS = ("none", "llm", "cross-encoder")
DOMAINS = "code, legal, long, medical, biomedical, scientific or finance"
BUSY = 1.5
"""Times the shortest run that half of the runs took, from which on a machine is told to have been busy."""
FLAGS = {"latency": "--max-latency-ms", "code": "--remote-code", "domain": "--domain"}
"""Options that change a limit which nobody set."""


def command(
    privacy: Annotated[bool, typer.Option("--privacy", help="No text may leave your machines.")] = False,
    api: Annotated[bool, typer.Option("--api/--no-api", help="Whether hosted models may be used.")] = True,
    language: Annotated[
        list[str] | None, typer.Option(metavar="LANG", help="A language of your texts; repeat it.")
    ] = None,
    domain: Annotated[str, typer.Option(metavar="D", help=f"Of your texts: {DOMAINS}.")] = "",
    commercial: Annotated[bool, typer.Option("--commercial", help="The licence must allow commercial use.")] = False,
    licence: Annotated[list[str] | None, typer.Option(metavar="L", help="Only this licence; repeat it.")] = None,
    hosted: Annotated[bool, typer.Option("--hosted", help="Only hosted models.")] = False,
    gpu: Annotated[bool, typer.Option("--gpu/--cpu", help="Where open models run.")] = False,
    max_mb: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(metavar="MB", help="Most memory for weights."),
    ] = None,
    max_latency_ms: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(metavar="MS", help="Most time to embed one query."),
    ] = None,
    max_storage_gb: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(metavar="GB", help="Most storage for a million vectors."),
    ] = None,
    max_usd: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(metavar="USD", help="Most money for a million tokens."),
    ] = None,
    rerank: Annotated[
        str, typer.Option(metavar="STAGE", help="What orders the hits anew: none, llm, cross-encoder.")
    ] = "none",
    docs: Annotated[
        list[Path] | None, typer.Option(metavar="PATH", help="Measure the chunks of these files; repeat it.")
    ] = None,
    min_tokens: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(metavar="N", help="Tokens of one text that a model must read."),
    ] = None,
    chunks: Annotated[str, typer.Option(metavar="N", help="Chunks to be searched, to size an index: 250k, 10M.")] = "",
    qps: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(metavar="N", help="Queries a second; default: 1."),
    ] = None,
    latency_ms: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(metavar="MS", help="Most time of a query, from its text to its hits; default: 100."),
    ] = None,
    updates_per_month: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="SHARE", help="How much changes in a month, to tell its cost: 5% or 0.05."),
    ] = None,
    queries_per_month: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(metavar="N", help="Queries that are asked in a month."),
    ] = None,
    remote_code: Annotated[
        bool, typer.Option("--remote-code", help="Models may run code from their repository.")
    ] = False,
    measure: Annotated[bool, typer.Option("--measure", help="Measure this machine again.")] = False,
    count: Annotated[int, typer.Option("-n", metavar="N", help="How many to recommend.")] = 5,
    json: common.JsonOption = False,
) -> None:
    """Recommend models for your constraints, with the reason for each pick and each exclusion.

    Constraints leave models out; published retrieval scores in your domain and languages order the rest, weighed
    against size where a re-ranking stage follows. Every limit is told. This machine is measured once, and kept.
    It ends with the command that measures the first picks on your own documents.

    \b
    embassay models recommend --privacy --language en --cpu --max-latency-ms 20
    embassay models recommend --language de --rerank llm --docs ./docs --json
    embassay models recommend --domain legal --hosted
    embassay models recommend --chunks 10M --qps 5 --latency-ms 60 --queries-per-month 1000000
    """
    from embassay.catalog.advice import advise
    from embassay.catalog.rules import Needs
    from embassay.config.reading import load_config
    from embassay.evaluate.speed.machine import known_machine

    if rerank not in RERANKS:
        raise UsageError(f"rerank {rerank!r} is not one of {', '.join(RERANKS)}.")
    if count < 1:
        raise UsageError(f"-n is {count}; at least 1.")
    _check(language or [], domain, max_mb, max_latency_ms, max_storage_gb, max_usd, min_tokens, qps, latency_ms)
    month_asked = {"updates_per_month": updates_per_month, "queries_per_month": queries_per_month}
    load = _load(chunks, qps=qps, latency_ms=latency_ms, **month_asked)
    month = _month(updates_per_month, queries_per_month)
    with common.opened_session() as session:
        cards = session.models.catalog.models.values()  # a broken configuration is told before anything is measured
        needs = Needs(
            hosted=hosted,
            privacy=privacy,
            api=api,
            languages=tuple(language or ()),
            commercial=commercial,
            licences=tuple(licence or ()),
            gpu=gpu,
            max_mb=max_mb,
            max_latency_ms=max_latency_ms,
            max_storage_gb=max_storage_gb,
            max_usd=max_usd,
            chunk_tokens=_chunk_tokens(docs, common.left_out(load_config())) if docs else None,
            min_tokens=min_tokens,
            load=load,
            domain=domain,
            rerank=rerank,  # type: ignore[arg-type]
            remote_code=remote_code,
            machine=known_machine(again=measure),
        )
        advice = advise(cards, needs, count=count)
    if json:
        told = {"monthly_usd": monthly_costs(advice, needs, month)} if month else {}
        common.print_json(advice.to_dict() | {"machine": needs.machine.to_dict()} | told)
    else:
        _show(advice, needs, month)


def _check(languages: list[str], domain: str, *limits: float | None) -> None:
    from embassay.catalog.advice import FINE_TUNING
    from embassay.text import did_you_mean

    for language in languages:
        if not re.fullmatch(r"[a-z]{2,3}|multilingual|code", language.lower()):
            raise UsageError(f"language {language!r} is no code.", remedy="Write en, de, zh, ... or code.")
    if domain not in FINE_TUNING:
        meant = did_you_mean(domain, filter(None, FINE_TUNING))
        raise UsageError(f"domain {domain!r} is not known.", remedy=f"{meant} It is one of {DOMAINS}.".strip())
    if any(limit is not None and limit <= 0 for limit in limits):
        raise UsageError("a limit must be above 0.")


def _load(chunks: str, **beside: object) -> Load | None:
    """What an index is sized for. Raises UsageError for what would be ignored without a number of chunks."""
    from embassay.catalog.sizing import DEFAULT_LATENCY_MS, Load

    if chunks:
        qps, latency = (beside[name] for name in ("qps", "latency_ms"))
        return Load(words.number_of(chunks, "chunks"), float(qps or 1.0), float(latency or DEFAULT_LATENCY_MS))  # type: ignore[arg-type]
    if given := [name.replace("_", "-") for name, value in beside.items() if value is not None]:
        raise UsageError(f"{', '.join(given)} would be ignored.", remedy=remedy.option("chunks", "1M", say="Add {}."))
    return None


def _month(updates: str | None, queries: float | None) -> Month | None:
    if queries is not None and queries < 0:
        raise UsageError(f"queries-per-month is {queries:g}; it must be a number from 0.")
    if updates is None and queries is None:
        return None
    return Month(words.part_of(updates or "0", "updates-per-month"), queries or 0.0)


def _chunk_tokens(paths: list[Path], exclude: Exclusions) -> int:
    """95th percentile of the tokens of chunks, cut as for a model that takes the most a chunk may have."""
    from embassay.embedders.texts.estimate import EstimatedTokens
    from embassay.ingest.defaults import DEFAULT_TOKENS
    from embassay.ingest.survey import survey

    with progress.working("Measuring your chunks"):
        seen = survey(paths, EstimatedTokens(DEFAULT_TOKENS), exclude=exclude)
    if not seen.chunks:
        raise UsageError(f"no text was found in {', '.join(map(str, paths))}.")
    longest = seen.percentile(0.95)
    common.messages().print(
        f"{words.count(seen.documents, 'document')}, {words.count(seen.chunks, 'chunk')}: half have up to "
        f"{seen.percentile(0.5):,} tokens, 95 % up to {longest:,}.",
        style="dim",
    )
    return longest


def _show(advice: Advice, needs: Needs, month: Month | None) -> None:
    out = common.console()
    if not advice.recommended:
        out.print(text("No model meets all of that.", "yellow"))
    for place, pick in enumerate(advice.recommended, 1):
        out.print(text(f"{place}  ").append(pick.card.id, "bold"))
        out.print(indented(text("; ".join(pick.why)), 3))
    if advice.recommended:
        out.print(_forms(advice, narrow=out.width < WIDE))
    if needs.load:
        show_sizing(advice, needs.load)
    if month:
        show_month(monthly_costs(advice, needs, month), month)
    if advice.specialists:
        out.print(f"Made for {needs.domain}, without a score that compares with those above:")
        for pick in advice.specialists:
            out.print(indented(text("").append(pick.card.id, "bold").append(f": {'; '.join(pick.why)}"), 3))
    out.print(text(f"Limits applied: {_limits(advice)}.", "dim"))
    reasons = Counter(why.split(":")[0] for _, why in advice.excluded)
    if reasons:
        listed = ", ".join(f"{name} {n}" for name, n in reasons.most_common())
        out.print(text(f"Left out: {listed}. --json has the reason for each.", "dim"))
    if not needs.gpu:
        out.print(text(_measured(needs.machine), "dim"))
    if needs.domain:
        out.print(text(advice.fine_tuning))
    if advice.next:
        out.print("\nPublished scores are not your documents. Measure the first picks on your own:")
        out.print(text(f"  {advice.next}"), soft_wrap=True)


def _limits(advice: Advice) -> str:
    """All limits; beside one that nobody set, the option that changes it."""
    own = [limit.what for limit in advice.limits if limit.asked]
    ours = [
        f"{limit.what}{f' ({FLAGS[limit.name]})' if limit.name in FLAGS else ''}"
        for limit in advice.limits
        if not limit.asked
    ]
    return "; ".join(filter(None, [", ".join(own), f"by default {', '.join(ours)}"]))


def _measured(machine: Machine) -> str:
    if not machine.measured:
        return "Latencies are for 2 cores with AVX-512; the default model is not here to measure this CPU."
    day, spread = machine.measured_on, machine.spread
    busy = f" It was busy then: half of the runs took {spread:.1f} times the shortest." if spread > BUSY else ""
    return f"Latencies are computed from this machine as it was measured on {day}; --measure repeats that.{busy}"


def _forms(advice: Advice, *, narrow: bool) -> Any:
    """What a million chunks take in each form that vectors can be stored in."""
    between = "\n" if narrow else ", "
    kinds = list(dict.fromkeys(form.name.split("-")[0] for pick in advice.recommended for form in pick.forms))
    rows: list[list[str | Text]] = []
    for pick in advice.recommended:
        shown = {form.name.split("-")[0]: form for form in pick.forms}
        name = pick.card.id.rpartition("/")[2] if narrow else pick.card.id  # whole above
        rows.append([name, *(_form(shown.get(kind), between) for kind in kinds)])
    return table(("model", *kinds), rows, title="A million chunks: storage, and time to scan them all")


def _form(form: Any, between: str) -> Text:
    if form is None:
        return text("")
    cut = f" at {form.dimensions}" if form.name.startswith("matryoshka") else ""
    return text(f"{words.size(form.bytes_per_million)}{cut}{between}{form.search_ms_per_million:,.0f} ms")
