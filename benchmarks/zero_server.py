"""A server that does no work: the same bytes for every request, after a pause. Prints its port, then serves."""

from __future__ import annotations

import asyncio
import base64
import json
import sys

import numpy as np

DIMENSIONS = 384


def answer(count: int, form: str) -> bytes:
    vectors = np.random.default_rng(0).normal(size=(count, DIMENSIONS)).astype("<f4")
    data = [
        {
            "object": "embedding",
            "index": i,
            "embedding": base64.b64encode(v.tobytes()).decode() if form == "base64" else v.tolist(),
        }
        for i, v in enumerate(vectors)
    ]
    body = json.dumps({"data": data, "model": "m", "usage": {"prompt_tokens": 9, "total_tokens": 9}}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


class Canned(asyncio.Protocol):
    def __init__(self, reply: bytes, pause: float) -> None:
        self._reply, self._pause, self._buffer = reply, pause, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            length = next(
                (
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length")
                ),
                0,
            )
            if len(rest) < length:
                return
            self._buffer = rest[length:]
            if self._pause:
                asyncio.get_running_loop().call_later(self._pause, self._transport.write, self._reply)
            else:
                self._transport.write(self._reply)


async def main() -> None:
    count, form, pause = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    reply = answer(count, form)
    server = await asyncio.get_running_loop().create_server(lambda: Canned(reply, pause), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
