from __future__ import annotations

from typing import Annotated, Optional

import typer

from embassay import remedy
from embassay.cli import common
from embassay.cli.tables import line
from embassay.errors import UsageError


def command(
    host: Annotated[str, typer.Option(metavar="ADDR", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="N", help="The port; 0 takes a free one.")] = 8080,
    encode_port: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(metavar="N", help="Answer on this port, too: where clients look for a service with /encode."),
    ] = None,
    ollama_port: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(metavar="N", help="Answer on this port, too: where clients look for Ollama, which is 11434."),
    ] = None,
    preload: Annotated[
        list[str] | None,
        typer.Option("--model", "-m", metavar="MODEL", help="Load this model before the first request; repeat it."),
    ] = None,
    keep_alive: Annotated[
        float, typer.Option(metavar="SECONDS", help="Unload a model that was not used for so long.")
    ] = 300.0,
    deadline: Annotated[
        float, typer.Option(metavar="SECONDS", help="Answer a request within this, or say that it failed.")
    ] = 60.0,
    max_body_mb: Annotated[float, typer.Option(metavar="MB", help="Refuse larger requests.")] = 32.0,
    home: common.HomeOption = None,
) -> None:
    """Serve embeddings, reranking and the sets of a home over HTTP, in the dialects that clients speak already.

    \b
    embassay serve
    embassay serve --port 9000 --model minilm
    embassay serve --encode-port 8014 --ollama-port 11434
    """
    from embassay.server.limits import MB, Limits
    from embassay.server.serving import Address, Server, Serving

    for name, value in (("keep_alive", keep_alive), ("deadline", deadline), ("max_body_mb", max_body_mb)):
        if not 0 < value < 1e9:
            raise UsageError(f"{name} is {value:g}; it must be above 0.", remedy=remedy.option(name, 60))
    limits = Limits(body=int(max_body_mb * MB), seconds=deadline, keep_alive=keep_alive)
    ports = dict.fromkeys(one for one in (port, encode_port, ollama_port) if one is not None)
    serving = Serving(tuple(Address(host, one) for one in ports), limits, tuple(preload or ()))
    with common.opened_home(home, create=True, batching=limits.batching) as found:
        server = Server(found, found.session, serving)
        for address in server.bind():
            common.messages().print(line(("Serving", "bold"), f" on {address}"))
        server.run()
