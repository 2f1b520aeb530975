"""The contract of a page of the dashboard: a module of `pages/` with a `PAGE`, and a template of its name beside it.

    PAGE = DashboardPage("sets", "Sets", show, menu=20)          sets.py, sets.html: /dashboard/sets

`show` gives the values that the template is filled with. What a button does is a `PageForm`. Nothing else has to be
touched: a file is its own registration, and an entry point of the group ``embassay.pages`` joins from elsewhere. A page
asks for what it shows as a program does, through `embassay.server.dashboard.asking`, so that rights and bounds are the
same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import msgspec

from embassay.server.route import Needs

if TYPE_CHECKING:
    from embassay.server.call import Call

FIRST, BELOW = "/", "/dashboard/"
"""Where the first page is, and all others."""
Values = Mapping[str, object]
"""What a template is filled with. `title` among them takes the place of that of the page, `status` that of a page that
was found: 200."""


class PageQuery(msgspec.Struct, kw_only=True):
    """What the address of every page may say; a page whose address says more has a Struct that inherits from this."""

    done: str = ""
    """The form that was sent, as ``PAGE.FORM``: what it says of itself is shown above the page."""


@dataclass(frozen=True, slots=True)
class Go:
    """What a form gives that has done what it was sent for: which page is shown next."""

    to: str
    """An address, as `at` makes it."""


@dataclass(frozen=True, slots=True)
class PageForm:
    """What a form of a page is sent to: ``POST`` to the address of the page, a slash, and its name."""

    name: str
    send: Callable[[Call], Awaitable[Go | Values]]
    """Given the fields as `Call.body`. Values fill the template of the page, for what is shown once: a new key."""
    fields: Any = PageQuery
    """A Struct."""
    needs: Needs = "write"
    done: str = ""
    """A sentence for the page that is shown next."""


@dataclass(frozen=True, slots=True)
class DashboardPage:
    """One page."""

    path: str
    """Below ``/dashboard/``, with names in braces for its variable parts; empty: the first page, at ``/``."""
    title: str
    show: Callable[[Call], Awaitable[Values]]
    menu: int | None = None
    """Its place in the navigation; None for one that others lead to."""
    needs: Needs = "read"
    of_all: bool = False
    """Whether it is for keys of all sets and all models alone, because it tells of every one."""
    query: Any = PageQuery
    forms: Sequence[PageForm] = ()
    section: str = ""
    """For a page that is not in the navigation: the path of the one there that it belongs to."""

    @property
    def route(self) -> str:
        """The path of its route."""
        return BELOW + self.path if self.path else FIRST


def at(*parts: str, **query: object) -> str:
    """The address of a page: ``at("sets", "a b", k=3)`` is ``/dashboard/sets/a%20b?k=3``. None is left out."""
    path = BELOW + "/".join(quote(part, safe="") for part in parts) if any(parts) else FIRST
    said = {name: value for name, value in query.items() if value is not None and value != ""}
    return f"{path}?{urlencode(said)}" if said else path
