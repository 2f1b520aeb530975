from __future__ import annotations

from typing import Annotated

import typer

from embassay.cli import common, words
from embassay.errors import UsageError

NEEDS_ARGUMENTS = True


def command(
    max_gb: Annotated[float, typer.Option("--max-gb", metavar="GB", help="Keep at most so much.")],
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Forget the vectors that were not used for longest.

    \b
    embassay cache prune --max-gb 2
    """
    if max_gb < 0:
        raise UsageError(f"max-gb is {max_gb}; it cannot be negative.")
    with common.opened_session(home) as session:
        gone = session.models.cache.prune(int(max_gb * 1e9))
        stats = session.models.cache.stats()
    if json:
        common.print_json({"removed": gone, **stats.to_dict()})
    else:
        common.console().print(f"{words.count(gone, 'vector')} removed; {words.size(stats.bytes)} kept.")
