"""Keys on the command line: shown once, listed, revoked and rotated."""

import json
import re
import ssl
import subprocess
import sys

import httpx
import pytest

from embassay.embedders.wrap.budget import Order, Paid
from embassay.models.ledger import Ledger, Payer, Term
from embassay.server.keys.guard import Guard
from embassay.server.keys.spend import purpose_of
from tests.cli.test_cli import run
from tests.server.conftest import certificate

FIELDS = {"id", "name", "right", "sets", "models", "rpm", "tpm", "state", "created", "expires", "revoked"}
USED = {"requests", "tokens", "last_used", "usd"}
TOKEN = re.compile(r"ek_[0-9a-f]{12}_[0-9a-f]{64}\n")


def test_a_key_is_shown_once(tmp_path):
    _, out, err = run("keys", "create", "ci", "--sets", "docs, faq", "--models", "minilm", "--rpm", "600", "--tpm", "1M",
                      cwd=tmp_path, check=0)  # fmt: skip
    assert TOKEN.fullmatch(out) and "shown this once" in err, "a script takes stdout as it is"
    listed = run("keys", "list", "--json", cwd=tmp_path, check=0)[1]
    (row,) = json.loads(listed)["keys"]
    assert set(row) == FIELDS | USED
    assert row | {"id": "", "created": 0} == {
        "id": "", "name": "ci", "right": "read", "sets": ["docs", "faq"], "models": ["minilm"], "rpm": 600,
        "tpm": 1_000_000, "state": "live", "created": 0, "expires": None, "revoked": None, "requests": 0, "tokens": 0,
        "last_used": None, "usd": 0.0,
    }  # fmt: skip
    assert out.strip() not in listed + run("keys", "list", cwd=tmp_path, check=0)[1]


def test_rotate_and_revoke(tmp_path):
    made = json.loads(run("keys", "create", "ops", "--admin", "--expires", "30d", "--json", cwd=tmp_path, check=0)[1])
    assert set(made) == FIELDS | {"key"} and made["right"] == "admin" and TOKEN.fullmatch(made["key"] + "\n")
    assert 29.9 * 86400 < made["expires"] - made["created"] < 30.1 * 86400
    _, out, err = run("keys", "rotate", "ops", "--grace", "1h", cwd=tmp_path, check=0)
    assert TOKEN.fullmatch(out) and out.strip() != made["key"] and "good for 60 min more" in err
    revoked = json.loads(run("keys", "revoke", "ops", "--json", cwd=tmp_path, check=0)[1])
    assert set(revoked) == FIELDS and revoked["state"] == "revoked" and revoked["id"] == made["id"]
    code, _, err = run("keys", "rotate", "ops", cwd=tmp_path)
    assert code == 2 and "no key 'ops' that is not revoked" in err


def test_what_was_used_and_spent(tmp_path):
    run("keys", "create", "ci", "--write", cwd=tmp_path, check=0)
    home = tmp_path / ".embassay"
    guard = Guard(home)
    key = guard.store.all()[0]
    guard.charge(key.principal(), tokens=1234)
    guard.close()
    ledger = Ledger(home / "ledger.db")
    order = Order("openai/m", "document", 0.5)
    ledger.settle(ledger.reserve(Payer("run", purpose_of(key.id)), order, Term(run="run"), None), Paid(0.25, 10))
    ledger.close()
    (row,) = json.loads(run("keys", "list", "--json", cwd=tmp_path, check=0)[1])["keys"]
    assert (row["requests"], row["tokens"], row["usd"]) == (1, 1234, 0.25) and row["last_used"]
    shown = run("keys", "list", cwd=tmp_path, check=0)[1]
    assert "1,234" in shown and "$0.25" in shown and "ago" in shown


def test_without_a_home_or_a_key(tmp_path):
    code, _, err = run("keys", "list", "--home", tmp_path / "none", cwd=tmp_path)
    assert code == 1 and "there is no home" in err
    run("index", "--help", cwd=tmp_path, check=0)
    (tmp_path / ".embassay").mkdir()
    assert "No key was made yet" in run("keys", "list", cwd=tmp_path, check=0)[1]
    assert json.loads(run("keys", "list", "--json", cwd=tmp_path, check=0)[1]) == {"keys": []}
    assert [*(tmp_path / ".embassay").iterdir()] == []
    assert run("keys", "revoke", "ci", cwd=tmp_path)[0] == 2


def test_keys_that_came_with_a_checkout(tmp_path):
    """A home that is found may hold keys whose maker has them as well: it has to be named."""
    theirs, mine = {"XDG_STATE_HOME": str(tmp_path / "theirs")}, {"XDG_STATE_HOME": str(tmp_path / "mine")}
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    run("keys", "create", "backdoor", "--admin", cwd=checkout, check=0, env=theirs)
    for command in (["serve", "--port", "0"], ["keys", "create", "ci"]):
        code, _, err = run(*command, cwd=checkout, env=mine)
        assert code == 2 and "keys that you have not made here: backdoor" in err and "--home" in err
    assert "backdoor" in run("keys", "list", cwd=checkout, check=0, env=mine)[1]
    run("keys", "create", "ci", "--home", ".embassay", cwd=checkout, check=0, env=mine)
    assert run("serve", "--port", "0", cwd=checkout, env=mine)[0] == 2, "one key more makes the others nobody's own"
    own = tmp_path / "own"
    own.mkdir()
    run("keys", "create", "ci", cwd=own, check=0, env=mine)
    run("keys", "rotate", "ci", cwd=own, check=0, env=mine)
    run("keys", "create", "other", cwd=own, check=0, env=mine)


def test_a_server_for_other_machines(tmp_path):
    """From nothing to a server with TLS that answers the holder of a key, and nobody else."""
    cert, key = certificate(tmp_path, "own")
    (tmp_path / "embassay.yaml").write_text(
        "embeddings: {default_model: words, models: {words: {provider: hash, dimensions: 64}}}"
    )
    options = ["--host", "0.0.0.0", "--port", "0", "--allow-host", "search.example.com", "--trusted-proxy", "127.0.0.1",
               "--tls-cert", cert, "--tls-key", key]  # fmt: skip
    code, _, err = run("serve", *options, cwd=tmp_path)
    assert code == 2 and "no key was made" in err and "embassay keys create NAME" in err
    token = run("keys", "create", "ci", cwd=tmp_path, check=0)[1].strip()
    command = [sys.executable, "-m", "embassay.cli.main", "serve", *map(str, options)]
    server = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    try:
        port = server.stderr.readline().strip().rpartition(":")[2]
        url, trust = f"https://127.0.0.1:{port}/v1/models", ssl.create_default_context(cafile=cert)
        ask = {"verify": trust, "headers": {"authorization": f"Bearer {token}", "host": "search.example.com"}}
        assert httpx.get(url, **ask).json()["data"][0]["id"] == "words"
        assert httpx.get(url, verify=trust).status_code == 401
        assert httpx.get(url, **(ask | {"headers": ask["headers"] | {"host": "evil.example"}})).status_code == 421
        run("keys", "revoke", "ci", cwd=tmp_path, check=0)
        assert (
            httpx.get(url, **(ask | {"headers": ask["headers"] | {"x-forwarded-for": "203.0.113.9"}})).status_code
            == 401
        )
    finally:
        server.terminate()
        told = server.communicate(timeout=60)[1]
    assert server.returncode == 0 and "Traceback" not in told and token not in told
    lines = [json.loads(line) for line in (tmp_path / ".embassay" / "audit.jsonl").read_text().splitlines()]
    assert [(line["client"], line["status"]) for line in lines] == [
        ("127.0.0.1", 401), ("127.0.0.1", 421), ("203.0.113.9", 401),
    ]  # fmt: skip
    assert lines[-1]["key"] == token.split("_")[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rpm", "0"], "rpm is '0'"), (["--tpm", "1.5"], "tpm is '1.5'"), (["--tpm", "many"], "tpm is 'many'"),
        (["--sets", "a,,b"], "names with commas"), (["--models", ""], "names with commas"),
        (["--expires", "soon"], "expires is 'soon'"), (["--rpm", "-1"], "rpm is '-1'"),
    ],
)  # fmt: skip
def test_what_is_no_key(tmp_path, arguments, said):
    code, out, err = run("keys", "create", "ci", *arguments, cwd=tmp_path)
    assert code == 2 and said in err and not out


def test_commands_about_keys_load_no_server(tmp_path):
    program = (
        "import sys, embassay.cli.keys, embassay.server.keys.guard, embassay.server.keys.trust\n"
        "from embassay.cli.commands.keys import create, rotate, revoke\n"
        "print(sorted({'starlette', 'uvicorn', 'prometheus_client', 'lancedb', 'numpy', 'orjson'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
