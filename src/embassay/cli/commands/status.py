from __future__ import annotations

from typing import TYPE_CHECKING

from embassay.cli import common, losses, runs, trials, words
from embassay.cli.tables import table, text
from embassay.errors import SetNotFound

if TYPE_CHECKING:
    from embassay.sets.status import SetStatus

LISTED = 20
"""Files, or reasons, that are shown of each kind; --json has them all."""
COUNTS = ("docs", "chunks", "cut", "failed")


def command(
    set_name: common.OneSetOption = "",
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Show what each set holds, what of its files was not read, and what was spent on hosted models.

    \b
    embassay status
    embassay status --set docs --json
    """
    from embassay.cli.spending import line_of
    from embassay.models.spending import spending

    with common.opened_home(home) as opened:
        sets = [status for status in opened.status() if set_name in ("", status.set)]
        if set_name and not sets:
            raise SetNotFound(
                f"no set {set_name!r} in {opened.folder}.", remedy=f"There are: {', '.join(opened.sets())}."
            )
        folder, spent = str(opened.folder), spending(opened.session.models)
    if json:
        data = {"home": folder, "sets": [status.to_dict() for status in sets], "spending": spent.to_dict()}
        common.print_json(data)
        return
    out = common.console()
    out.print(text(folder, "dim"))
    out.print(
        table(("set", "space", "lang", *COUNTS, "size"), [_row(status) for status in sets], left=("space", "lang"))
    )
    for status in sets:
        for one in status.proven:
            out.print(f"{status.set}: {one.model} proven equal on {one.made[:10]} (least cosine {one.cosine:.4f})")
        if status.trial:
            out.print(trials.line_of(status.trial))
        out.print(text(f"{status.set}: {losses.coverage(status.coverage)}", "dim"))
        if status.waiting:
            out.print(runs.waiting(status.own, status.waiting))
        losses.print_files(out, f"Quarantined in {status.set}", status.quarantine)
        losses.print_files(out, f"Read in part in {status.set}", status.coverage.read_in_part, LISTED)
        losses.print_skipped(out, f"Skipped in {status.set}", status.coverage.skipped, LISTED)
    if spent.cap_usd is not None or spent.entries:
        out.print(text(line_of(spent), "dim"))
    if any(status.quarantine for status in sets):
        out.print("Mend the files, then: embassay index FOLDER --retry-failed")


def _row(status: SetStatus) -> list[str]:
    counts = (status.documents, status.chunks, status.truncated_chunks, status.quarantined)
    return [status.set, status.space, status.language, *(f"{n:,}" for n in counts), words.size(status.bytes)]
