"""Pages in the one look that all reports have: `base.html` holds its style sheet and its frame."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from embassay.text import printable

if TYPE_CHECKING:
    from jinja2 import Template

BASE = "embassay.evaluate.report"
"""The package of `base.html`."""


def filled(package: str, name: str, values: Mapping[str, object]) -> str:
    """The page that template `name` of a package makes of these values. `judged` among them is what it is about, unless
    the template says so itself.

    Whatever comes from documents, queries or services is escaped by the template, and loses the characters that would
    hide in the page or turn its direction.
    """
    from importlib.metadata import version

    from embassay.evaluate.speed.machine import processor

    now = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")
    said = {"made": now, "version": version("embassay"), "machine": processor()}
    return printable(_template(package, name).render({**said, **values}), lines=True)


@cache
def _template(package: str, name: str) -> Template:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    def text(wanted: str) -> str:
        return (files(package if wanted == name else BASE) / wanted).read_text("utf-8")

    environment = Environment(
        loader=FunctionLoader(text), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    return environment.get_template(name)
