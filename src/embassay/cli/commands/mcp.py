from __future__ import annotations

from typing import Annotated

import typer

from embassay.cli import common


def command(
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME", help="Show only this set; repeat it for more. Default: all."),
    ] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Take no feedback.")] = False,
    home: common.HomeOption = None,
    json: Annotated[bool, typer.Option("--json", help="Tell on stdout, as JSON, why it could not start.")] = False,  # noqa: ARG001 - read by whoever tells of failures
) -> None:
    """Serve search tools to an agent over standard input and output, by the Model Context Protocol.

    An agent starts this itself; its configuration names the command. It ends when the agent closes its input.

    \b
    embassay mcp
    embassay mcp --set docs --set faq --read-only
    embassay mcp --home ~/project/.embassay
    """
    from embassay.config.reading import load_config
    from embassay.extras import needed

    with needed("embassay mcp", "mcp"):
        from embassay.agents.stdio import serve

    load_config()  # one that cannot be read is told at once, and not to the agent
    serve(home, sets=sets, writes=not read_only)
