"""Two checkouts of the project side by side: their commands, timed from process start, and a process of each to ask."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.common import ROOT, WORK


@dataclass(frozen=True)
class Taken:
    """What one process took, from its start to its end."""

    seconds: float
    cpu: float
    """Seconds of all its threads, in user and system mode: other load on the machine hardly changes it."""
    megabytes: float
    """Peak memory."""
    output: str


class Checkout:
    """A working tree of this project, under whatever name its package has, with a folder of its own to work in."""

    def __init__(self, root: Path, label: str, python: Path | None = None, *, work: Path = WORK) -> None:
        self.root, self.label = root.resolve(), label
        (package,) = (f.parent.name for f in (self.root / "src").glob("*/__init__.py"))
        self.package: str = package
        own = self.root / ".venv" / "bin" / "python"
        self.python = python or (own if own.is_file() else Path(sys.executable))
        self.work = work / "beside"
        """What both share."""
        self.place = self.work / label
        self.place.mkdir(parents=True, exist_ok=True)

    @cached_property
    def environment(self) -> dict[str, str]:
        """Its own code, caches and configuration; nothing is downloaded."""
        own = {
            "PYTHONPATH": str(self.root / "src"),
            "XDG_CACHE_HOME": str(self.place / "cache"),
            "HF_HUB_OFFLINE": "1",
            f"{self.package.upper()}_CONFIG": str(self.place / "config.yaml"),
        }
        (self.place / "config.yaml").touch()
        return os.environ | own

    def configure(self, text: str) -> None:
        """Replace its configuration file."""
        (self.place / "config.yaml").write_text(text, "utf-8")

    def home(self, name: str) -> Path:
        """A home of that name, which need not exist. Both checkouts have theirs at the same depth."""
        return self.place / name / f".{self.package}"

    def run(self, *arguments: str) -> Taken:
        """Its command, as the installed script starts it. Raises RuntimeError with its messages if it fails."""
        start = f"from {self.package}.cli.main import main; main()"
        return measured([str(self.python), "-c", start, *arguments], self.environment, self.place)

    def ask(self) -> Asked:
        """A process of it that answers, until the context ends."""
        return Asked(self)


class Asked:
    """`benchmarks/side.py` under one checkout."""

    def __init__(self, checkout: Checkout) -> None:
        self._process = subprocess.Popen(
            [str(checkout.python), str(ROOT / "benchmarks" / "side.py"), checkout.package],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=checkout.environment,
            cwd=checkout.place,
            text=True,
        )

    def __call__(self, task: str, **arguments: object) -> Any:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps({"task": task, **arguments}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{task} failed; its messages are above")
        return json.loads(answer)

    def __enter__(self) -> Asked:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()


def measured(command: Sequence[str], environment: dict[str, str], cwd: Path) -> Taken:
    """Run a command to its end. Raises RuntimeError if it fails."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as messages:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=messages, env=environment, cwd=cwd)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0), messages.seek(0)
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)}\n{messages.read().decode()}")
        printed = output.read().decode()
    return Taken(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e3, printed)
