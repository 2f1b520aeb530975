from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from embassay import remedy
from embassay.cli import common, migrations, progress, runs
from embassay.cli.exits import ExitCode
from embassay.errors import UsageError
from embassay.sets.migration.jobfile import MigrationFile

NEEDS_ARGUMENTS = True
DOINGS = ("status", "pause", "resume", "abort")


def command(
    name: Annotated[
        Optional[str],  # noqa: UP045 - typer reads the annotation at run time
        typer.Argument(help="The set.", metavar="[SET]"),
    ] = None,
    to: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--to", metavar="MODEL", help="The model that the set is moved to."),
    ] = None,
    precision: common.PrecisionOption = None,
    truncate_dim: common.TruncateOption = None,
    pca: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(metavar="N", help="Reduce vectors to N dimensions, by a PCA of those that are stored."),
    ] = None,
    dtype: common.DtypeOption = None,
    rate: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="N/s", help="Most chunks a second, as 200/s. Default: as fast as the model makes them."),
    ] = None,
    max_spend: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(metavar="USD", help="Most that it may spend, in all its runs together."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="A check that passes with a warning does not hold.")] = False,
    gate: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="FOLDER", help="A judged set that decides whether it may be switched to."),
    ] = None,
    file: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--file", "-f", metavar="FILE", help="A migration as YAML: set, to, gate, switch and the like."),
    ] = None,
    background: Annotated[
        bool, typer.Option("--background", help="Have a process of its own do it, which gives way to others.")
    ] = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Say what it would take; nothing is spent, nothing made.")
    ] = False,
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
    embassay migrate docs --to all-mpnet-base-v2 --plan
    embassay migrate docs --to all-mpnet-base-v2
    embassay migrate docs --to openai/text-embedding-3-small --max-spend 5 --rate 200/s
    embassay migrate docs --pca 128 --dtype float16
    embassay migrate docs --to all-mpnet-base-v2 --gate judged --background
    embassay migrate docs --to all-mpnet-base-v2 --probe judged/
    embassay migrate docs --status
    embassay migrate docs --pause
    embassay migrate docs --resume --max-spend 10
    embassay migrate docs --abort
    embassay migrate -f migration.yaml
    """
    moves = bool(to or precision or truncate_dim or pca or dtype)
    chosen = _doing(moves, file, status=status, pause=pause, resume=resume, abort=abort)
    said = (
        migrations.asked_by(file)
        if file
        else MigrationFile(
            name or "", to, precision, truncate_dim, pca, dtype, rate, max_spend, str(gate) if gate else None, strict
        )
    )
    if name is None and not file:
        raise UsageError("it is not said which set is meant.", remedy="Name it, or give a file with -f.")
    if name and file:
        raise UsageError("the file says which set is meant.", remedy="Leave the name out.")
    if probe is not None:
        _probe(said, probe, home, chosen=chosen, json=json)
    elif plan:
        with common.opened_home(home) as opened, progress.working("Counting and measuring"):
            migrations.show_plan(migrations.planned(opened, said), json)
    elif chosen == "abort":
        with common.opened_home(home) as opened:
            gone = opened.set(said.set).abort_migration()
        migrations.show_aborted(said.set, json, gone=gone)
    elif chosen in ("status", "pause"):
        with common.opened_home(home) as opened:
            of_set = opened.set(said.set)
            migrations.show_status(of_set.migration() if chosen == "status" else of_set.pause_migration(), json)
    else:
        with runs.run_in(home) as opened:
            work = migrations.resumed if chosen == "resume" else migrations.moved
            found = work(opened, said, background=background)
        if found is None:
            migrations.show_there(said.set, json)
            return
        migrations.show_status(found, json)
        if found.state == "failed":
            raise typer.Exit(ExitCode.GATE_FAILED)


def _probe(said: MigrationFile, judged: Path, home: Path | None, *, chosen: str, json: bool) -> None:
    """Measure instead of moving. Raises UsageError where it is not said to which model, or more is asked for."""
    from embassay.cli import probes
    from embassay.models.reference import cut_to

    if said.to is None or chosen != "to" or said.pca or said.dtype:
        raise UsageError(
            "--probe measures a move to another model, with --to and without --pca and --dtype.",
            remedy=remedy.command("migrate", said.set, to="MODEL", probe="DIR"),
        )
    probes.run(said.set, cut_to(said.to, said.truncate_dim), judged, said.precision, home, json=json)


def _doing(moves: bool, file: Path | None, **asked: bool) -> str:
    """What is asked for: one of them, or to migrate. Raises UsageError where that is not clear."""
    chosen = [name for name in DOINGS if asked[name]] + (["to"] if moves else []) + (["file"] if file else [])
    if len(chosen) == 1:
        return chosen[0]
    options = ", ".join(f"--{name}" for name in chosen)
    raise UsageError(
        f"{options} cannot be asked for together." if chosen else "it is not said what to do.",
        remedy="Give one of --to MODEL, -f FILE, --status, --pause, --resume and --abort.",
    )
