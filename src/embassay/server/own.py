"""What the routes below ``/api/v1`` share: the shape of their errors, and how they come by the sets that a key sees."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Concatenate, ParamSpec, TypeVar
from weakref import WeakValueDictionary

import msgspec

from embassay.errors import HomeNotFound, SetNotFound
from embassay.remedy import Remedy
from embassay.server.refusals import NotAllowed
from embassay.text import nearest_names, one_of

if TYPE_CHECKING:
    from embassay.embedding_set import EmbeddingSet
    from embassay.home import Home
    from embassay.server.call import Call
    from embassay.server.keys.principal import Principal, Right
    from embassay.server.problems import Problem

P = ParamSpec("P")
T = TypeVar("T")

SHOWN = 100
"""Characters of a name that nobody knows, in the message that says so."""
PAGE, MOST_A_PAGE = 100, 1_000
Limit = Annotated[int, msgspec.Meta(ge=1, le=MOST_A_PAGE)]
"""How much a page has."""


class ErrorObject(msgspec.Struct):
    code: str
    """Stable: a program may rely on it."""
    message: str
    remedy: str
    """What helps, where that is known."""
    place: str
    """Of the value that is wrong, as `documents[3].text`; empty where it is none."""


class ErrorReply(msgspec.Struct):
    error: ErrorObject


def failure(problem: Problem) -> tuple[int, object]:
    """The code, the words and the remedy."""
    return problem.status, ErrorReply(ErrorObject(problem.code, problem.message, problem.remedy, problem.place))


def visible_sets(home: Home, principal: Principal) -> list[str]:
    """The names of the sets that a key sees. Raises HomeError."""
    try:
        names = home.sets()
    except HomeNotFound:
        return []
    return principal.visible(names)


def meant_set(home: Home, principal: Principal) -> str:
    """The set that is meant where none is named: that of the home, else the only one that the key sees.

    Raises SetNotFound where there is no such one.
    """
    visible = visible_sets(home, principal)
    if len(visible) == 1:
        return visible[0]
    if visible and (name := home.default_set) in visible:
        return name
    raise SetNotFound("no set is named, and there is none that is meant then.", remedy=_listed(visible))


async def on_set(
    call: Call,
    name: str,
    right: Right,
    work: Callable[Concatenate[EmbeddingSet, P], T],
    *arguments: P.args,
    **named: P.kwargs,
) -> T:
    """What `work` makes of the set `name`, in a thread, where the key has this right on it.

    Raises NotAllowed, and SetNotFound, which names no set that the key does not see; and what `work` raises.
    """
    call.principal.check(right, set=name)
    call.set = name
    waits_for = call.waits_for or call.service.models.host_of(name)
    return await call.service.in_worker_for(
        waits_for, _done, call, name, lambda of_set: work(of_set, *arguments, **named)
    )


TURNS: WeakValueDictionary[tuple[int, str], asyncio.Lock] = WeakValueDictionary()
"""One for each set that is being written, by the home and the name: gone when nobody has it any more."""


async def on_writing(
    call: Call, name: str, work: Callable[Concatenate[EmbeddingSet, P], T], *arguments: P.args, **named: P.kwargs
) -> T:
    """The same for what writes the set: one after the other, so that those who wait for their turn take no thread.

    What has begun goes on to its end where the client goes or its deadline passes, and keeps its turn until then.
    """
    call.principal.check("write", set=name)
    turn = TURNS.setdefault((id(call.service), name), asyncio.Lock())
    await turn.acquire()
    task = asyncio.ensure_future(on_set(call, name, "write", work, *arguments, **named))
    task.add_done_callback(lambda done: _ended(done, turn))
    return await asyncio.shield(task)


def allow(principal: Principal, right: Right, name: str) -> None:
    """Raises NotAllowed where a key may not make or name a set: it would not see it."""
    if not principal.may(right, set=name):
        raise NotAllowed(f"this key does not allow to {right} a set {name[:SHOWN]!r}.")


def unknown(name: str, visible: Sequence[str]) -> SetNotFound:
    """The error for a set that is not there, or that the key does not see."""
    name = name[:SHOWN]
    near = nearest_names(name, visible)
    return SetNotFound(f"there is no set {name!r}.", remedy=one_of(near) if near else _listed(visible))


def _done(call: Call, name: str, work: Callable[[EmbeddingSet], T]) -> T:
    home = call.service.home
    call.service.models.look()
    try:
        if not home.holds(name):
            raise unknown(name, visible_sets(home, call.principal))
        return work(home.set(name))
    except (SetNotFound, HomeNotFound):  # whose words name the folder of the home, and every set in it
        raise unknown(call.set, visible_sets(home, call.principal)) from None


def _ended(task: asyncio.Future[T], turn: asyncio.Lock) -> None:
    turn.release()
    if not task.cancelled():
        task.exception()  # has been looked at: whoever waited may be gone


def _listed(names: Sequence[str]) -> Remedy | str:
    return f"There are: {', '.join(names[:20])}{', ...' if len(names) > 20 else ''}." if names else ""
