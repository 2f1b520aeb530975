from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from embassay.embedders.local.embedder import LocalEmbedder
from embassay.embedders.providers.local import open_local
from tests.skips import pytest_sessionfinish  # noqa: F401 -- a hook of pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
DEFAULT = "sentence-transformers/all-MiniLM-L6-v2"

hypothesis.settings.register_profile("untimed", deadline=None)  # how long an example takes says how busy a machine is
hypothesis.settings.load_profile("untimed")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background: programs under test inherit that
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def no_outside_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only loopback is reachable from a test."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if self.family in (socket.AF_INET, socket.AF_INET6) and host not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("EMBASSAY_HOME", "HF_ENDPOINT", "HF_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(scope="session")
def minilm() -> LocalEmbedder:
    """The default model in f32, compiled once for the whole run."""
    return open_local(DEFAULT, precision="f32")


@pytest.fixture
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("needs ../shared/data, which is not part of the repository")
    return SHARED


DOCS = {
    "keys.md": "# Security\n\n## Keys\n\nRotate a key with `keyctl rotate`. Old keys stay valid for a day.\n\n"
    "## Passwords\n\nPasswords are hashed with argon2.\n",
    "network/proxy.md": "---\ntitle: Proxies\nyear: 2024\n---\n# Proxies\n\nSet HTTP_PROXY to route requests through a proxy server.\n",
    "guide.rst": "Guide\n=====\n\nInstall\n-------\n\nUse pip to install the package.\n\nTimeouts\n--------\n\n"
    "A request fails after thirty seconds without an answer.\n",
    "notes.txt": "The quarterly report is due on Friday. Ask Maria for the figures.\n",
    "app.py": 'def connect(host):\n    """Open a connection."""\n    return host\n\n\nclass Client:\n'
    "    def close(self):\n        self.open = False\n",
}


@pytest.fixture
def docs(tmp_path: Path) -> Iterator[Path]:
    """A small folder of documents of several kinds, as the working folder's ``docs``."""
    folder = tmp_path / "project" / "docs"
    for name, text in DOCS.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    yield folder


def pytest_make_parametrize_id(val):
    """Files are named by their size: an archive that a test makes holds the time, and both workers must agree on names."""
    return f"{len(val)} bytes" if isinstance(val, bytes) and len(val) > 40 else None
