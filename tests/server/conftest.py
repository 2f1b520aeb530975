"""A real server on loopback over a real home, for the tests of one module."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest

from embassay.home import Home
from embassay.server.limits import Limits
from embassay.server.serving import Server, Serving
from embassay.server.sockets import Address
from embassay.session import Session
from embassay.sets.folder import made_home

DOCUMENTS = [
    {"id": "keys", "text": "Keys are rotated on Mondays, by whoever is on call.", "metadata": {"lang": "en"}},
    {"id": "otters", "text": "Otters sleep afloat, holding hands.", "metadata": {"lang": "en"}},
    {"id": "herons", "text": "Reiher stehen still im Wasser.", "metadata": {"lang": "de"}},
]


@dataclass
class Running:
    """A server that runs in a thread of this process."""

    server: Server
    home: Home
    urls: list[str]

    @property
    def url(self) -> str:
        return self.urls[0]


@contextmanager
def running(folder, *, limits=None, ports=(0,), config=None, serving=None, verify=True) -> Iterator[Running]:
    """A server over the home at `folder`, on free ports of loopback, until the block ends.

    `verify`: the certificates that are trusted, for one with TLS.
    """
    limits = limits or Limits()
    place = made_home(folder)
    session = Session(config, cache_file=place.cache_file, batching=limits.batching)
    with session, Home(place, session) as home:
        server = Server(home, session, serving or Serving(tuple(Address(port=port) for port in ports), limits))
        urls = [str(address) for address in server.bind()]
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            _wait(urls[0], verify)
            yield Running(server, home, urls)
        finally:
            server.stop()
            thread.join()


def certificate(folder, name, *more):
    """A certificate for loopback that signs itself, and its key; `more`: how openssl is told to keep that."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", key, "-out", cert,
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         *(more or ("-nodes",))],
        check=True, capture_output=True,
    )  # fmt: skip
    key.chmod(0o600)
    return cert, key


def _wait(url, verify):
    for _ in range(200):
        try:
            httpx.get(f"{url}/version", verify=verify)
            return
        except httpx.TransportError:
            time.sleep(0.02)
    raise AssertionError("the server does not answer")


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[Running]:
    """A server with a set `animals`."""
    with running(tmp_path_factory.mktemp("served") / ".embassay") as found:
        found.home.set("animals").upsert(DOCUMENTS)
        yield found


@pytest.fixture
def client(served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, timeout=30) as made:
        yield made
