from __future__ import annotations

from embassay.cli import common
from embassay.errors import SetNotFound


def command(
    set_name: common.SetOption = "",
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Show what each set holds, and what could not be read.

    \b
    embassay status
    embassay status --set docs --json
    """
    with common.existing_home(home) as opened:
        sets = [status for status in opened.status() if set_name in ("", status.set)]
        if set_name and not sets:
            raise SetNotFound(
                f"no set {set_name!r} in {opened.folder}.", remedy=f"There are: {', '.join(opened.sets())}."
            )
        folder = str(opened.folder)
    if json:
        common.print_json({"home": folder, "sets": [status.to_dict() for status in sets]})
        return
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    out = common.console()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("set", "space"):
        table.add_column(name, no_wrap=True)
    for name in ("documents", "chunks", "truncated", "quarantined", "size"):
        table.add_column(name, justify="right", no_wrap=True)
    for s in sets:
        counts = (s.documents, s.chunks, s.truncated_chunks, s.quarantined)
        table.add_row(escape(s.set), escape(s.space), *(f"{n:,}" for n in counts), common.size(s.bytes))
    out.print(f"[dim]{escape(folder)}[/dim]")
    out.print(table)
    for s in sets:
        for path, reason in s.quarantine:
            out.print(f"[yellow]Quarantined[/yellow] in {escape(s.set)}: {escape(path)}: {escape(reason)}")
    if any(s.quarantine for s in sets):
        out.print("Mend the files, then: embassay index FOLDER --retry-failed")
