"""Paths that are served: what each method of one does, and which of them a request is for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from starlette.routing import compile_path

from embassay.server.reading import RequestReader
from embassay.server.refusals import MethodNotAllowed, RouteNotFound
from embassay.server.route import Dialect, Route

READS = frozenset({"GET", "HEAD"})
_NONE: Mapping[str, str] = MappingProxyType({})
Found = tuple["Path", Mapping[str, str]]


class Path:
    """A path, and what its methods do."""

    def __init__(self, name: str, dialect: Dialect, path: str) -> None:
        self.name, self.dialect, self.path = name, dialect, path
        self.pattern = compile_path(path)[0] if path else re.compile(r"(?!)")
        self.routes: dict[str, Route] = {}
        self.readers: dict[str, RequestReader] = {}

    def add(self, route: Route) -> None:
        """Serve one more method."""
        if route.method in self.routes:
            raise ValueError(f"{route.method} {route.path} is served twice")
        self.routes[route.method] = route
        self.readers[route.method] = RequestReader(route)

    def route(self, method: str, path: str) -> Route:
        """What answers `method`. Raises RouteNotFound, MethodNotAllowed."""
        found = self.routes.get("GET" if method == "HEAD" else method)
        if found is None:
            if not self.routes:
                raise RouteNotFound(f"nothing is served at {path[:200]}.")
            allowed = sorted({*self.routes, *(["HEAD"] if "GET" in self.routes else [])})
            raise MethodNotAllowed(f"{self.path} takes {', '.join(allowed)}.", allowed)
        return found


class Paths:
    """All paths of a server: those of programs, and beside them the pages for people."""

    def __init__(self) -> None:
        self._programs, self._pages = PathTable(), PathTable()

    def add(self, name: str, dialect: Dialect, route: Route) -> None:
        """Serve a route of the dialect `name`. Raises ValueError for a method of a path that is served already."""
        (self._pages if route.page else self._programs).add(name, dialect, route)

    def find(self, method: str, path: str, headers: Mapping[str, str]) -> Found | None:
        """The path that a request is for, with its variable parts; None for one that nobody serves.

        Where a program and a person may ask for the same path, a browser says that it takes HTML.
        """
        page, program = self._pages.find(path), self._programs.find(path)
        if page is None or program is None:
            return page or program
        return page if method in READS and "text/html" in headers.get("accept", "") else program


class PathTable:
    """Paths by their names, and those with variable parts."""

    def __init__(self) -> None:
        self._exact: dict[str, Path] = {}
        self._patterns: list[Path] = []

    def add(self, name: str, dialect: Dialect, route: Route) -> None:
        """Serve one more route."""
        if "{" in route.path:
            path = next((one for one in self._patterns if one.path == route.path), None)
            if path is None:
                path = Path(name, dialect, route.path)
                self._patterns.append(path)
        else:
            path = self._exact.setdefault(route.path, Path(name, dialect, route.path))
        path.add(route)

    def find(self, path: str) -> Found | None:
        """The path that matches, with its variable parts."""
        found = self._exact.get(path)
        if found is not None:
            return found, _NONE
        for one in self._patterns:
            if match := one.pattern.match(path):
                return one, match.groupdict()
        return None
