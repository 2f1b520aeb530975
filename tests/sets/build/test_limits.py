"""Files beyond the limits in an index run: quarantined with their reason, tried again, and no hindrance to Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from benchmarks import hostile
from embassay.ingest.limits import ReadLimits
from tests.sets.indexed import rows


def slow() -> bytes:
    """Source over which its grammar takes many seconds."""
    return b"a, a, a, a, a, a, a, a,\n" * 12_500


SHORT = ReadLimits(seconds=0.2)


def test_a_file_that_takes_too_long_is_quarantined_and_the_others_are_indexed(home, docs, model):
    (docs / "a-slow.rs").write_bytes(slow())
    (docs / "z.docx").write_bytes(hostile.docx(hostile.paragraph("Rotate the key")))
    for file in docs.rglob("*"):
        os.utime(file, (1e9, 1e9))  # what was just written is always looked into again
    report = home.index([docs], model=model, read_limits=SHORT)
    ((path, reason),) = report.quarantined
    assert path == "docs/a-slow.rs" and "read_seconds" in reason
    assert "docs/z.docx" in {chunk.path for chunk, _ in rows(home).values()}
    assert home.index([docs], read_limits=SHORT).files == 0, "what did not change is not tried again"
    (docs / "a-slow.rs").write_text("// Rotate the key")
    assert home.index([docs], retry_failed=True).quarantined == ()


def test_a_file_is_tried_again_with_other_limits(home, docs, model):
    (docs / "a.html").write_text(f"<p>{'Rotate the key. ' * 20_000}</p>")
    report = home.index([docs], model=model, read_limits=ReadLimits(text_mb=0.1))
    assert [reason for _, reason in report.quarantined] == [
        "it gives more than 0.1 MB of text, the limit for a file of its size"
    ]
    assert home.index([docs], retry_failed=True).quarantined == ()


def test_the_command_tells_and_goes_on(docs, model):
    (docs / "a.docx").write_bytes(b"not a zip")
    (docs / "b.rs").write_bytes(slow())
    command = [sys.executable, "-m", "embassay.cli.main", "index", str(docs), "--home", str(docs.parent / ".embassay")]
    options = ["--model", model, "--json", "--read-seconds", "0.2"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 3 and "Traceback" not in done.stderr
    said = json.loads(done.stdout)
    assert len(said["quarantined"]) == 2 and said["chunks"] > 3


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_ends_at_once_in_the_middle_of_a_file(docs, model, how):
    """Its reading process with it, though the file would take minutes."""
    (docs / "a.rs").write_bytes(slow())
    command = [sys.executable, "-m", "embassay.cli.main", "index", str(docs), "--home", str(docs.parent / ".embassay")]
    process = subprocess.Popen(
        [*command, "--model", model, "--read-seconds", "500"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    reader = wait_for_child(process.pid)
    process.send_signal(how)
    _, stderr = process.communicate(timeout=15)
    assert process.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL)
    assert b"Traceback" not in stderr
    for _ in range(500):
        if not Path(f"/proc/{reader}").exists():
            return
        time.sleep(0.02)
    raise AssertionError("the process that reads is still there")


def wait_for_child(parent: int) -> int:
    """The first process that `parent` has started, once it has computed a little."""
    for _ in range(3000):
        for task in Path(f"/proc/{parent}/task").iterdir():
            with suppress(OSError):  # threads end at any time
                children = (task / "children").read_text().split()
                if children and computed(int(children[0])) > 0.3:
                    return int(children[0])
        time.sleep(0.02)
    raise AssertionError("no process was started")


def computed(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
