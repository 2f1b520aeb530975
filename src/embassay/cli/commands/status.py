from __future__ import annotations

from typing import TYPE_CHECKING

from embassay.cli import common, words
from embassay.cli.tables import line, table, text
from embassay.errors import SetNotFound

if TYPE_CHECKING:
    from embassay.sets.status import SetStatus

COUNTS = ("docs", "chunks", "cut", "failed")


def command(
    set_name: common.OneSetOption = "",
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Show what each set holds, and what could not be read.

    \b
    embassay status
    embassay status --set docs --json
    """
    with common.opened_home(home) as opened:
        sets = [status for status in opened.status() if set_name in ("", status.set)]
        if set_name and not sets:
            raise SetNotFound(
                f"no set {set_name!r} in {opened.folder}.", remedy=f"There are: {', '.join(opened.sets())}."
            )
        folder = str(opened.folder)
    if json:
        common.print_json({"home": folder, "sets": [status.to_dict() for status in sets]})
        return
    out = common.console()
    out.print(text(folder, "dim"))
    out.print(table(("set", "space", *COUNTS, "size"), [_row(status) for status in sets], left=("space",)))
    for status in sets:
        for one in status.proven:
            out.print(f"{status.set}: {one.model} proven equal on {one.made[:10]} (least cosine {one.cosine:.4f})")
        for path, reason in status.quarantine:
            out.print(line(("Quarantined", "yellow"), f" in {status.set}: {path}: {reason}"))
    if any(status.quarantine for status in sets):
        out.print("Mend the files, then: embassay index FOLDER --retry-failed")


def _row(status: SetStatus) -> list[str]:
    counts = (status.documents, status.chunks, status.truncated_chunks, status.quarantined)
    return [status.set, status.space, *(f"{n:,}" for n in counts), words.size(status.bytes)]
