"""The style sheet and the script of the dashboard, at an address that changes with what they say."""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from importlib.resources import files
from typing import TYPE_CHECKING

from embassay.server.refusals import NotFound
from embassay.server.route import Answer

if TYPE_CHECKING:
    from embassay.server.call import Call

SOURCES = {
    "style.css": (("embassay.evaluate.report", "charts.css"), ("embassay.server.dashboard", "style.css")),
    "script.js": (("embassay.server.dashboard", "script.js"),),
    "icon.svg": (("embassay.server.dashboard", "icon.svg"),),
}
"""The files of which each is made: charts look here as they do in reports."""
MEDIA = {
    "style.css": "text/css; charset=utf-8",
    "script.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
PATH = "/dashboard/assets/{version}/{name}"
KEPT = "public, max-age=31536000, immutable"
"""A browser asks once for each version."""


def asset(name: str) -> str:
    """The address of one of them."""
    return PATH.format(version=_version(), name=name)


async def serve(call: Call) -> Answer:
    """One of them. That of another version, as a page asks for which was made before an update, is not kept."""
    name = call.path["name"]
    if name not in MEDIA:
        raise NotFound(f"there is no file {name[:100]!r}.")
    kept = KEPT if call.path["version"] == _version() else "no-cache"
    headers = {"cache-control": kept, "x-content-type-options": "nosniff"}
    return Answer(_read(name), headers=headers, media=MEDIA[name])


@cache
def _read(name: str) -> bytes:
    return b"\n".join((files(package) / file).read_bytes() for package, file in SOURCES[name])


@cache
def _version() -> str:
    digest = blake2b(digest_size=6)
    for name in sorted(MEDIA):
        digest.update(_read(name))
    return digest.hexdigest()
