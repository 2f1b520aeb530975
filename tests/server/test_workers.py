"""Several processes behind one address: started, replaced when they die, and ended together."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import httpx
import pytest

from tests.embedders.wrap.test_batched import until
from tests.server.test_serving import address_of, serve

linux = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc, to find processes")


def children(process: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def is_there(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@linux
def test_workers_are_replaced_pinned_and_ended(tmp_path):
    process = serve("--port", "0", "--workers", "2", "--pin", home=tmp_path / ".embassay")
    url = address_of(process)
    first = children(process.pid)
    assert len(first) == 2
    shared = [os.sched_getaffinity(worker) for worker in first]
    if len(os.sched_getaffinity(0)) > 1:
        assert shared[0].isdisjoint(shared[1])
    os.kill(first[0], signal.SIGKILL)
    until(lambda: len(children(process.pid)) == 2 and first[0] not in children(process.pid))
    for _ in range(5):
        assert httpx.post(f"{url}/v1/embeddings", json={"input": "a"}, timeout=60).status_code == 200
    now = children(process.pid)
    process.terminate()
    _, told = process.communicate(timeout=60)
    assert process.returncode == 0 and "is started again" in told and "Traceback" not in told
    assert not any(map(is_there, now))


def test_each_worker_counts_for_itself_at_a_port_of_its_own(tmp_path):
    process = serve("--port", "0", "--workers", "2", "--metrics-port", "0", home=tmp_path / ".embassay")
    url = address_of(process)
    own = [process.stderr.readline().split()[-1] for _ in range(2)]
    for at in range(4):
        assert httpx.post(f"{url}/v1/embeddings", json={"input": f"{at}"}, timeout=60).status_code == 200
    pages = [httpx.get(one).text for one in own]
    counted = [re.findall(r'embassay_requests_total{.*route="/v1/embeddings".*} ([0-9.]+)', page) for page in pages]
    assert sum(float(one) for page in counted for one in page) == 4
    refused = httpx.get(f"{url}/metrics")
    assert refused.status_code == 400 and "--metrics-port" in refused.text
    process.terminate()
    assert process.wait(timeout=60) == 0


@linux
def test_workers_end_where_nobody_watches_them_any_more(tmp_path):
    process = serve("--port", "0", "--workers", "2", home=tmp_path / ".embassay")
    address_of(process)
    workers = children(process.pid)
    process.kill()
    process.wait()
    until(lambda: not any(map(is_there, workers)))


def test_workers_that_cannot_start_end_the_server(tmp_path):
    began = time.monotonic()
    process = serve("--port", "0", "--workers", "2", "--model", "nobody/knows", home=tmp_path / ".embassay")
    _, told = process.communicate(timeout=120)
    assert process.returncode == 2 and "is not served here" in told and "as soon as they were started" in told
    assert time.monotonic() - began < 100


@pytest.mark.parametrize("count", ["0", "-1", "1000"])
def test_no_sensible_number_of_workers(tmp_path, count):
    process = serve("--port", "0", "--workers", count, home=tmp_path / ".embassay")
    _, told = process.communicate(timeout=60)
    assert process.returncode == 2 and "must be from 1 to 64" in told
