"""What `embassay migrate` does with what it is asked for, in options or in a file, and how a migration is shown."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from embassay import remedy
from embassay.cli import common, trials, words
from embassay.cli.tables import facts, line
from embassay.errors import JudgedSetError, UsageError
from embassay.sets.migration.jobfile import MigrationFile, read_migration_file
from embassay.text import moment

if TYPE_CHECKING:
    from embassay.evaluate.migration.gate import JudgedGate
    from embassay.home import Home
    from embassay.sets.migration.planning import MigrationPlan
    from embassay.sets.migration.status import MigrationStatus


def asked_by(file: Path) -> MigrationFile:
    """What a file asks for; its gate is found from its own folder. Raises ConfigError."""
    said = read_migration_file(file)
    return msgspec.structs.replace(said, gate=os.path.join(file.parent, said.gate)) if said.gate else said


def planned(home: Home, said: MigrationFile) -> MigrationPlan:
    """What it would take."""
    asked = {"precision": said.precision, "truncate_dim": said.truncate_dim, "pca": said.pca, "dtype": said.dtype}
    return home.set(said.set).plan_migration(said.to, **asked)  # type: ignore[arg-type]


def moved(home: Home, said: MigrationFile, *, background: bool) -> MigrationStatus | None:
    """Have a set moved as far as is asked for, and no step done twice; None where it was there before."""
    keep, of_set = words.seconds_of(said.keep, "keep") / words.SECONDS["d"], home.set(said.set)
    rate, gate = rate_of(said.rate), _gate(said.gate)
    if of_set.is_at(said.target):
        return None
    found = of_set.migration_to(said.target)
    if found is None or found.state != "ready":
        found = of_set.migrate(
            said.to,
            precision=said.precision,
            truncate_dim=said.truncate_dim,
            pca=said.pca,
            dtype=said.dtype,
            gate=gate,
            max_spend=said.max_spend,
            rate=rate or 0.0,
            strict=said.strict,
            gate_from=words.stored_path(said.gate, home.folder.parent) if said.gate else "",
            background=background,
        )
    if said.switch and found.state == "ready":
        of_set.switch(keep_days=keep)
        found = of_set.migration()
    return found


def resumed(home: Home, said: MigrationFile, *, background: bool) -> MigrationStatus:
    """Go on with the migration of a set, by the gate that it was begun with unless another one is given."""
    of_set = home.set(said.set)
    kept = of_set.migration().options.gate
    gate = said.gate or (os.path.join(home.folder.parent, kept) if kept else None)
    try:
        judge = _gate(gate)
    except JudgedSetError as error:
        if said.gate:
            raise
        name = remedy.command("migrate", said.set, resume=True, gate="FOLDER", say="Name the one that decides with")
        raise JudgedSetError(f"the judged set of the migration: {error.message}", remedy=name) from error
    return of_set.resume_migration(
        gate=judge,
        max_spend=said.max_spend,
        rate=rate_of(said.rate),
        gate_from=words.stored_path(said.gate, home.folder.parent) if said.gate else None,
        background=background,
    )


def rate_of(said: str | None) -> float | None:
    """Chunks a second, from ``200/s``, ``200`` or ``6000/min``. Raises UsageError."""
    if said is None:
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(?:/\s*(s|sec|second|m|min|minute|h|hour))?\s*", said)
    value = float(match[1]) / {"s": 1, "m": 60, "h": 3600}[(match[2] or "s")[0]] if match else 0.0
    if not value:
        raise UsageError(f"rate {said!r} is none.", remedy="Write so many chunks a second: 200/s.")
    return value


def _gate(folder: str | None) -> JudgedGate | None:
    if folder is None:
        return None
    from embassay.evaluate.migration.gate import JudgedGate

    return JudgedGate(folder)


def show_there(name: str, json: bool) -> None:
    """That a set is where it is to be moved."""
    if json:
        common.print_json({"set": name, "state": "there"})
    else:
        common.console().print(f"{name} is there already: nothing to do.")


def show_aborted(name: str, json: bool, *, gone: bool) -> None:
    """That a migration was given up, and whether what it had built is gone."""
    if json:
        common.print_json({"set": name, "state": "aborted", "removed": gone})
        return
    built = "is removed." if gone else "is in use still; remove it later with: embassay gc --apply"
    common.console().print(f"The migration of {name} was given up. What it had built {built}")


def show_plan(plan: MigrationPlan, json: bool) -> None:
    """What a migration would take."""
    if json:
        common.print_json(plan.to_dict())
        return
    out = common.console()
    out.print(line((plan.set, "bold"), f" -> {plan.space or plan.model}, planned; nothing was begun"))
    out.print(facts(_planned(plan)))


def _planned(planned: MigrationPlan) -> list[tuple[str, str]]:
    chunks = words.count(planned.chunks, "chunk")
    rows = [("texts", f"{words.count(planned.documents, 'document')}, {chunks}")]
    if planned.derived:
        rows.append(("vectors", "made of those that are stored; no text is embedded for them"))
    else:
        about = f", within about {planned.token_error:.0%}" if planned.token_error else ""
        rows.append(("tokens", f"{planned.tokens:,}{about}"))
    if planned.truncated:
        rows.append(("cut", f"{words.count(planned.truncated, 'chunk')} above its limit: only the head is read"))
    rows.append(("verification", f"{planned.verification_texts:,} texts more at most"))
    rows.append(("money", words.dollars(planned.usd)))
    cpu = "" if planned.cpu_seconds is None else f", {words.duration(planned.cpu_seconds)} of CPU"
    rows.append(("time", f"{words.duration(planned.seconds)}{cpu}; {planned.speed}"))
    rows.append(("disk", "unknown" if planned.bytes is None else f"{words.size(planned.bytes)} beside what is there"))
    rows.append(("kept", _kept(planned)))
    return rows


def _kept(planned: MigrationPlan) -> str:
    per = "1,000 chunks that are written after the switch"
    if planned.kept.seconds is None:
        return f"the old model cannot be opened now: of {per} nothing is embedded for the old generation"
    money = "" if planned.kept.usd == 0 else f" and {words.dollars(planned.kept.usd)}"
    return f"{words.duration(planned.kept.seconds)}{money} more for {per}, as long as the old generation is kept"


def show_status(found: MigrationStatus, json: bool) -> None:
    """How a migration stands, and what to do next."""
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
    rows = [("state", told)]
    if found.retry_at is not None:
        rows.append(("again", f"from {moment(found.retry_at + 59)} on"))
    rows.append(("worker", _worker(found)))
    rows.append(("progress", f"{found.chunks:,} of {words.count(found.total, 'chunk')}, {words.share(found.share)}"))
    if found.embedded:
        rows.append(("embedded", f"{words.count(found.embedded, 'text')} in {words.duration(found.seconds)}"))
    if found.rate:
        left = "" if found.eta_seconds is None else f", {words.duration(found.eta_seconds)} left"
        rows.append(("rate", f"{found.rate:,.0f}/s{left}"))
    cap = "" if found.options.max_spend is None else f" of at most {words.dollars(found.options.max_spend)}"
    rows.append(("spent", f"{words.dollars(found.usd)}{cap}"))
    if found.trial:
        rows.append(("trial", trials.stands(found.trial)))
    return rows


def _worker(found: MigrationStatus) -> str:
    if found.at_work:
        return f"at work, process {found.process}"
    return f"none; the last one was process {found.process}" if found.process else "none yet"
