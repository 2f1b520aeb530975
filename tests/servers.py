"""Real HTTP servers on loopback: one that answers as told, faults included, and one that is OpenAI-compatible."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from embassay.embedders.providers.hash import hashed
from embassay.embedders.texts.estimate import EstimatedTokens


@dataclass
class Received:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answer:
    """What to answer. `drip`: seconds between bytes. `cut`: break the connection after so many bytes."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drip: float = 0.0
    delay: float = 0.0
    cut: int | None = None
    chunked: bool = False

    @property
    def bytes(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Server:
    """Answers every request by `handle`, and keeps what it received."""

    def __init__(self, handle: Callable[[Received], Answer], port: int = 0) -> None:
        self.handle = handle
        self.received: list[Received] = []
        self.in_flight = self.most_in_flight = 0
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {k.lower(): v for k, v in self.headers.items()}
                request = Received(self.command, self.path, headers, body, time.monotonic())
                with outer._lock:
                    outer.received.append(request)
                    outer.in_flight += 1
                    outer.most_in_flight = max(outer.most_in_flight, outer.in_flight)
                try:
                    self._answer(outer.handle(request))
                finally:
                    with outer._lock:
                        outer.in_flight -= 1

            def _answer(self, answer: Answer) -> None:
                time.sleep(answer.delay)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if answer.chunked:
                    self.send_header("Transfer-Encoding", "chunked")
                else:
                    self.send_header("Content-Length", str(len(answer.bytes)))
                self.end_headers()
                if answer.cut is not None:
                    self.wfile.write(answer.bytes[: answer.cut])
                    self.wfile.flush()
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.connection.close()
                    self.close_connection = True
                elif answer.chunked:
                    for at in range(0, len(answer.bytes), 7):
                        part = answer.bytes[at : at + 7]
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                    self.wfile.write(b"0\r\n\r\n")
                elif answer.drip:
                    for byte in answer.bytes:
                        self.wfile.write(bytes([byte]))
                        self.wfile.flush()
                        time.sleep(answer.drip)
                else:
                    self.wfile.write(answer.bytes)

            do_POST = do_GET = _serve

            def log_message(self, *args: Any) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *args: Any) -> None:  # a client that hangs up is part of the test
                pass

        self._httpd = Quiet(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self._httpd.server_port}"
        threading.Thread(target=self._httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()


@contextmanager
def serving(handle: Callable[[Received], Answer], port: int = 0) -> Iterator[Server]:
    server = Server(handle, port)
    try:
        yield server
    finally:
        server.close()


def openai_body(vectors: np.ndarray, *, base64: bool = False, tokens: int | None = 7) -> dict[str, Any]:
    """The documented shape."""
    import base64 as b64

    data = [
        {
            "object": "embedding",
            "index": i,
            "embedding": b64.b64encode(v.astype("<f4").tobytes()).decode() if base64 else [float(x) for x in v],
        }
        for i, v in enumerate(vectors)
    ]
    body: dict[str, Any] = {"object": "list", "data": data, "model": "m"}
    return body if tokens is None else body | {"usage": {"prompt_tokens": tokens, "total_tokens": tokens}}


def hash_openai(dimensions: int = 64, **answer: Any) -> Callable[[Received], Answer]:
    """An OpenAI-compatible service whose vectors are those of the hash provider: every text's own."""

    def handle(request: Received) -> Answer:
        if request.method == "GET":
            return Answer({"object": "list", "data": [{"id": "m", "object": "model"}]})
        asked = request.json
        wants = asked.get("encoding_format") == "base64"
        tokens = sum(EstimatedTokens(512).count(asked["input"]))
        return Answer(openai_body(hashed(asked["input"], dimensions), base64=wants, tokens=tokens), **answer)

    return handle


def words_openai(dimensions: int = 64) -> Callable[[Received], Answer]:
    """The same whose vectors are sums of those of the words: texts that share words are near each other."""

    def handle(request: Received) -> Answer:
        if request.method == "GET":
            return Answer({"object": "list", "data": [{"id": "m", "object": "model"}]})
        texts = [text.lower().split() or [""] for text in request.json["input"]]
        sums = np.array([hashed(words, dimensions).sum(axis=0) for words in texts])
        vectors = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        return Answer(openai_body(vectors, base64=request.json.get("encoding_format") == "base64"))

    return handle


class Swappable:
    """An OpenAI-compatible service behind one address, whose model the test changes at will."""

    def __init__(self, dimensions: int = 64) -> None:
        self.dimensions = dimensions
        self.model = ""
        """What is put into every text before it is hashed: another one is another model."""
        self.name = "m"
        """What replies call the model."""
        self.swaps_after: int | None = None
        """Requests until another model is put behind the address."""
        self.requests = 0

    def __call__(self, request: Received) -> Answer:
        self.requests += 1
        if self.swaps_after is not None and self.requests > self.swaps_after:
            self.model = "another"
        asked = request.json
        vectors = hashed([self.model + text for text in asked["input"]], self.dimensions)
        body = openai_body(vectors, base64=asked.get("encoding_format") == "base64")
        return Answer(body | {"model": self.name})
