from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Optional

import typer

from embassay import remedy
from embassay.cli import common, words
from embassay.errors import UsageError

if TYPE_CHECKING:
    from embassay.sets.records.deleting import Deletion

NEEDS_ARGUMENTS = True
NAMED = 5
"""Ids that are named of those that are not there."""


def command(
    set_name: Annotated[str, typer.Argument(help="The set.", metavar="SET")],
    ids: Annotated[
        list[str] | None, typer.Option("--id", metavar="ID", help="Documents of this id; repeat it for more.")
    ] = None,
    where: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="FILTER", help='Documents of which a chunk matches, such as: lang = "de"'),
    ] = None,
    path: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="GLOB", help="Documents whose path matches: 'old/**', or a folder."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and delete nothing.")] = False,
    yes: common.YesOption = False,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Delete documents from a set: records for good, and files from the set alone, not from the disk.

    A file that was deleted stays out of the set when its folder is indexed again, until it is indexed by its name.

    \b
    embassay delete docs --id 17 --id 18 --yes
    embassay delete docs --where 'lang = "de" and year < 2020' --dry-run
    embassay delete docs --path 'old/**'
    """
    if sum(given is not None for given in (ids or None, where, path)) != 1:
        raise UsageError("say which documents to delete, by exactly one of --id, --where and --path.")
    chosen = {"ids": ids or None, "where": where, "path": path}
    with common.opened_home(home) as opened:
        documents = opened.set(set_name)
        meant = documents.deletion(**chosen)  # type: ignore[arg-type]
        if meant.documents and not dry_run:
            if not yes:
                common.confirm(f"Delete {_counted(meant)} from {set_name}?", remedy.option("yes", say="Pass {}."))
            documents.delete(**chosen)  # type: ignore[arg-type]
        notices = [] if meant.documents or ids else documents.why_nothing(where, glob=path)
    common.tell(notices)
    if json:
        common.print_json({"set": set_name, "dry_run": dry_run, **meant.to_dict(), "notices": [*notices]})
        return
    out = common.console()
    out.print(f"{'Would delete' if dry_run else 'Deleted'} {_counted(meant)} from {set_name}.")
    if meant.unknown:
        more = f", and {len(meant.unknown) - NAMED:,} more" if len(meant.unknown) > NAMED else ""
        out.print(f"Not there: {', '.join(meant.unknown[:NAMED])}{more}.")
    if meant.files:
        stay = "stay on the disk, and out of the set until they are indexed by name"
        out.print(f"{words.count(meant.files, 'file')} of them {stay}.")


def _counted(meant: Deletion) -> str:
    return f"{words.count(meant.documents, 'document')}, {words.count(meant.chunks, 'chunk')},"
