from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from embassay import remedy
from embassay.cli import common, runs, words
from embassay.cli.exits import ExitCode
from embassay.cli.tables import facts, line
from embassay.errors import UsageError

if TYPE_CHECKING:
    from embassay.sets.migration.status import MigrationStatus

NEEDS_ARGUMENTS = True
DOINGS = ("status", "pause", "resume", "abort")


def command(
    name: Annotated[str, typer.Argument(help="The set.", metavar="SET")],
    to: Annotated[
        Optional[str],  # noqa: UP045 - typer reads the annotation at run time
        typer.Option("--to", metavar="MODEL", help="The model that the set is moved to."),
    ] = None,
    precision: common.PrecisionOption = None,
    truncate_dim: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(metavar="N", help="Cut vectors to N dimensions, where the model was trained for that."),
    ] = None,
    pca: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(metavar="N", help="Reduce vectors to N dimensions, by a PCA of those that are stored."),
    ] = None,
    dtype: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="TYPE", help="Keep numbers as float32, float16 or int8."),
    ] = None,
    rate: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="N/s", help="Most chunks a second, as 200/s. Default: as fast as the model makes them."),
    ] = None,
    max_spend: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(metavar="USD", help="Most that it may spend, in all its runs together."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="A check that passes with a warning does not hold.")] = False,
    probe: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="DIR", help="Only measure, on this judged data: stay, cascade or re-index, and its cost."),
    ] = None,
    status: Annotated[bool, typer.Option("--status", help="How far it is, and what to do next.")] = False,
    pause: Annotated[bool, typer.Option("--pause", help="Have its process stop soon; its work is kept.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with it, also after its process died.")] = False,
    abort: Annotated[bool, typer.Option("--abort", help="Give it up; what it built is removed.")] = False,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Move a set to another model while it stays searchable.

    A second generation of the set is built from the stored texts, brought up to date with what is written meanwhile,
    and verified. Then it is ready, and `embassay switch` makes it the live one. The same command, or --resume, goes on
    with one that was stopped or killed: nothing is embedded twice. It is paused (exit code 5) where a cap, a quota, a
    provider or the disk stops it, and has failed (exit code 4) where a check does not hold.

    \b
    embassay migrate docs --to all-mpnet-base-v2
    embassay migrate docs --to openai/text-embedding-3-small --max-spend 5 --rate 200/s
    embassay migrate docs --pca 128 --dtype float16
    embassay migrate docs --to all-mpnet-base-v2 --probe judged/
    embassay migrate docs --status
    embassay migrate docs --pause
    embassay migrate docs --resume --max-spend 10
    embassay migrate docs --abort
    """
    moves = bool(to or precision or truncate_dim or pca or dtype)
    chosen = _doing(moves, status=status, pause=pause, resume=resume, abort=abort)
    if probe is not None:
        _probe(name, to, probe, precision, truncate_dim, home, chosen=chosen, derived=bool(pca or dtype), json=json)
        return
    per_second = None if rate is None else rate_of(rate)
    if chosen == "abort":
        with common.opened_home(home) as opened:
            opened.set(name).abort_migration()
        _say_aborted(name, json)
        return
    if chosen in ("status", "pause"):
        with common.opened_home(home) as opened:
            of_set = opened.set(name)
            _show(of_set.migration() if chosen == "status" else of_set.pause_migration(), json)
        return
    with runs.run_in(home) as opened:
        of_set = opened.set(name)
        if chosen == "resume":
            found = of_set.resume_migration(max_spend=max_spend, rate=per_second)
        else:
            found = of_set.migrate(
                to,
                precision=precision,
                truncate_dim=truncate_dim,
                pca=pca,
                dtype=dtype,
                max_spend=max_spend,
                rate=per_second or 0.0,
                strict=strict,
            )
    _show(found, json)
    if found.state == "failed":
        raise typer.Exit(ExitCode.GATE_FAILED)


def _probe(
    name: str,
    to: str | None,
    judged: Path,
    precision: str | None,
    dimensions: int | None,
    home: Path | None,
    *,
    chosen: str,
    derived: bool,
    json: bool,
) -> None:
    """Measure instead of moving. Raises UsageError where it is not said to which model, or more is asked for."""
    from embassay.cli import probes
    from embassay.models.reference import cut_to

    if to is None or chosen != "to" or derived:
        raise UsageError(
            "--probe measures a move to another model, with --to and without --pca and --dtype.",
            remedy=remedy.command("migrate", name, to="MODEL", probe="DIR"),
        )
    probes.run(name, cut_to(to, dimensions), judged, precision, home, json=json)


def rate_of(said: str) -> float:
    """Chunks a second, from ``200/s``, ``200`` or ``6000/min``. Raises UsageError."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(?:/\s*(s|sec|second|m|min|minute|h|hour))?\s*", said)
    value = float(match[1]) / {"s": 1, "m": 60, "h": 3600}[(match[2] or "s")[0]] if match else 0.0
    if not value:
        raise UsageError(f"rate {said!r} is none.", remedy="Write so many chunks a second: 200/s.")
    return value


def _doing(moves: bool, **asked: bool) -> str:
    """What is asked for: one of them, or to migrate. Raises UsageError where that is not clear."""
    chosen = [name for name in DOINGS if asked[name]] + (["to"] if moves else [])
    if len(chosen) == 1:
        return chosen[0]
    options = ", ".join(f"--{name}" for name in chosen)
    raise UsageError(
        f"{options} cannot be asked for together." if chosen else "it is not said what to do.",
        remedy="Give one of --to MODEL, --status, --pause, --resume and --abort.",
    )


def _say_aborted(name: str, json: bool) -> None:
    if json:
        common.print_json({"set": name, "state": "aborted"})
    else:
        common.console().print(f"The migration of {name} was given up. What it had built is removed.")


def _show(found: MigrationStatus, json: bool) -> None:
    if json:
        common.print_json(found.to_dict())
        return
    from embassay.sets.migration.verification import VerificationReport

    out = common.console()
    out.print(line((found.set, "bold"), f" -> {found.space}"))
    out.print(facts(_rows(found)))
    if checks := VerificationReport.from_dict(found.report).text():
        out.print(checks)
    out.print(found.next.in_shell())


def _rows(found: MigrationStatus) -> list[tuple[str, str]]:
    told = found.state + (f": {found.reason}" if found.reason else "")
    rows = [("state", told), ("worker", _worker(found))]
    rows.append(("progress", f"{found.chunks:,} of {words.count(found.total, 'chunk')}, {words.share(found.share)}"))
    if found.embedded:
        rows.append(("embedded", f"{words.count(found.embedded, 'text')} in {words.duration(found.seconds)}"))
    if found.rate:
        left = "" if found.eta_seconds is None else f", {words.duration(found.eta_seconds)} left"
        rows.append(("rate", f"{found.rate:,.0f}/s{left}"))
    cap = "" if found.options.max_spend is None else f" of at most {words.dollars(found.options.max_spend)}"
    rows.append(("spent", f"{words.dollars(found.usd)}{cap}"))
    return rows


def _worker(found: MigrationStatus) -> str:
    if found.at_work:
        return f"at work, process {found.process}"
    return f"none; the last one was process {found.process}" if found.process else "none yet"
