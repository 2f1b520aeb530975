"""The dashboard: pages for people, at `/` and below `/dashboard/`. Programs are told nothing of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

from embassay.server.call import Call
from embassay.server.dashboard import assets, entry
from embassay.server.dashboard.page import BELOW, Go, PageForm, PageQuery
from embassay.server.dashboard.shell import MEDIA, InstalledPage, check, pages, refused, refused_shortly, rendered
from embassay.server.problems import Problem
from embassay.server.refusals import RouteNotFound
from embassay.server.route import Answer, Method, Needs, Route

Handle = Callable[[Call], Awaitable[object]]


def failure(problem: Problem) -> Answer:
    """A page that says what is wrong, and what helps."""
    return refused_shortly(problem)


def _routes() -> Iterator[Route]:
    yield Route("GET", assets.PATH, assets.serve, "A file of the dashboard", needs="open", page=True, refuse=refused)
    yield _route(entry.LOGIN, entry.show, "Log in", "open", query=entry.LoginQuery)
    yield _route(entry.LOGIN, entry.login, "Log in", "open", form=entry.LoginForm)
    yield _route(entry.LOGOUT, entry.logout, "Log out", "open", form=entry.LoginForm)
    for name, found in pages().items():
        page = found.page
        yield _route(page.route, _shown(found), page.title, page.needs, query=page.query)
        for form in page.forms:
            path = f"{page.route}/{form.name}"
            yield _route(path, _sent(name, found, form), f"{page.title}: {form.name}", form.needs, form=form.fields)

    yield _route(f"{BELOW}{{rest:path}}", _nothing, "What is no page", "open", query=PageQuery)


async def _nothing(call: Call) -> object:
    raise RouteNotFound(f"there is no page at {call.path['rest'][:200]}.")


def _route(path: str, handle: Handle, summary: str, needs: Needs, query: object = None, form: object = None) -> Route:
    method: Method = "GET" if form is None else "POST"
    return Route(
        method, path, handle, summary, None, query, needs=needs, media=MEDIA, page=True, form=form, refuse=refused
    )


def _shown(found: InstalledPage) -> Handle:
    async def show(call: Call) -> Answer:
        check(call, found.page)
        values = await found.page.show(call)
        return await call.service.in_worker(rendered, call, found, values)

    return show


def _sent(name: str, found: InstalledPage, form: PageForm) -> Handle:
    async def send(call: Call) -> Answer:
        call.changes = True
        check(call, found.page)
        made = await form.send(call)
        if isinstance(made, Go):
            told = f"{'&' if '?' in made.to else '?'}done={name}.{form.name}" if form.done else ""
            return entry.see(made.to + told)
        return await call.service.in_worker(rendered, call, found, made)

    return send


ROUTES = tuple(_routes())
