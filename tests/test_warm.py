"""Models that stay open between calls of `embassay.embed`."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import embassay
from embassay.config import agreement
from embassay.errors import ConfigError, EmbassayError
from embassay.session import Session
from embassay.warm import SESSIONS, WarmSessions


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    embassay.close()
    yield
    embassay.close()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Session]:
    """The sessions that were made, in order."""
    made: list[Session] = []
    begin = Session.__init__

    def noted(self: Session, *args: object, **named: object) -> None:
        begin(self, *args, **named)  # type: ignore[arg-type]
        made.append(self)

    monkeypatch.setattr(Session, "__init__", noted)
    return made


def dimensions(**named: object) -> int:
    return embassay.embed(["a text"], "query", **named).vectors.shape[1]  # type: ignore[arg-type]


def is_closed(session: Session) -> bool:
    try:
        session.models  # noqa: B018
    except EmbassayError:
        return True
    return False


def configure(folder: Path, size: int, **more: str) -> Path:
    file = folder / "embassay.yaml"
    extra = "".join(f"{key}: {value}\n" for key, value in more.items())
    file.write_text(
        f"embeddings: {{default_model: own, models: {{own: {{provider: hash, model_id: '{size}'}}}}}}\n{extra}"
    )
    return file


def test_a_model_stays_open(opened):
    assert [dimensions(model="hash/64") for _ in range(3)] == [64] * 3
    assert len(opened) == 1
    embassay.close()
    assert is_closed(opened[0])
    assert dimensions(model="hash/64") == 64 and len(opened) == 2


def test_a_changed_configuration_counts_at_once(opened, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    configure(tmp_path, 64)
    assert dimensions() == dimensions() == 64
    configure(tmp_path, 128)
    assert dimensions() == 128
    assert len(opened) == 2 and is_closed(opened[0])


def test_a_configuration_that_appears_goes_or_breaks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert dimensions(model="hash/96") == 96
    file = configure(tmp_path, 64)
    assert dimensions() == 64
    good = file.read_text()
    file.write_text("embeddings: {nonsense: 1}")
    for _ in range(2):
        with pytest.raises(ConfigError, match="nonsense"):
            dimensions()
    file.write_text(good)
    assert dimensions() == 64
    file.unlink()
    assert dimensions(model="hash/80") == 80


def test_a_changed_working_folder_counts(tmp_path, monkeypatch):
    for name, size in (("a", 64), ("b", 128)):
        (tmp_path / name).mkdir()
        configure(tmp_path / name, size)
    monkeypatch.chdir(tmp_path / "a")
    assert dimensions() == 64
    monkeypatch.chdir(tmp_path / "b")
    assert dimensions() == 128


def test_a_changed_environment_counts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    configure(tmp_path, 64)
    assert dimensions() == 64
    monkeypatch.setenv("EMBASSAY_EMBEDDINGS__DEFAULT_MODEL", "hash/96")
    assert dimensions() == 96
    monkeypatch.delenv("EMBASSAY_EMBEDDINGS__DEFAULT_MODEL")
    other = configure(tmp_path / "..", 80)
    monkeypatch.setenv("EMBASSAY_CONFIG", str(other))
    assert dimensions() == 80
    other.unlink()


def test_a_changed_card_and_a_new_agreement_count(opened, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    card = tmp_path / "cards.toml"
    card.write_text('[[model]]\nid = "a/b"\nprovider_ids = {openai = "b"}\nsources = "ours"\n')
    file = configure(tmp_path, 64, cards="[cards.toml]")
    dimensions()
    card.write_text('[[model]]\nid = "a/c"\nprovider_ids = {openai = "c"}\nsources = "ours"\n')
    dimensions()
    assert len(opened) == 2
    agreement.agree(file, "0" * 64)
    dimensions()
    assert len(opened) == 3


def test_models_are_bounded_and_the_least_used_goes(opened):
    for size in (64, 65, 66, 67, 64, 68):
        assert dimensions(model=f"hash/{size}") == size
    assert [is_closed(session) for session in opened] == [False, True, False, False, False]
    before = len([one for one in gc.get_objects() if isinstance(one, Session)])
    for size in range(100, 200):
        dimensions(model=f"hash/{size}")
    opened.clear()
    gc.collect()
    assert len([one for one in gc.get_objects() if isinstance(one, Session)]) <= before


def test_a_session_in_use_is_closed_by_its_last_user(opened):
    with SESSIONS.using("a") as one, SESSIONS.using("a") as other:
        assert one is other
        embassay.close()
        assert not is_closed(one)
        with SESSIONS.using("a") as third:
            assert third is not one
    assert is_closed(one)


def test_many_threads_while_everything_changes(tmp_path, monkeypatch):
    """Each call gets vectors of the model that was configured while it ran, and nothing is left open."""
    monkeypatch.chdir(tmp_path)
    configure(tmp_path, 64)
    failed: list[BaseException] = []
    until = threading.Event()

    def work() -> None:
        try:
            while not until.is_set():
                assert dimensions() in (64, 128)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for at in range(30):
        staged = tmp_path / "staged"
        staged.mkdir(exist_ok=True)
        configure(staged, (64, 128)[at % 2]).replace(tmp_path / "embassay.yaml")
        if at % 7 == 0:
            embassay.close()
    until.set()
    for thread in threads:
        thread.join(30)
    assert not failed


def test_a_forked_process_opens_its_own(tmp_path):
    """The parent's session is neither used nor closed by the child, also where it was in use."""
    assert dimensions(model="hash/64") == 64
    with SESSIONS.using(("hash/64", "auto")) as ours:
        child = os.fork()
        if not child:
            with SESSIONS.using(("hash/64", "auto")) as theirs:
                os._exit(0 if theirs is not ours and dimensions(model="hash/64") == 64 else 1)
        assert os.waitpid(child, 0)[1] == 0
    assert not is_closed(ours)


def test_two_pools_do_not_share():
    one, other = WarmSessions(), WarmSessions()
    with one.using("a") as first, other.using("a") as second:
        assert first is not second
    one.close()
    assert is_closed(first) and not is_closed(second)
    other.close()


def test_a_session_of_the_caller_is_used_and_left_open(opened):
    with Session() as own:
        assert embassay.embed(["a text"], "query", model="hash/64", session=own).vectors.shape == (1, 64)
        assert not is_closed(own) and opened == [own]


def test_the_end_of_a_program_is_silent():
    code = "import embassay; embassay.embed(['a'], 'query', model='hash/64')"
    done = subprocess.run([sys.executable, "-X", "dev", "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
