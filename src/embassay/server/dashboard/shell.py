"""The frame of all pages: navigation, style, what is told above the page, and how it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from embassay import plugins
from embassay.server.dashboard import words
from embassay.server.dashboard.assets import asset
from embassay.server.dashboard.page import DashboardPage, Values, at
from embassay.server.keys.principal import ANYONE, Principal
from embassay.server.keys.visits import ELSEWHERE
from embassay.server.refusals import NotAllowed
from embassay.server.route import Answer
from embassay.text import printable
from embassay.version import VERSION

if TYPE_CHECKING:
    from jinja2 import Environment

    from embassay.server.call import Call
    from embassay.server.problems import Problem

PAGES = "embassay.server.dashboard.pages"
HERE = "embassay.server.dashboard"
"""The package of the templates that all pages share."""
MEDIA = "text/html; charset=utf-8"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
SAFE = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
    "vary": "accept, cookie",
}
"""Headers of every page: nothing of it is kept, framed, or read by others, and it runs nothing but its own script."""
NOBODY = frozenset({401, 421})
"""Statuses of requests of which it is not known who makes them."""


@dataclass(frozen=True, slots=True)
class InstalledPage:
    """One page, and where its template is."""

    name: str
    page: DashboardPage
    package: str

    @property
    def template(self) -> str:
        """Its name for the environment: the package and the file."""
        return f"{self.package}/{self.name.replace('-', '_')}.html"


@cache
def pages() -> Mapping[str, InstalledPage]:
    """Every page that is installed, by its name. Raises PluginError."""
    modules = plugins.load_all(PAGES)
    return {
        name: InstalledPage(module.__name__.rpartition(".")[2], module.PAGE, module.__package__ or module.__name__)
        for name, module in modules.items()
    }


def rendered(call: Call, found: InstalledPage, values: Values) -> Answer:
    """The page with these values in its template, and the `status` among them."""
    page = found.page
    asked = getattr(call.query, "done", "")
    frame = _frame(call, page.section or page.path) | {"title": page.title, "done": _done(asked)}
    status = values.get("status", 200)
    return filled(found.template, {**frame, "page": page, **values}, status if isinstance(status, int) else 200)


def refused(call: Call, problem: Problem) -> Answer:
    """An error as a page: what is wrong, and what helps. Where a key is missing, it can be given there."""
    known = problem.status not in NOBODY
    frame = _frame(call, "") if known else {"menu": (), "who": ANYONE, "section": "", "visit": False}
    elsewhere = call.headers.get("sec-fetch-site", "") in ELSEWHERE and call.route.method == "GET"
    values = {**frame, "title": _title(problem.status), "problem": problem, "elsewhere": elsewhere}
    values |= {"next": call.target if call.route.method == "GET" else at()}
    return filled(f"{HERE}/refused.html", values, problem.status)


def refused_shortly(problem: Problem) -> Answer:
    """The same where nothing is known of the request."""
    frame = {"menu": (), "who": ANYONE, "section": "", "visit": False, "next": at(), "elsewhere": False}
    values = {**frame, "title": _title(problem.status), "problem": problem}
    return filled(f"{HERE}/refused.html", values, problem.status)


def filled(template: str, values: Values, status: int = 200) -> Answer:
    """The answer that a template makes of these values.

    Whatever comes from documents, queries or services is escaped by the template, and loses the characters that would
    hide in the page or turn its direction.
    """
    made = printable(_environment().get_template(template).render(values), lines=True)
    return Answer(made.encode("utf-8", "replace"), status, SAFE, MEDIA)


def _frame(call: Call, section: str) -> dict[str, object]:
    """What the frame of a page shows."""
    return {
        "menu": [one.page for one in in_menu() if _may(call.principal, one.page)],
        "who": call.principal,
        "section": section,
        "visit": bool(call.principal.id),
    }


@cache
def in_menu() -> Sequence[InstalledPage]:
    """The pages of the navigation, in their order."""
    listed = [one for one in pages().values() if one.page.menu is not None]
    return sorted(listed, key=lambda one: (one.page.menu, one.page.title))


def check(call: Call, page: DashboardPage) -> None:
    """Raises NotAllowed for a key that is for some sets or models, where the page tells of all."""
    if page.of_all and not _is_for_all(call.principal):
        raise NotAllowed("this page tells of all sets and models, and this key is for some of them.")


def _may(who: Principal, page: DashboardPage) -> bool:
    right = "read" if page.needs == "open" else page.needs
    return who.may(right) and (not page.of_all or _is_for_all(who))


def _is_for_all(who: Principal) -> bool:
    return who.sets is None and who.models is None


def _done(asked: str) -> str:
    """What a form says of itself that was sent: its own words, none that an address brings."""
    name, _, form = asked.partition(".")
    found = pages().get(name)
    return next((one.done for one in found.page.forms if one.name == form), "") if found else ""


def _title(status: int) -> str:
    named = {401: "A key is needed", 403: "Not allowed", 404: "Not found", 409: "Not now", 429: "Too much at once"}
    return named.get(status, "That did not work" if status < 500 else "The server failed")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    def text(wanted: str) -> str:
        package, _, name = wanted.rpartition("/")
        return (files(package or HERE) / name).read_text("utf-8")

    made = Environment(
        loader=FunctionLoader(text), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    made.globals |= {"at": at, "asset": asset, "version": VERSION}
    made.filters |= words.FILTERS
    return made
