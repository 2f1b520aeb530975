"""Reading in a process of its own: what it gives, what it survives, and that nothing of it stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from benchmarks import hostile
from embassay.errors import NotText, ReadError, UsageError
from embassay.ingest.base import SourceFile
from embassay.ingest.isolation import Isolation
from embassay.ingest.limits import ReadLimits
from embassay.ingest.read import read
from embassay.types import Document

GOOD = hostile.docx(hostile.paragraph("Rotate the key"))
READERS = {
    "hang": "while True: pass",
    "hang_in_c": "re.match(r'(a|a)*b', 'a' * 40)",
    "sleep": "time.sleep(1000)",
    "memory": "held = bytearray(10 ** 9); held[::4096] = bytes(len(held[::4096]))",
    "grow": "held = [bytes(10 ** 6) + bytes([at % 256]) for at in range(10 ** 9)]",
    "segfault": "os.kill(os.getpid(), signal.SIGSEGV)",
    "killed": "os.kill(os.getpid(), signal.SIGKILL)",
    "exit": "os._exit(3)",
    "raise": "raise ValueError('no good')",
    "recursion": "f = lambda: f(); f()",
    "print": "print('x' * 100_000); os.write(1, b'y' * 100_000)",
    "flood": "yield from (Document(source.id, source.id, 'x' * 10_000) for _ in range(10 ** 9))",
    "large": "yield Document(source.id, source.id, 'x' * (5 * 10 ** 6))",
    "odd": "yield Document(source.id, source.id, 'x', metadata={'a': 10 ** 300})",
    "half": "yield Document(source.id + '#1', source.id, 'one'); os.kill(os.getpid(), signal.SIGKILL)",
    "partly": "yield LeftOut('2 of 5 pages are images', 7)",
    "nothing": "",
}
"""What readers of another package do, by the suffix that they read."""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder on the path with an installed package of readers, which this process and the one that reads find."""
    folder = tmp_path_factory.mktemp("site")
    info = folder / "hostile_readers-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hostile-readers\nVersion: 1.0\n")
    entries = "\n".join(f"x{name.replace('_', '-')} = x{name}" for name in READERS)
    (info / "entry_points.txt").write_text(f"[embassay.readers]\n{entries}\n")
    for name, body in READERS.items():
        (folder / f"x{name}.py").write_text(
            "import os, re, signal, time\nfrom embassay.types import Document\n"
            "from embassay.ingest.base import LeftOut\n"
            f"SUFFIXES = frozenset({{'.{name}'}})\ndef read(source):\n    {body}\n"
            "    yield Document(source.id, source.id, 'read')\n"
        )
    return folder


def script(site: Path, body: str, *arguments: object) -> subprocess.Popen[str]:
    """A program in which the readers of `site` are installed, with the names of this module."""
    text = textwrap.dedent(
        """
        import os, sys, time
        from pathlib import Path
        from embassay.errors import ReadError
        from embassay.ingest.base import SourceFile
        from embassay.ingest.isolation import Isolation
        from embassay.ingest.limits import ReadLimits
        folder = Path(sys.argv[1])
        def tried(isolation, name):
            (folder / name).write_text("x")
            found = []
            try:
                for one in isolation.read(SourceFile(folder / name, name)):
                    found.append(str(getattr(one, "text", one))[:10])
            except ReadError as error:
                found.append(f"{type(error).__name__}: {error.message}")
            return found
        """
    ) + textwrap.dedent(body)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(site), *filter(None, sys.path)])}
    command = [sys.executable, "-c", text, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


REASONS = {
    "hang": "takes longer than 2 s",
    "hang_in_c": "takes longer than 2 s",
    "sleep": "takes longer than 2 s",
    "memory": "memory",
    "grow": "memory",
    "segfault": "SIGSEGV",
    "killed": "SIGKILL",
    "exit": "status 3",
    "raise": "ValueError: no good",
    "recursion": "RecursionError",
    "flood": "more than 0.5 MB of text",
    "large": "more than 0.5 MB of text",
    "half": "SIGKILL",
}


def test_whatever_a_reader_does_costs_its_file_alone(site, tmp_path):
    """One run reads all of them, and a good file after each."""
    body = f"""
    with Isolation(ReadLimits(seconds=2, memory_mb=100)) as isolation:
        for name in {[*READERS]!r}:
            print(name, "|".join(tried(isolation, "a." + name)), sep=": ")
            good = tried(isolation, "good.nothing")
            assert good == ["read"], (name, good)
    """
    process = script(site, body, tmp_path)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    said = dict(line.split(": ", 1) for line in out.splitlines())
    assert set(said) == set(READERS)
    for name, reason in REASONS.items():
        assert reason in said[name], said[name]
    assert said["print"] == "read" and said["odd"] == "x|read", "what is printed does not get in between"
    assert said["partly"] == "LeftOut(re|read", "what is left out is told, and the rest is read"
    assert said["half"].startswith("one|"), "what was read before is kept"
    assert said["flood"].count("xxx") > 10


@pytest.mark.parametrize("name", ["hang", "sleep", "hang_in_c", "nothing"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_no_process_stays_behind(site, tmp_path, name, how):
    """Whatever ends the run, and whatever its reader is doing then, code that holds Python's lock included."""
    body = f"""
    isolation = Isolation(ReadLimits(seconds=500))
    tried(isolation, "good.nothing")
    print(isolation._process._process.pid, flush=True)
    tried(isolation, "a.{name}")
    time.sleep(1000)
    """
    process = script(site, body, tmp_path)
    reader = int(process.stdout.readline())
    time.sleep(0.2)  # most of the cases are in the file by then; those that are not end as well
    process.send_signal(how)
    process.communicate(timeout=20)
    until = time.monotonic() + 10
    while alive(reader):
        assert time.monotonic() < until, "the process that reads is still there"
        time.sleep(0.05)


def alive(process: int) -> bool:
    """Whether there is such a process; one that ended and was not waited for is none."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def documents(file: Path, isolation: Isolation) -> list[Document | ReadError]:
    return list(isolation.read(SourceFile(file, file.name)))


@pytest.mark.parametrize("name", hostile.SEEDS)
def test_isolated_documents_are_those_of_the_reader(tmp_path, name):
    file = tmp_path / name
    file.write_bytes(hostile.SEEDS[name])
    with Isolation() as isolation:
        found = documents(file, isolation)
    expected = list(read(SourceFile(file, file.name)))
    assert [plain(document) for document in found] == [plain(document) for document in expected]


def plain(document: Document | ReadError) -> tuple[object, ...]:
    assert isinstance(document, Document)
    lines = None if document.source_lines is None else list(document.source_lines)
    return (
        document.id,
        document.path,
        document.text,
        document.kind,
        dict(document.metadata),
        lines,
        list(document.headings),
    )


def test_plain_files_start_no_process(tmp_path):
    with Isolation() as isolation:
        for name in ("a.md", "a.txt", "a.rst", "a.jsonl", "a.csv", "a.unknown"):
            (tmp_path / name).write_bytes(hostile.SEEDS.get(name, b"x"))
            assert documents(tmp_path / name, isolation)
        assert isolation._process is None
        (tmp_path / "a.docx").write_bytes(GOOD)
        documents(tmp_path / "a.docx", isolation)
        process = isolation._process
        documents(tmp_path / "a.docx", isolation)
        assert isolation._process is process, "one process serves the run"
    assert isolation._process is None


def test_a_process_that_was_killed_between_two_files_is_replaced(tmp_path):
    (tmp_path / "a.docx").write_bytes(GOOD)
    with Isolation() as isolation:
        documents(tmp_path / "a.docx", isolation)
        os.kill(isolation._process._process.pid, signal.SIGKILL)
        isolation._process._process.wait()
        assert documents(tmp_path / "a.docx", isolation)


def test_a_file_that_nobody_reads_to_its_end_is_left(tmp_path):
    (tmp_path / "a.docx").write_bytes(GOOD)
    with Isolation() as isolation:
        reading = isolation.read(SourceFile(tmp_path / "a.docx", "a.docx"))
        next(reading)
        reading.close()
        assert documents(tmp_path / "a.docx", isolation)


def test_what_holds_no_text_is_told_as_such(tmp_path):
    (tmp_path / "a.docx").write_bytes(b"")
    (tmp_path / "a.unknown").write_bytes(b"\0\0")
    with Isolation() as isolation:
        assert documents(tmp_path / "a.docx", isolation) == []
        with pytest.raises(NotText):
            documents(tmp_path / "a.unknown", isolation)
        with pytest.raises(ReadError, match="No such file"):
            documents(tmp_path / "b.docx", isolation)


@pytest.mark.parametrize("limits", [{"seconds": 0}, {"seconds": float("nan")}, {"memory_mb": 1}, {"text_mb": -1}])
def test_limits_that_nothing_can_be_read_within_are_refused(limits):
    with pytest.raises(UsageError, match="it must be between"):
        ReadLimits(**limits)


def test_where_python_cannot_be_started_the_file_says_so(tmp_path, monkeypatch):
    (tmp_path / "a.docx").write_bytes(GOOD)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with Isolation() as isolation, pytest.raises(ReadError, match="cannot be started"):
        documents(tmp_path / "a.docx", isolation)
