"""A set of a few words a document, and queries of which one document is the answer."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import embassay
from embassay.evaluate.data.judged import JudgedSet
from embassay.types import Document

WORDS = [f"word{at}" for at in range(300)]
SET = "words"
MODEL = "hash/256"
ROOT = Path(__file__).parent.parent.parent


def judged(documents: int = 300, queries: int = 60) -> JudgedSet:
    """A query has some words of the document that is relevant."""
    made = random.Random(3)
    rows = tuple(Document(f"d{at}", f"d{at}", " ".join(made.choices(WORDS, k=12))) for at in range(documents))
    asked = {f"q{at}": " ".join(rows[at].text.split()[:6]) for at in range(queries)}
    return JudgedSet("made", rows, asked, {f"q{at}": {f"d{at}": 1} for at in range(queries)})


def home_of(folder: Path, data: JudgedSet) -> None:
    """A home with a set of these documents."""
    with embassay.open(folder) as opened:
        opened.set(SET).upsert([{"id": one.id, "text": one.text} for one in data.documents], model=MODEL)


def run_and_die(script: str, *arguments: object) -> None:
    """A process that kills itself on its way; fails where it does not."""
    code = "import os, signal, sys\nimport embassay\ndie = lambda: os.kill(os.getpid(), signal.SIGKILL)\n"
    done = subprocess.run(
        [sys.executable, "-c", code + textwrap.dedent(script), *map(str, arguments)],
        capture_output=True, text=True, check=False, timeout=300,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
