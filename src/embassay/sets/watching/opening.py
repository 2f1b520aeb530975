"""What is to be watched: the paths that somebody gave, or those that the set remembers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from embassay.arguments import check
from embassay.errors import UsageError
from embassay.ingest.defaults import MAX_FILE_MB
from embassay.ingest.limits import DEFAULT_LIMITS
from embassay.sets.indexing import Reading, check_there
from embassay.sets.opened import OpenSets
from embassay.sets.options import WatchOptions
from embassay.sets.paths import remembered
from embassay.sets.spec import Wishes
from embassay.sets.watching.watcher import Watcher


def watcher_of(
    sets: OpenSets, name: str, paths: Sequence[str | os.PathLike[str]] | None, options: WatchOptions
) -> Watcher:
    """What keeps set `name` up to date with `paths`; None for all that it was indexed from.

    Raises UsageError for a path that is not there, and for none; HomeNotFound, SetNotFound.
    """
    poll = options.get("poll")
    if poll is not None and not 0 < poll < 1e6:
        raise UsageError(f"poll is {poll}; it must be a number of seconds between 0 and 1,000,000.")
    wishes = Wishes(
        options.get("model"), options.get("precision"), options.get("chunk_tokens"), options.get("language")
    )
    most = options.get("max_file_mb")
    reading = Reading(
        max_file_mb=MAX_FILE_MB if most is None else most,
        limits=options.get("read_limits") or DEFAULT_LIMITS,
        exclude=options.get("exclude", ()),
        by_rules=True,
    )
    names = _names(sets, name, paths)
    return Watcher(sets, name, names, wishes, reading, named=paths is not None, poll=poll)


def _names(sets: OpenSets, name: str, paths: Sequence[str | os.PathLike[str]] | None) -> Sequence[str]:
    if paths is None:
        remembered(sets, name)
        return sets.state.roster.paths(name)
    check("paths", paths)
    files = [*map(Path, paths)]
    check_there(files)
    if not files:
        raise UsageError("there is nothing to watch.", remedy="Name a file or a folder.")
    return list(dict.fromkeys(map(sets.folder.name_of, files)))
