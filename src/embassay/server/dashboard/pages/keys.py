"""The keys of the server: who may ask, for what, and how much."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from embassay.server.dashboard.page import DashboardPage, Go, PageForm, Values, at
from embassay.server.dashboard.tried import tried
from embassay.server.keys.key import Grant
from embassay.server.keys.rates import PerMinute
from embassay.server.keys.spend import spent_by_key
from embassay.server.keys.trust import claim
from embassay.server.refusals import KeysError
from embassay.text import DAY

if TYPE_CHECKING:
    from embassay.server.call import Call
    from embassay.server.keys.key import ApiKey
    from embassay.server.keys.store import KeyStore
    from embassay.server.problems import Problem

HOUR = 3600.0
Count = Annotated[int, msgspec.Meta(ge=1, le=10**12)]
Names = Annotated[str, msgspec.Meta(max_length=10_000)]


class KeyForm(msgspec.Struct, kw_only=True):
    name: Annotated[str, msgspec.Meta(max_length=200)] = ""
    right: Literal["read", "write", "admin"] = "read"
    sets: Names = ""
    """With commas between; empty: all."""
    models: Names = ""
    rpm: Count | None = None
    tpm: Count | None = None
    days: Annotated[float, msgspec.Meta(gt=0, le=36_500)] | None = None
    """After which it is refused."""


class NamedKeyForm(msgspec.Struct, kw_only=True):
    name: Annotated[str, msgspec.Meta(max_length=200)]


class RotateForm(NamedKeyForm, kw_only=True):
    hours: Annotated[float, msgspec.Meta(ge=0, le=8760)] = 0.0
    """For which the secret before is good still."""


async def show(call: Call) -> Values:
    """All of them."""
    return await call.service.in_worker(_listed, call)


async def create(call: Call) -> Values:
    """The page with the new key on it, which nobody can see again."""
    asked: KeyForm = call.body
    made = await tried(call.service.in_worker(_create, call, asked))
    return await call.service.in_worker(_listed, call, asked, made.made, made.problem)


async def rotate(call: Call) -> Values:
    """The same with another secret."""
    asked: RotateForm = call.body
    made = await tried(call.service.in_worker(_rotate, call, asked))
    return await call.service.in_worker(_listed, call, KeyForm(), made.made, made.problem)


async def revoke(call: Call) -> Go:
    """The list without it."""
    await call.service.in_worker(_store(call).revoke, call.body.name)
    return Go(at("keys"))


def _create(call: Call, asked: KeyForm) -> tuple[ApiKey, str]:
    store = _store(call)
    expires = None if asked.days is None else time.time() + asked.days * DAY
    grant = Grant(asked.right, _names(asked.sets), _names(asked.models), PerMinute(asked.rpm, asked.tpm), expires)
    is_first = not store.all()
    made = store.create(asked.name.strip(), grant)
    if is_first:
        claim(store)
    return made


def _rotate(call: Call, asked: RotateForm) -> tuple[ApiKey, str]:
    return _store(call).rotate(asked.name, asked.hours * HOUR)


def _listed(
    call: Call, asked: KeyForm | None = None, made: tuple[ApiKey, str] | None = None, problem: Problem | None = None
) -> dict[str, Any]:
    store, now = _store(call), time.time()
    spent = spent_by_key(call.service.home.folder)
    keys = [(key, key.state(now), store.use.read(key.slot, key.id), spent.get(key.id, 0.0)) for key in store.all()]
    keys.sort(key=lambda row: (row[1] != "live", row[0].slot))
    first = asked or KeyForm(right="read" if keys else "admin")
    is_first = made is not None and len(keys) == 1 and not call.principal.id
    values: dict[str, Any] = {"keys": keys, "asked": first, "made": made, "problem": problem, "is_first": is_first}
    return values | {"status": problem.status if problem else 200}


def _store(call: Call) -> KeyStore:
    store = call.service.guard.store
    if store is None:
        raise KeysError("this server has no folder for keys.")
    return store


def _names(said: str) -> tuple[str, ...] | None:
    names = tuple(dict.fromkeys(name.strip() for name in said.split(",") if name.strip()))
    return names or None


PAGE = DashboardPage(
    "keys",
    "Keys",
    show,
    menu=70,
    needs="admin",
    of_all=True,
    forms=(
        PageForm("create", create, KeyForm, "admin"),
        PageForm("rotate", rotate, RotateForm, "admin"),
        PageForm("revoke", revoke, NamedKeyForm, "admin", "The key is revoked: nobody is let in with it any more."),
    ),
)
