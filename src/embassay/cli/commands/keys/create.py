from __future__ import annotations

import time
from typing import Annotated, Optional

import typer

from embassay.cli import common, words
from embassay.cli.keys import facts_of, opened_keys, show_new
from embassay.errors import UsageError

NEEDS_ARGUMENTS = True


def command(
    name: Annotated[str, typer.Argument(help="What the key is called.", metavar="NAME")],
    sets: Annotated[
        Optional[str],  # noqa: UP045 - typer reads the annotation at run time
        typer.Option(metavar="A,B", help="The sets that it may use; default: all."),
    ] = None,
    models: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="A,B", help="The models that it may ask for; default: all that are served."),
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="It may change sets and their documents.")] = False,
    admin: Annotated[bool, typer.Option("--admin", help="It may do what the owner may, such as migrate.")] = False,
    rpm: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="N", help="Requests a minute, such as 600."),
    ] = None,
    tpm: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="N", help="Tokens a minute, such as 50k or 1M."),
    ] = None,
    expires: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="TIME", help="After how long it is refused, such as 12h or 30d; default: never."),
    ] = None,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Make a key and show it, this once: only a hash of it is kept.

    The key alone is printed on stdout. From the first key on the server refuses requests without one.

    \b
    embassay keys create ci --sets docs --models minilm --rpm 600 --tpm 1M
    embassay keys create ops --admin --expires 30d --json
    """
    from embassay.server.keys.key import Grant
    from embassay.server.keys.rates import PerMinute

    grant = Grant(
        "admin" if admin else "write" if write else "read",
        _names(sets, "sets"),
        _names(models, "models"),
        PerMinute(*(None if said is None else words.amount_of(said, of) for said, of in ((rpm, "rpm"), (tpm, "tpm")))),
        None if expires is None else time.time() + words.seconds_of(expires, "expires"),
    )
    with opened_keys(home, create=True) as store:
        key, token = store.create(name, grant)
    if json:
        common.print_json({"key": token} | facts_of(key))
        return
    show_new(token, f"Made the key {name}. It is shown this once, and stored nowhere:")


def _names(said: str | None, of: str) -> tuple[str, ...] | None:
    if said is None:
        return None
    names = tuple(name.strip() for name in said.split(","))
    if not all(names):
        raise UsageError(f"{of} is {said[:100]!r}; it must be names with commas between.")
    return tuple(dict.fromkeys(names))
