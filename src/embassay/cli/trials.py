"""What `embassay switch --trial` and `embassay trial` say of a trial."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from embassay.cli import common, words
from embassay.cli.tables import facts, line, text
from embassay.errors import UsageError
from embassay.text import moment

if TYPE_CHECKING:
    from rich.text import Text

    from embassay.home import Home
    from embassay.sets.trials.status import TrialStatus
    from embassay.sets.trials.terms import TrialTerms

SAYS = {"keep": "keep", "revert": "revert", "open": "undecided", "nothing": "says nothing"}


def terms(
    home: Home, trial: str | None, keep_above: str | None, revert_below: str | None, judged: Path | None
) -> TrialTerms | None:
    """The terms that options ask for; None without a trial. A judged set is read, so that one that is none is refused
    before anything is switched. Raises UsageError, JudgedSetError."""
    from embassay.sets.trials.terms import TrialTerms

    if trial is None:
        if keep_above is not None or revert_below is not None or judged is not None:
            raise UsageError(
                "--keep-above, --revert-below and --judged are those of a trial.",
                remedy="Add --trial 7d, for instance.",
            )
        return None
    return TrialTerms(
        days=words.seconds_of(trial, "trial") / words.SECONDS["d"],
        keep_above=words.share_of(keep_above or "0%", "keep-above"),
        revert_below=words.share_of(revert_below or "0%", "revert-below"),
        judged="" if judged is None else words.stored_path(judged, home.folder.parent),
        digest="" if judged is None else _digest(judged),
    )


def show(found: TrialStatus, *, json: bool) -> None:
    """How a trial stands, what is observed, and what to do next."""
    if json:
        common.print_json(found.to_dict())
        return
    out = common.console()
    out.print(line((found.set, "bold"), f": {found.space} on trial against {found.baseline_space or 'what is gone'}"))
    out.print(facts(_rows(found)))
    out.print(found.next.in_shell())


def line_of(found: TrialStatus) -> Text:
    """One line on an open trial, for pages about other things."""
    shown = f"{found.set}: trial {stands(found)}; {found.next.in_shell()}"
    return text(shown, "" if found.state == "running" else "yellow")


def stands(found: TrialStatus) -> str:
    """In which state it is, and until or since when."""
    if found.state == "running":
        left = words.duration(max(0.0, found.ends - time.time()))
        return f"running, not due until {moment(found.ends)} ({left})"
    if found.is_open:
        return f"{found.state}, its time was over {moment(found.ends)}"
    return found.state


def _rows(found: TrialStatus) -> list[tuple[str, str]]:
    rows = [("state", stands(found))]
    if found.reason and not found.findings:
        rows.append(("reason", found.reason))
    rows += [(one.name, f"{SAYS[one.says]}: {one.detail}") for one in found.findings]
    above, below = (_percent(share) for share in (found.terms.keep_above, -found.terms.revert_below))
    rows.append(("terms", f"kept from {above} on, reverted from {below} down, with 95 % confidence"))
    if found.notice:
        rows.append(("notice", found.notice))
    return rows


def _percent(share: float) -> str:
    return f"{100 * share:+.4g} %" if share else "0 %"


def _digest(judged: Path) -> str:
    from embassay.evaluate.data.judged import read_judged

    return read_judged(judged, None).digest
