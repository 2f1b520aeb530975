"""What stops a migration for a while: a quota that is used up, somebody who halts it in verification."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import embassay
from embassay.cli.migrations import show_status
from embassay.config.reading import load_config
from embassay.errors import MigrationPaused, MigrationState
from embassay.session import Session
from tests.servers import Answer, hash_openai, serving

COUNT, BATCH = 200, 8
RECORDS = [{"id": f"r{n}", "text": f"Record {n} is about rotating key number {n}."} for n in range(COUNT)]
NO_QUOTA = {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}


class Service:
    """An OpenAI-compatible service that answers with `failure` once it has served `most` requests."""

    def __init__(self) -> None:
        self.most: float = float("inf")
        self.failure = Answer(NO_QUOTA, 429)
        self.delay = 0.0
        self.served = 0
        self._good = hash_openai(64)

    def __call__(self, request):
        if request.method == "POST" and self.served >= self.most:
            return self.failure
        self.served += request.method == "POST"
        time.sleep(self.delay)
        return self._good(request)


@pytest.fixture
def service():
    return Service()


@pytest.fixture
def home(tmp_path, service):
    """A set of hash vectors, and a hosted model called ``served``."""
    file = tmp_path / "embassay.yaml"
    with serving(service) as server:
        file.write_text(
            f"embeddings: {{models: {{served: {{provider: openai, model_id: m, base_url: '{server.url}/v1', "
            f"api_key: k, max_tokens: 512, batch_size: {BATCH}, concurrency: 1, retries: 0, deadline: 5s}}}}}}"
        )
        with (
            embassay.open(tmp_path / ".embassay") as plain,
            Session(load_config(file, env={}), cache_file=tmp_path / ".embassay" / "cache.db") as session,
            embassay.Home(plain._sets.folder, session) as own,
        ):
            own.set("docs").upsert(RECORDS, model="hash/64")
            yield own


@pytest.mark.parametrize(
    ("body", "headers", "seconds"),
    [
        (NO_QUOTA, {"Retry-After": "7200"}, 7200),
        ({"error": {**NO_QUOTA["error"], "message": "No quota is left. Please try again in 1h2m3s."}}, {}, 3723),
        (NO_QUOTA, {}, None),
    ],
)
def test_a_quota_that_is_used_up_pauses_and_says_when_it_can_go_on(home, service, capsys, body, headers, seconds):
    docs, now = home.set("docs"), time.time()
    service.most, service.failure = 5, Answer(body, 429, headers)
    with pytest.raises(MigrationPaused, match="quota") as raised:
        docs.migrate("served")
    error = raised.value
    assert error.cause == "quota_exhausted" and "--resume" in error.remedy.in_shell()
    found = docs.migration()
    assert (found.state, found.retry_at) == ("paused", error.retry_at) and error.to_dict()["retry_at"] == error.retry_at
    if seconds is None:
        assert error.retry_at is None and "can go on from" not in str(error)
    else:
        assert now + seconds <= error.retry_at <= time.time() + seconds
        assert "It can go on from 2" in error.message
    show_status(found, json=False)
    assert ("again" in capsys.readouterr().out) == (seconds is not None)
    show_status(found, json=True)
    assert json.loads(capsys.readouterr().out)["retry_at"] == error.retry_at
    service.most = float("inf")
    done = docs.resume_migration()
    assert (done.state, done.chunks, done.retry_at) == ("ready", COUNT, None)


def test_a_cap_of_a_month_says_when_the_next_one_begins():
    from embassay.models.ledger import end_of

    assert end_of("month", 1_795_761_931.0) == 1_796_083_200.0  # 2026-11-27: the first of December
    assert end_of("month", 1_798_700_000.0) == 1_798_761_600.0  # and at the end of a year
    assert end_of("day", 1_795_761_931.0) == 1_795_824_000.0
    assert end_of("run", 1_795_761_931.0) is None


def halted_in_verification(home, service, tmp_path, halt):
    """How a migration ends that is at its verification when `halt` is called, and what was asked after that."""
    service.delay = 0.0
    docs = home.set("docs")
    with embassay.open(tmp_path / ".embassay") as other, ThreadPoolExecutor(1) as pool:
        home.session.events.subscribe(embassay.events.Noted, lambda told: slow(told.text))

        def slow(text):
            if "texts again" in text:
                service.delay = 0.3

        working = pool.submit(docs.migrate, "served")
        until = time.monotonic() + 60
        while not service.delay:
            assert time.monotonic() < until and not working.done()
            time.sleep(0.01)
        halt(other.set("docs"))
        with pytest.raises(MigrationState) as raised:
            working.result()
    return raised.value


def test_one_that_is_paused_in_its_verification_stops_and_goes_on(home, service, tmp_path):
    error = halted_in_verification(home, service, tmp_path, lambda docs: docs.pause_migration())
    assert isinstance(error, MigrationPaused) and error.cause == "paused"
    served = service.served
    assert served < COUNT / BATCH + 3 + COUNT / BATCH, "not all texts were made again"
    service.delay = 0.0
    assert home.set("docs").resume_migration().state == "ready"


def test_one_that_is_given_up_in_its_verification_is_gone(home, service, tmp_path):
    error = halted_in_verification(home, service, tmp_path, lambda docs: docs.abort_migration())
    assert not isinstance(error, MigrationPaused)
    assert "is aborted" in str(error) or "is gone" in str(error)
    assert len([*(tmp_path / ".embassay" / "vectors").glob("*.lance")]) == 1
