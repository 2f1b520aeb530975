"""Index runs that are stopped or killed: what was embedded is kept, and nothing that was answered is asked for again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

import embassay
from tests.servers import Answer, Received, hash_openai, serving
from tests.sets.indexed import rows

CONFIG = """
embeddings:
  models:
    served: {{provider: openai, model_id: m, api_key: k, base_url: "{url}/v1", concurrency: 4,
              batch_size: 16, cache_enabled: {cache}, max_tokens: 512}}
"""
ARTICLES, FIRST = 400, 40


def stored(folder: Path) -> int:
    """Rows that another process has written so far."""
    with suppress(embassay.EmbassayError), embassay.open(folder) as home:
        return sum(one.chunks for one in home.status())
    return 0


def wait_for_rows(folder: Path, process: subprocess.Popen[bytes]) -> int:
    """Until the set holds some of the long file: the others have a dozen."""
    until = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < until:
        if (count := stored(folder)) > FIRST:
            return count
        time.sleep(0.05)
    raise AssertionError(f"nothing was stored: {process.communicate()}")


def articles(docs: Path) -> None:
    """One file that takes long, so that it is neither new nor done when the run ends."""
    parts = (f"## Article {at}\n\n" + f"Rotate the key {at} of the door {at * 7}. " * 20 for at in range(ARTICLES))
    (docs / "long.md").write_text("\n\n".join(parts))


class Slow:
    """A service that takes a while for each request, and counts how often it is asked for a text."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._answer = seconds, hash_openai(64)
        self.asked: Counter[str] = Counter()

    def __call__(self, request: Received) -> Answer:
        self.asked.update(request.json["input"])
        time.sleep(self._seconds)
        return self._answer(request)


def configure(docs: Path, url: str, *, cache: str) -> None:
    (docs.parent / "served.yaml").write_text(CONFIG.format(url=url, cache=cache))


def index(docs: Path, home: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "embassay.cli.main", "index", str(docs), "--home", str(home), "-m", "served"]
    chosen = os.environ | {"EMBASSAY_CONFIG": str(docs.parent / "served.yaml")}
    return subprocess.Popen(command, env=chosen, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_no_text_that_was_answered_is_paid_for_again(docs, how):
    """A file of 400 chunks, of which a hosted model makes 64 at a time."""
    articles(docs)
    folder = docs.parent / ".embassay"
    service = Slow(0.7)
    with serving(service) as server:
        configure(docs, server.url, cache="true")
        process = index(docs, folder)
        wait_for_rows(folder, process)
        process.send_signal(how)
        _, said = process.communicate(timeout=60)
        assert process.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL), said.decode()
        time.sleep(1.0)  # requests that were under way are answered to nobody
        first = set(service.asked)
        if how != signal.SIGKILL:
            assert b"what was embedded is kept" in said
        second = index(docs, folder)
        assert second.communicate(timeout=120)[0] and second.returncode == 0
    repeated = {text for text, count in service.asked.items() if count > 1 and "Article" in text}
    assert len(first) > 64 and len(first) < ARTICLES
    assert len(repeated) <= 4 * 16, "no more than the requests that were under way, or whose replies were on the wire"
    with embassay.open(folder) as home:
        assert home.status()[0].chunks == len(rows(home)) >= ARTICLES


def test_a_file_whose_embedding_was_cut_off_goes_on_where_it_stopped(docs):
    """Its chunks are pending, not lost: those that are stored are not embedded again, without any cache."""
    articles(docs)
    folder = docs.parent / ".embassay"
    service = Slow(0.7)
    with serving(service) as server:
        configure(docs, server.url, cache="false")
        process = index(docs, folder)
        wait_for_rows(folder, process)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        with embassay.open(folder) as home:
            kept = {row[0].indexed for row in rows(home).values() if "Article" in row[0].indexed}
        assert 0 < len(kept) < ARTICLES
        time.sleep(1.0)
        service.asked.clear()
        second = index(docs, folder)
        assert second.communicate(timeout=120)[0] and second.returncode == 0
    assert not kept & set(service.asked)
    with embassay.open(folder) as home:
        assert sum("Article" in row[0].indexed for row in rows(home).values()) >= ARTICLES
