from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from embassay import remedy
from embassay.cli import common
from embassay.cli.tables import line
from embassay.errors import UsageError

if TYPE_CHECKING:
    from embassay.server.sockets import Address


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
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Answer to this name as well, besides those of loopback; repeat it."),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ORIGIN", help="Let pages of this origin ask, such as https://app.example.com; repeat it."
        ),
    ] = None,
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDR", help="Believe this proxy, an address or a network, for whom it asks; repeat it."),
    ] = None,
    tls_cert: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="FILE", help="The certificate, with those that it was signed by, in PEM."),
    ] = None,
    tls_key: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="FILE", help="Its key, which nobody else may read."),
    ] = None,
    open_metrics: Annotated[
        bool, typer.Option("--open-metrics", help="Show /metrics to other machines without a key.")
    ] = False,
    workers: Annotated[int, typer.Option(metavar="N", help="Processes, each with models of its own.")] = 1,
    pin: Annotated[bool, typer.Option("--pin", help="Run each worker on cores of its own.")] = False,
    metrics_port: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(metavar="N", help="With several workers: each answers alone at a port from N on, for /metrics."),
    ] = None,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Serve embeddings, reranking and the sets of a home over HTTP, in the dialects that clients speak already.

    \b
    embassay serve
    embassay serve --port 9000 --model minilm
    embassay serve --workers 4 --pin
    embassay serve --encode-port 8014 --ollama-port 11434
    embassay serve --host 0.0.0.0 --allow-host search.example.com --tls-cert cert.pem --tls-key key.pem
    """
    from embassay.cli.keys import check_found_keys
    from embassay.server.keys.entrance import Entrance
    from embassay.server.keys.tls import checked_tls
    from embassay.server.limits import MB, Limits
    from embassay.server.serving import Server, Serving
    from embassay.server.sockets import Address
    from embassay.server.workers import HandedDown, Processes, serve

    handed = HandedDown.found()
    processes = Processes(workers, pin, metrics_port)
    for name, value in (("keep_alive", keep_alive), ("deadline", deadline), ("max_body_mb", max_body_mb)):
        if not 0 < value < 1e9:
            raise UsageError(f"{name} is {value:g}; it must be above 0.", remedy=remedy.option(name, 60))
    limits = Limits(body=int(max_body_mb * MB), seconds=deadline, keep_alive=keep_alive)
    ports = dict.fromkeys(one for one in (port, encode_port, ollama_port) if one is not None)
    entrance = Entrance.of(
        host,
        allow_host=allow_host or (),
        allow_origin=allow_origin or (),
        trusted_proxy=trusted_proxy or (),
        open_metrics=open_metrics,
    )
    tls = checked_tls(tls_cert, tls_key)
    check_found_keys(home)
    addresses = tuple(Address(host, one, "https" if tls else "http") for one in ports)
    serving = Serving(addresses, limits, tuple(preload or ()), entrance, tls)
    with common.opened_home(home, create=True, batching=limits.batching) as found:
        serve(Server(found, found.session, serving), processes, handed, _told_as_json if json else _told)


def _told(listening: Sequence[Address], alone: Sequence[Address]) -> None:
    for address in listening:
        common.messages().print(line(("Serving", "bold"), f" on {address}"))
    for address in alone:
        common.messages().print(line(f"Metrics at {address}/metrics"))


def _told_as_json(listening: Sequence[Address], alone: Sequence[Address]) -> None:
    common.print_json({"serving": [*map(str, listening)], "metrics": [f"{address}/metrics" for address in alone]})
    sys.stdout.flush()
