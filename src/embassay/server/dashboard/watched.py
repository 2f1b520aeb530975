"""What the pages of monitoring share: which set they are about, and how it is looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec

from embassay import plugins
from embassay.errors import PluginError
from embassay.monitor.base import SIGNALS
from embassay.monitor.monitor import Monitor
from embassay.server.dashboard.page import PageQuery, Values
from embassay.server.own import meant_set, on_set, visible_sets

if TYPE_CHECKING:
    from embassay.embedding_set import EmbeddingSet
    from embassay.remedy import Remedy
    from embassay.server.call import Call


class WatchedQuery(PageQuery, kw_only=True):
    """The address of a page about one set."""

    set: str = ""
    """Its name; without one that which is meant."""


DAYS = (1, 7, 30, 90)
"""That are offered."""
Days = Annotated[int, msgspec.Meta(ge=1, le=366)]


class DaysQuery(WatchedQuery, kw_only=True):
    """The address of a page about the last days of one set."""

    days: Days = 7


async def watched(call: Call, name: str, look: Callable[[Monitor], Values]) -> Values:
    """What `look` finds of a set that the key may see, which runs in a thread; and what the choice of a set needs.

    Of a home without any set that the key sees, ``chosen`` is empty, and nothing is looked at. Raises SetNotFound.
    """
    home = call.service.home
    sets = await call.service.in_worker(visible_sets, home, call.principal)
    if not sets:
        return {"sets": [], "chosen": ""}
    chosen = name or await call.service.in_worker(_meant, call, sets)

    def work(_: EmbeddingSet) -> Values:
        return look(Monitor(home, chosen))

    return {"sets": sets, "chosen": chosen, **await on_set(call, chosen, "read", work)}


def reads_questions(call: Call) -> bool:
    """Whether the words of what others asked may be shown: to who may administer, as the log itself."""
    return call.principal.may("admin")


def title_of(signal: str) -> str:
    """What people call a signal; its name where it is installed no more."""
    try:
        found: str = plugins.load(SIGNALS, signal).TITLE
    except PluginError:
        return signal
    return found


def steps_of(mend: Remedy) -> Sequence[tuple[str, str]]:
    """What to do next, step by step: words, and the command that they are about; or words alone."""
    steps, words = [], ""
    for part in mend.parts:
        if isinstance(part, str):
            words += part
        else:
            steps.append((_clean(words), part.in_shell()))
            words = ""
    return [*steps, (_clean(words), "")] if _clean(words) else steps


def _clean(words: str) -> str:
    return words.strip(" .:")


def _meant(call: Call, sets: list[str]) -> str:
    return sets[0] if call.service.home.default_set not in sets else meant_set(call.service.home, call.principal)
