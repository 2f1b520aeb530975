"""The hub path against a real HTTP server on loopback that serves a model's files, faults included."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from embassay.embedders.providers.local import open_local
from embassay.errors import DigestMismatch, DownloadFailed, ModelNotFound
from tests.tiny import CASES, write_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """Serves one repository as huggingface.co does: model info, HEAD with ETag, GET with ranges."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.cut_after: int | None = None
        """Bytes of the weights after which the connection is cut, once."""
        self.lie = False
        """Serve other bytes than the ETag promises."""
        self.ranges: list[str] = []
        self.fetched: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._serve(body=False)

    def do_GET(self) -> None:
        self._serve(body=True)

    def _serve(self, *, body: bool) -> None:
        path = self.path.split("?")[0]
        files = {f.relative_to(self.server.folder).as_posix(): f for f in self.server.folder.rglob("*") if f.is_file()}
        if path.startswith("/api/models/tiny/model"):
            if "/tree/" in path:
                rows = [{"type": "file", "path": n, "size": f.stat().st_size, "oid": "0"} for n, f in files.items()]
                return self._reply(200, json.dumps(rows).encode(), body=body)
            info = {"_id": "1", "id": "tiny/model", "sha": COMMIT, "siblings": [{"rfilename": n} for n in files]}
            return self._reply(200, json.dumps(info).encode(), body=body)
        name = path.split(f"/resolve/{COMMIT}/")[-1]
        if not path.startswith("/tiny/model/") or name not in files:
            code = "RepoNotFound" if not path.startswith("/tiny/model") else "EntryNotFound"
            return self._reply(404, b"{}", {"X-Error-Code": code}, body=body)
        data = files[name].read_bytes()
        large = name.endswith(".safetensors")
        etag = hashlib.sha256(data).hexdigest() if large else hashlib.sha1(data).hexdigest()
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        if body:
            self.server.fetched.append(name)
        if large and self.server.lie:
            data = data[:-4] + b"\0\0\0\1"
        if large and body and (wanted := self.headers.get("Range")):
            self.server.ranges.append(wanted)
            start = int(wanted.split("=")[1].split("-")[0])
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            return self._reply(206, data[start:], headers, body=body)
        cut = None
        if large and body and self.server.cut_after is not None:
            cut, self.server.cut_after = self.server.cut_after, None
        return self._reply(200, data, headers, body=body, cut=cut)

    def _reply(
        self, code: int, data: bytes, headers: dict[str, str] | None = None, *, body: bool, cut: int | None = None
    ) -> None:
        self.send_response(code)
        for key, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(key, value)
        self.end_headers()
        if body:
            self.wfile.write(data[:cut])
            if cut is not None:
                self.wfile.flush()
                self.close_connection = True
                self.connection.close()


@pytest.fixture
def hub(tmp_path, monkeypatch):
    server = Hub(write_model(tmp_path / "served", CASES["bert"]))
    (server.folder / "pytorch_model.bin").write_bytes(b"never to be fetched")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    yield server
    server.shutdown()
    server.server_close()


def vectors(model: str) -> np.ndarray:
    return open_local(model, precision="f32").embed(["rotate the key"], "query").vectors


def test_downloads_what_is_needed_and_then_works_offline(hub, monkeypatch):
    made = vectors("tiny/model")
    np.testing.assert_allclose(made, vectors(str(hub.folder)), atol=1e-6)
    assert "pytorch_model.bin" not in hub.fetched
    hub.shutdown()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    np.testing.assert_allclose(vectors("tiny/model"), made, atol=1e-6)


def test_a_cut_connection_is_resumed(hub):
    hub.cut_after = 10_000
    np.testing.assert_allclose(vectors("tiny/model"), vectors(str(hub.folder)), atol=1e-6)
    assert hub.cut_after is None, "the cut happened"
    assert hub.ranges == ["bytes=10000-"] or hub.fetched.count("model.safetensors") >= 2


def test_a_wrong_digest_is_refused_and_removed(hub):
    hub.lie = True
    with pytest.raises(DigestMismatch, match="promised"):
        open_local("tiny/model")
    hub.lie = False
    np.testing.assert_allclose(vectors("tiny/model"), vectors(str(hub.folder)), atol=1e-6)


def test_unknown_repository(hub):
    with pytest.raises(ModelNotFound, match="knows no model"):
        open_local("nobody/nothing")


def test_no_server(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DownloadFailed, match="could not be downloaded"):
        open_local("tiny/model")
