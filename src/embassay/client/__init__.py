"""A client for a running server, plain and for asyncio: `Client` and `AsyncClient`.

    with Client("http://127.0.0.1:8080") as client:
        handbook = client.set("handbook")
        handbook.upsert([{"id": "1", "text": "Keys are rotated on Mondays."}])
        for hit in handbook.search("when are keys rotated").hits:
            print(hit.score, hit.chunk.text)

It needs httpx alone: neither a home nor a model is opened here. Every failure is an `embassay.errors.EmbassayError`: of
the class that the same failure has in the library, and `ServerRefused` for what only a server says.
"""

from embassay.client.awaited import AsyncClient, AsyncServedSet
from embassay.client.faults import ServerRefused, ServerUnreachable
from embassay.client.plain import Client, ServedSet

__all__ = ["AsyncClient", "AsyncServedSet", "Client", "ServedSet", "ServerRefused", "ServerUnreachable"]
