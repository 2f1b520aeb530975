"""Embedding sets over HTTP where things go wrong: a killed server, two servers on one home, a store that vanishes."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import httpx
import pytest

from tests.disks import fill, small_disk
from tests.server.conftest import DOCUMENTS, running

SETS = "/api/v1/embedding-sets"


def start(folder, *options):
    """A server in a process of its own, and its address."""
    command = [sys.executable, "-m", "embassay", "serve", "--port", "0", "--home", str(folder), *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    told = process.stderr.readline()
    assert told.startswith("Serving on"), told + process.communicate()[1]
    return process, told.split()[-1].rstrip(".")


def code(reply):
    return reply.status_code, reply.json()["error"]["code"]


@pytest.mark.parametrize("after", [0.5, 1.5])
def test_what_was_answered_is_there_after_a_kill(tmp_path, after):
    """Nothing that was answered with 200 is lost, and nothing is doubled when the rest is sent again."""
    process, url = start(tmp_path / ".embassay")
    answered = []
    try:
        with httpx.Client(base_url=url, timeout=30) as client:
            client.post(SETS, json={"name": "notes", "auto_embed_rules": {"on_create": False}})

        def write():
            with httpx.Client(base_url=url, timeout=30) as own:
                for at in range(10_000):
                    sent = [{"id": f"{at}-{n}", "text": f"note {at} {n}"} for n in range(3)]
                    try:
                        reply = own.post(f"{SETS}/notes/documents", json={"documents": sent})
                    except httpx.HTTPError:
                        return
                    if reply.status_code == 200:
                        answered.append(at)

        writer = threading.Thread(target=write)
        writer.start()
        time.sleep(after)
        os.killpg(process.pid, signal.SIGKILL)
        writer.join()
    finally:
        process.kill()
        process.communicate()
    assert answered
    process, url = start(tmp_path / ".embassay")
    try:
        with httpx.Client(base_url=url, timeout=60) as client:
            again = [{"id": f"{at}-{n}", "text": f"note {at} {n}"} for at in answered[-2:] for n in range(3)]
            assert client.post(f"{SETS}/notes/documents", json={"documents": again}).json()["added"] == 0
            listed, cursor = [], ""
            while cursor is not None:
                page = client.get(f"{SETS}/notes/documents", params={"limit": 1000, "cursor": cursor}).json()
                listed += [one["id"] for one in page["data"]]
                cursor = page["next"]
        assert len(listed) == len(set(listed))
        assert {f"{at}-{n}" for at in answered for n in range(3)} <= set(listed)
    finally:
        process.terminate()
        assert process.wait(60) == 0
        process.stderr.close()


def test_two_servers_on_one_home(tmp_path):
    """What one writes the other finds; both may write; what one deletes the other does not find any more."""
    folder = tmp_path / ".embassay"
    with running(folder) as one, running(folder) as other:
        with httpx.Client(base_url=one.url, timeout=60) as a, httpx.Client(base_url=other.url, timeout=60) as b:
            assert a.post(SETS, json={"name": "shared"}).status_code == 201
            assert code(b.post(SETS, json={"name": "shared"})) == (409, "name_taken")

            def write(client, who):
                for at in range(8):
                    sent = [{"id": f"{who}-{at}", "text": f"{who} writes {at}"}]
                    assert client.post(f"{SETS}/shared/documents", json={"documents": sent}).status_code == 200

            writers = [threading.Thread(target=write, args=pair) for pair in ((a, "a"), (b, "b"))]
            for writer in writers:
                writer.start()
            for writer in writers:
                writer.join()
            for client in (a, b):
                listed = [one["id"] for one in client.get(f"{SETS}/shared/documents").json()["data"]]
                assert sorted(listed) == sorted(f"{who}-{at}" for who in "ab" for at in range(8))
                hits = client.get("/api/v1/search", params={"q": "b writes 3", "set": "shared"}).json()["hits"]
                assert hits[0]["document"] == "b-3"
            assert a.delete(f"{SETS}/shared").status_code == 200
            assert code(b.get("/api/v1/search", params={"q": "a", "set": "shared"})) == (404, "set_not_found")
            assert code(b.post(f"{SETS}/shared/documents", json={"documents": DOCUMENTS})) == (404, "set_not_found")
            assert b.get(SETS).json()["data"] == []


def test_a_set_that_is_deleted_while_it_is_searched(tmp_path):
    with running(tmp_path / ".embassay") as served:
        replies = []
        with httpx.Client(base_url=served.url, timeout=60) as client:
            for _ in range(3):
                client.post(SETS, json={"name": "going"})
                client.post(f"{SETS}/going/documents", json={"documents": DOCUMENTS})

                def ask():
                    with httpx.Client(base_url=served.url, timeout=60) as own:
                        for _ in range(20):
                            replies.append(own.get("/api/v1/search", params={"q": "otters", "set": "going"}))

                asking = [threading.Thread(target=ask) for _ in range(3)]
                for one in asking:
                    one.start()
                time.sleep(0.05)
                assert client.delete(f"{SETS}/going").status_code == 200
                for one in asking:
                    one.join()
        assert {one.status_code for one in replies} <= {200, 404}
        assert {code(one)[1] for one in replies if one.status_code == 404} <= {"set_not_found"}


def test_a_store_that_vanishes(tmp_path):
    """Its folder is gone while the server runs: a named status and error, and other sets are searched as before."""
    folder = tmp_path / ".embassay"
    with running(folder) as served, httpx.Client(base_url=served.url, timeout=60) as client:
        for name in ("gone", "kept"):
            client.post(SETS, json={"name": name})
            client.post(f"{SETS}/{name}/documents", json={"documents": DOCUMENTS})
        generation = served.home.set("gone").generation()
        for place in (folder / "vectors").glob(f"{generation}*"):
            shutil.rmtree(place)
        for reply in (
            client.get("/api/v1/search", params={"q": "otters", "set": "gone"}),
            client.put(f"{SETS}/gone/documents/new", json={"text": "another one"}),
            client.get(f"{SETS}/gone/documents"),
        ):
            assert code(reply) == (503, "store_error"), reply.text
            assert "/" not in reply.json()["error"]["message"], reply.text
        assert client.get("/api/v1/search", params={"q": "otters", "set": "kept"}).status_code == 200
        assert client.get(f"{SETS}/gone").status_code == 200
        assert client.delete(f"{SETS}/gone").status_code == 200


def test_a_full_disk(tmp_path):
    """A named error; what was answered before is there, and what is sent again once there is room is taken."""
    with small_disk(tmp_path / "small", "60m") as disk, running(disk / ".embassay") as served:
        with httpx.Client(base_url=served.url, timeout=60) as client:
            client.post(SETS, json={"name": "notes"})
            assert client.post(f"{SETS}/notes/documents", json={"documents": DOCUMENTS}).status_code == 200
            ballast = fill(disk)
            sent = [{"id": f"full-{at}", "text": f"text {at} " * 20} for at in range(50)]
            refused = client.post(f"{SETS}/notes/documents", json={"documents": sent})
            assert refused.status_code == 503, refused.text
            assert refused.json()["error"]["code"] in ("home_not_writable", "store_error")
            assert str(disk) not in refused.text
            assert client.get("/api/v1/search", params={"q": "otters", "set": "notes"}).status_code == 200
            ballast.unlink()
            assert client.post(f"{SETS}/notes/documents", json={"documents": sent}).status_code == 200
            listed = [one["id"] for one in client.get(f"{SETS}/notes/documents").json()["data"]]
            assert sorted(listed) == sorted([*(one["id"] for one in DOCUMENTS), *(one["id"] for one in sent)])
