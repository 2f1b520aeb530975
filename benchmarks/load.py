"""Load on a server, made by `wrk` in a process of its own, and what the server spends on it.

Server and `wrk` share the cores of this machine, so that a rate is lower than with the load from elsewhere; the CPU
seconds of the server for each request do not depend on that.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.common import PEER_PYTHON, ROOT

TICKS = os.sysconf("SC_CLK_TCK")
START_SECONDS = 120
SCRIPT = """
local bodies, at, pauses = {}, 0, %(pause_ms)g
function setup(thread)
  first = (first or 0) + 1
  thread:set("first", first * 7919)
end
function init()
  for line in io.lines("%(bodies)s") do bodies[#bodies + 1] = line end
  at = first
  math.randomseed(first)
end
function request()
  at = at + 1
  local line = bodies[at %% #bodies + 1]
  if "%(method)s" == "GET" then return wrk.format("GET", line) end
  local path, body = "%(path)s", line
  if path == "" then path, body = line:match("^(%%S+) (.*)$") end
  return wrk.format("POST", path, {["Content-Type"] = "application/json"}, body)
end
%(delay)s
function done(summary, latency)
  local failed = summary.errors
  io.write(string.format(
    '{"requests": %%d, "seconds": %%g, "p50": %%g, "p95": %%g, "p99": %%g, "errors": %%d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(95) / 1e3,
    latency:percentile(99) / 1e3, failed.connect + failed.read + failed.write + failed.status + failed.timeout))
end
"""
DELAY = "function delay() return -math.log(1 - math.random()) * pauses end"
"""Pauses of independent clients: exponential, with this mean."""


@dataclass(frozen=True)
class Load:
    """What came of a load."""

    rate: float
    """Requests a second."""
    p50: float
    p95: float
    p99: float
    """Milliseconds."""
    errors: int
    cpu_ms: float
    """Of the server and its children, for each request."""
    requests: int


@dataclass(frozen=True)
class Target:
    """A server that was started for a benchmark."""

    url: str
    pid: int

    def cpu_seconds(self) -> float:
        """What it has used so far, in all its threads and processes."""
        return sum(sum(int(field) for field in fields[11:15]) for fields in self._processes()) / TICKS

    def memory(self) -> int:
        """Bytes that are resident, of all its processes."""
        return sum(int(fields[21]) for fields in self._processes()) * os.sysconf("SC_PAGE_SIZE")

    def _processes(self) -> Iterator[list[str]]:
        """What ``/proc`` says, behind the name, of the process and of those that it started."""
        known: dict[int, list[str]] = {}
        for file in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):  # it has ended
                known[int(file.parent.name)] = file.read_text().rpartition(")")[2].split()
        wanted = {self.pid}
        while more := {pid for pid, fields in known.items() if int(fields[1]) in wanted} - wanted:
            wanted |= more
        yield from (known[pid] for pid in wanted if pid in known)


@dataclass(frozen=True)
class Requests:
    """What `wrk` sends, one after the other, again from the start when they are through."""

    path: str
    """Of all of them; empty where each line of a POST begins with its own, before a space."""
    lines: Sequence[str]
    """Bodies for POST; paths with their query strings for GET."""
    method: str = "POST"


def wrk(target: Target, requests: Requests, *, clients: int, seconds: float, pause_ms: float = 0.0) -> Load:
    """So many clients for so long, each of which waits for its answer, and `pause_ms` on average before it goes on."""
    with tempfile.TemporaryDirectory() as folder:
        bodies, script = Path(folder) / "bodies", Path(folder) / "load.lua"
        bodies.write_text("".join(f"{line}\n" for line in requests.lines), "utf-8")
        delay = DELAY if pause_ms else ""
        words = {"bodies": bodies, "path": requests.path, "method": requests.method}
        script.write_text(SCRIPT % (words | {"pause_ms": pause_ms, "delay": delay}))
        before = target.cpu_seconds()
        command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds:g}s", "--timeout", "60s", "-s", str(script), target.url]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
        spent = target.cpu_seconds() - before
    told: dict[str, Any] = json.loads(ran.stdout.strip().splitlines()[-1])
    count = max(1, told["requests"])  # a rate is divided by: a machine that is busy may answer none in a second
    rate = count / told["seconds"]
    return Load(rate, told["p50"], told["p95"], told["p99"], told["errors"], spent * 1e3 / count, told["requests"])


def needs_wrk() -> None:
    """Leaves with a reason where there is no `wrk`."""
    if shutil.which("wrk") is None:
        print("skipped: needs wrk; on Debian: apt-get install wrk", file=sys.stderr)
        raise SystemExit(0)


@contextmanager
def served(home: Path, *options: str, model: str = "minilm") -> Iterator[Target]:
    """Our server over a home, in a process of its own, on a free port of loopback."""
    port = free_port()
    command = [sys.executable, "-m", "embassay", "serve", "--home", str(home), "--port", str(port), "--model", model]
    with _running([*command, *options], f"http://127.0.0.1:{port}", "/version") as target:
        yield target


@contextmanager
def peer_served() -> Iterator[Target]:
    """FastAPI and sentence-transformers, as `benchmarks/peer_server.py` has them."""
    if not PEER_PYTHON.is_file():
        print(f"skipped: no peer at {PEER_PYTHON}; make bench installs it (or EMBASSAY_PEER)", file=sys.stderr)
        raise SystemExit(0)
    port = free_port()
    command = [str(PEER_PYTHON), str(ROOT / "benchmarks" / "peer_server.py"), str(port)]
    with _running(command, f"http://127.0.0.1:{port}", "/health") as target:
        yield target


@contextmanager
def _running(command: Sequence[str], url: str, path: str) -> Iterator[Target]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(f"{url}{path}", process)
        yield Target(url, process.pid)
    finally:
        process.terminate()
        process.wait()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            httpx.get(url)
            return
        except httpx.TransportError:
            time.sleep(0.05)
    raise RuntimeError(f"the server at {url} does not answer")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        found: int = taken.getsockname()[1]
        return found
