"""What somebody tries who is not meant to: against a real server, over real sockets."""

import json
import socket
import ssl
from urllib.parse import urlsplit

import httpx
import pytest

from embassay.config.values import Config, EmbeddingsConfig, QueryLogConfig
from embassay.errors import UsageError
from embassay.server.keys.audit import AUDIT_FILE
from embassay.server.keys.entrance import Entrance
from embassay.server.keys.key import Grant
from embassay.server.keys.rates import PerMinute
from embassay.server.keys.store import KeyStore
from embassay.server.keys.tls import checked_tls
from embassay.server.serving import Serving
from embassay.server.sockets import Address
from tests.server.conftest import DOCUMENTS, certificate, running

SECRET = "the launch is on the third of May"
HASH = {"words": {"provider": "hash", "dimensions": 64}, "other": {"provider": "hash", "dimensions": 128}}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A server with the sets `animals` and `private`, and keys for what is asked of it."""
    config = Config(embeddings=EmbeddingsConfig(models=HASH, default_model="words"))
    serving = Serving((Address(port=0),), entrance=Entrance.of(allow_origin=["https://app.example.com"]))
    with running(tmp_path_factory.mktemp("guarded") / ".embassay", config=config, serving=serving) as found:
        found.home.set("animals").upsert(DOCUMENTS)
        found.home.set("private").upsert([{"id": "plan", "text": SECRET}])
        found.keys = KeyStore(found.home.folder)
        found.tokens = {
            "reader": found.keys.create("reader", Grant(sets=("animals",), models=("words",)))[1],
            "admin": found.keys.create("admin", Grant("admin"))[1],
        }
        yield found


def client(guarded, name="reader", **more):
    token = guarded.tokens.get(name, name)
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(base_url=guarded.url, headers=headers, timeout=30, **more)


def raw(url, *lines, body=b"", method="GET", path="/v1/models"):
    """What a server answers to header lines that no client would send; its status."""
    place = urlsplit(url)
    with socket.create_connection((place.hostname, place.port), 10) as line:
        head = "\r\n".join((f"{method} {path} HTTP/1.1", *lines, "Connection: close", "", ""))
        line.sendall(head.encode("latin-1") + body)
        answer = b""
        while more := line.recv(65536):
            answer += more
    return int(answer.split(b" ", 2)[1]), answer


def audited(guarded):
    return [json.loads(line) for line in (guarded.home.folder / AUDIT_FILE).read_text().splitlines()]


def test_nobody_is_let_in_without_a_good_key(guarded):
    good = guarded.tokens["reader"]
    for headers in (
        {}, {"authorization": ""}, {"authorization": "Bearer"}, {"authorization": "Bearer x"},
        {"authorization": f"Bearer {good[:-1]}"}, {"authorization": f"Bearer {good}0"}, {"authorization": f"Basic {good}"},
        {"api-key": "x" * 5000}, {"x-api-key": good.upper()}, {"cookie": f"key={good}"},
    ):  # fmt: skip
        reply = httpx.get(f"{guarded.url}/v1/models", headers=headers)
        assert reply.status_code == 401, headers
        assert reply.headers["www-authenticate"] == "Bearer" and reply.json()["error"]["code"] == "invalid_api_key"
        assert good not in reply.text
    assert httpx.get(f"{guarded.url}/v1/models?api_key={good}&key={good}").status_code == 401
    for headers in ({"authorization": f"Bearer {good}"}, {"api-key": good}, {"x-api-key": good}):
        assert httpx.get(f"{guarded.url}/v1/models", headers=headers).status_code == 200


def test_every_route_but_the_open_ones_needs_a_key(guarded):
    with client(guarded, "") as nobody:
        for path, methods in nobody.get("/openapi.json").json()["paths"].items():
            for method in methods:
                if path == "/metrics":  # shown to the machine itself, see test_metrics.py
                    continue
                reply = nobody.request(method, path.replace("{", "").replace("}", ""))
                (route,) = (
                    one
                    for _, _, one in guarded.server.service.served
                    if one.method.lower() == method and one.path.replace(":path", "") == path
                )
                assert (reply.status_code == 401) == (route.needs != "open" and not route.open_near), (method, path)


def test_a_key_that_is_revoked_is_refused_from_the_next_request_on(guarded):
    token = guarded.keys.create("leaked", Grant())[1]
    with client(guarded, token) as leaked:
        assert leaked.get("/v1/models").status_code == 200
        new = guarded.keys.rotate("leaked")[1]
        assert leaked.get("/v1/models").status_code == 401, "on the same connection"
        assert leaked.get("/v1/models", headers={"authorization": f"Bearer {new}"}).status_code == 200
        guarded.keys.revoke("leaked")
        reply = leaked.get("/v1/models", headers={"authorization": f"Bearer {new}"})
        assert reply.status_code == 401 and "was revoked" in reply.json()["error"]["message"]
    key_id = token.split("_")[1]
    assert any(one.get("key") == key_id and one["code"] == "key_refused" for one in audited(guarded))


def test_a_key_is_for_a_model_by_whatever_name(tmp_path):
    with running(tmp_path / ".embassay") as found:
        token = KeyStore(found.home.folder).create("ci", Grant(models=("minilm",)))[1]
        headers = {"authorization": f"Bearer {token}"}
        (listed,) = httpx.get(f"{found.url}/v1/models", headers=headers).json()["data"]
        for name in ("minilm", listed["id"], "all-MiniLM-L6-v2"):
            assert httpx.get(f"{found.url}/v1/models/{name}", headers=headers).status_code == 200, name
        token = KeyStore(found.home.folder).create("none", Grant(models=("mpnet",)))[1]
        headers = {"authorization": f"Bearer {token}"}
        assert httpx.get(f"{found.url}/v1/models", headers=headers).json()["data"] == []
        assert httpx.get(f"{found.url}/v1/models/minilm", headers=headers).status_code == 403


def test_a_model_that_the_key_may_not_use(guarded):
    with client(guarded) as reader:
        assert reader.post("/v1/embeddings", json={"input": "a", "model": "words"}).status_code == 200
        assert reader.post("/v1/embeddings", json={"input": "a"}).status_code == 200
        for name in ("other", "other@16", "hash/other"):
            assert reader.post("/v1/embeddings", json={"input": "a", "model": name}).status_code in (403, 404), name
        assert [one["id"] for one in reader.get("/v1/models").json()["data"]] == ["words"]


class Listener:
    """A server that nobody may be made to ask, which notes whoever does."""

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.settimeout(0.3)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        return self

    def was_asked(self):
        try:
            self.socket.accept()[0].close()
        except TimeoutError:
            return False
        return True

    def __exit__(self, *_):
        self.socket.close()


@pytest.mark.parametrize("name", [
    "{url}/v1", "openai/{url}", "http/{url}", "tei/{url}", "ollama/x@{url}", "local/{url}", "hash/x?base_url={url}",
    "words?base_url={url}", "words@{url}", "words:{url}", "//{host}/model", "file:///etc/passwd", "/etc/passwd", "../../etc",
    "~/.ssh", "hf://{host}/x", "{host}/model", "openai/x", "voyage/x", "huggingface/evil/model", "sentence-transformers/evil",
    "${{command:curl {url}}}", "words@\n{url}", "http:{url}", "\\\\{host}\\share",
])  # fmt: skip
def test_a_client_makes_the_server_ask_nobody(guarded, name):
    """A name of a model is looked up among those that are served; it is no address, and no path."""
    with Listener() as listener, client(guarded, "admin") as admin:
        host = listener.url.removeprefix("http://")
        for path, body in (
            ("/v1/embeddings", {"input": "a", "model": name.format(url=listener.url, host=host)}),
            ("/v1/embeddings", {"input": "a", "base_url": listener.url, "api_base": listener.url, "webhook": listener.url,
                                "model": name.format(url=listener.url, host=host), "provider": "openai"}),
        ):  # fmt: skip
            reply = admin.post(path, json=body)
            assert reply.status_code in (400, 404), (name, reply.text)
        assert not listener.was_asked()


def test_fields_that_name_an_address_are_no_address(guarded):
    with Listener() as listener, client(guarded, "admin") as admin:
        fields = {"base_url": listener.url, "url": listener.url, "webhook": listener.url, "callback": listener.url}
        assert admin.post("/v1/embeddings", json={"input": "a"} | fields).status_code in (200, 400)
        admin.get(
            "/v1/models",
            headers={"x-forwarded-host": listener.url, "x-original-url": listener.url, "referer": listener.url},
        )
        assert not listener.was_asked()


def test_headers_that_stand_twice(guarded):
    key = f"Authorization: Bearer {guarded.tokens['reader']}"
    assert raw(guarded.url, "Host: localhost", key)[0] == 200
    for lines in (
        ("Host: localhost", "Host: localhost", key),
        ("Host: localhost", key, "Authorization: Bearer x"),
        ("Host: localhost", "Authorization: Bearer x", key),
        ("Host: localhost", key, key),
        ("Host: localhost", key, "api-key: x"),
        ("Host: localhost", key, "Content-Length: 0", "Content-Length: 0"),
        ("Host: localhost", key, "Content-Length: 0", "Content-Length: 5"),
        ("Host: localhost", key, "Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Host: localhost", key, "Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
        ("Host: localhost", key, "Origin: http://localhost", "Origin: https://app.example.com"),
        (key,),
        ("Host:", key),
        ("Host: a b", key),
    ):
        status, answer = raw(guarded.url, *lines, method="POST", path="/v1/embeddings")
        assert status == 400, (lines, answer)
        assert b"\r\n\r\nHTTP/1.1" not in answer, "one request, one answer"


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "evil.example:8080", "10.0.0.1", "169.254.169.254"]
)
def test_a_name_that_leads_here_and_is_not_ours(guarded, host):
    with client(guarded) as reader:
        for path in ("/v1/models", "/version", "/openapi.json", "/nothing"):
            reply = reader.get(path, headers={"host": host})
            assert reply.status_code == 421, (path, reply.text)
    assert raw(guarded.url, f"Host: {host}", path=f"http://{host}/version")[0] == 421


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost", "https://app.example.com.evil.example"]
)
def test_pages_of_others(guarded, origin):
    body = json.dumps({"input": "a"})
    with client(guarded) as reader:
        for headers in ({"content-type": "text/plain"}, {"content-type": "application/json"}):
            reply = reader.post("/v1/embeddings", content=body, headers=headers | {"origin": origin})
            assert reply.status_code == 403 and "access-control-allow-origin" not in reply.headers
        asked = {"origin": origin, "access-control-request-method": "POST"}
        assert reader.options("/v1/embeddings", headers=asked).status_code == 403


def test_pages_that_are_allowed(guarded):
    origin = "https://app.example.com"
    with client(guarded, "") as page:
        reply = page.options("/v1/embeddings", headers={"origin": origin, "access-control-request-method": "POST"})
        assert reply.status_code == 204 and reply.headers["access-control-allow-origin"] == origin
        assert "authorization" in reply.headers["access-control-allow-headers"]
        assert "access-control-allow-credentials" not in reply.headers
        reply = page.get("/v1/models", headers={"origin": origin})
        assert reply.status_code == 401 and reply.headers["access-control-allow-origin"] == origin
    with client(guarded) as reader:
        assert "access-control-allow-origin" not in reader.get("/v1/models").headers
        reply = reader.get("/v1/models", headers={"origin": origin})
        assert reply.headers["access-control-allow-origin"] == origin and "origin" in reply.headers["vary"]


def test_an_open_server_serves_no_page_of_others(tmp_path):
    config = Config(embeddings=EmbeddingsConfig(models=HASH, default_model="words"))
    with running(tmp_path / ".embassay", config=config) as found:
        assert httpx.get(f"{found.url}/v1/models").status_code == 200
        for headers in (
            {"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
            {"host": "evil.example"}, {"x-forwarded-for": "127.0.0.1"}, {"sec-fetch-site": "same-site"},
            {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, {"forwarded": "for=127.0.0.1"},
        ):  # fmt: skip
            assert httpx.get(f"{found.url}/v1/models", headers=headers).status_code in (401, 403, 421), headers
        KeyStore(found.home.folder).create("first", Grant())
        assert httpx.get(f"{found.url}/v1/models").status_code == 401


def test_a_server_that_others_reach_does_not_begin_without_keys(tmp_path):
    serving = Serving((Address("0.0.0.0", 0),), entrance=Entrance("0.0.0.0"))
    with pytest.raises(UsageError, match="no key was made"), running(tmp_path / ".embassay", serving=serving):
        pass


def test_two_servers_share_the_limits_of_a_key_and_its_end(guarded, tmp_path):
    token = guarded.keys.create("limited", Grant(rates=PerMinute(requests=6, tokens=1000)))[1]
    config = Config(embeddings=EmbeddingsConfig(models=HASH, default_model="words"))
    with running(guarded.home.folder, config=config) as second, client(guarded, token) as one:
        other = httpx.Client(base_url=second.url, headers=one.headers, timeout=30)
        reply = one.post("/v1/embeddings", json={"input": ["a b c"] * 10})
        used = reply.json()["usage"]["total_tokens"]
        assert reply.headers["x-ratelimit-limit-tokens"] == "1000"
        assert 0 <= int(reply.headers["x-ratelimit-remaining-tokens"]) - (1000 - used) <= 10
        reply = other.post("/v1/embeddings", json={"input": "x" * 3980})
        assert reply.status_code == 429, reply.text
        assert reply.json()["error"]["code"] == "rate_limit_exceeded" and int(reply.headers["retry-after"]) >= 1
        reply = other.post("/v1/embeddings", json={"input": ["x" * 2000] * 9})
        assert reply.status_code == 413 and "1,000 a minute" in reply.json()["error"]["message"]
        assert [one.get("/v1/models").status_code, other.get("/v1/models").status_code] == [200, 200]
        assert one.get("/v1/models").headers["x-ratelimit-remaining-requests"] == "0"
        reply = other.get("/v1/models")
        assert reply.status_code == 429 and 1 <= int(reply.headers["retry-after"]) <= 10
        guarded.keys.revoke("limited")
        assert [one.get("/v1/models").status_code, other.get("/v1/models").status_code] == [401, 401]
        other.close()


def test_the_audit_log_has_who_and_what_and_no_secret(guarded):
    with client(guarded, "wrong-password-of-somebody") as nobody, client(guarded) as reader:
        nobody.post("/v1/embeddings", json={"input": SECRET})
        reader.post("/v1/embeddings", json={"input": SECRET, "model": "other"})
    guarded.server.guard.audit.close()
    text = (guarded.home.folder / AUDIT_FILE).read_text()
    assert SECRET not in text and "wrong-password" not in text
    assert not any(token in text for token in guarded.tokens.values())
    last = audited(guarded)[-1]
    assert last["client"] == "127.0.0.1" and last["status"] in (401, 403)
    found = [one for one in audited(guarded) if one["status"] == 403 and one.get("name") == "reader"]
    assert found and found[-1]["route"] == "/v1/embeddings"


def test_tls(tmp_path):
    cert, key = certificate(tmp_path, "own")
    config = Config(embeddings=EmbeddingsConfig(models=HASH, default_model="words"))
    serving = Serving((Address(port=0, scheme="https"),), tls=checked_tls(cert, key))
    trust = ssl.create_default_context(cafile=cert)
    with running(tmp_path / ".embassay", config=config, serving=serving, verify=trust) as found:
        assert found.url.startswith("https://127.0.0.1:")
        assert httpx.get(f"{found.url}/v1/models", verify=trust).status_code == 200
        with pytest.raises(httpx.TransportError):
            httpx.get(found.url.replace("https", "http") + "/v1/models")
        old = ssl.create_default_context(cafile=cert)
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((httpx.ConnectError, ssl.SSLError)):
            httpx.get(f"{found.url}/v1/models", verify=old)


def test_certificates_that_are_refused(tmp_path):
    cert, key = certificate(tmp_path, "own")
    _, other = certificate(tmp_path, "other")
    _, locked = certificate(tmp_path, "locked", "-passout", "pass:secret")
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n")
    assert checked_tls(None, None) == {}
    for one, two, said in (
        (cert, None, "needs both"), (None, key, "needs both"), (cert, tmp_path / "none", "no file that can be read"),
        (tmp_path, key, "no file that can be read"), (cert, other, "is not the key of"), (cert, locked, "has a passphrase"),
        (broken, key, "no certificate and its key"), (key, cert, "no certificate and its key"),
    ):  # fmt: skip
        if two == cert:
            cert.chmod(0o600)
        with pytest.raises(UsageError, match=said):
            checked_tls(one, two)
    key.chmod(0o644)
    with pytest.raises(UsageError, match="everybody on this machine can read"):
        checked_tls(cert, key)


# -- the sets of others ----------------------------------------------------------------------------------


def set_routes(guarded):
    """Every route that names a set in its path."""
    for _, _, route in guarded.server.service.served:
        if "{slug}" in route.path or "{name}" in route.path:
            yield route, route.path.replace(":path", "")


READ_BY_POST = ":get"
"""What is asked for in a body, because an address would be too short for it."""
BODIES = (None, {}, {"documents": [{"id": "x", "text": "y"}]}, {"text": "y"}, {"name": "renamed"}, {"slug": "animals"})


def test_a_set_of_others_is_not_there_by_any_route(guarded):
    """The same answer, to the letter, as for a set that there is not; and nothing has changed."""
    token = guarded.keys.create("writer", Grant("admin", sets=("animals",)))[1]
    names = ("private", "nowhere")
    with client(guarded, token) as writer:
        routes = [*set_routes(guarded)]
        assert len(routes) >= 8
        for route, path in routes:
            method = route.method
            for body in BODIES:
                told = []
                for name in names:
                    place = path.replace("{slug}", name).replace("{name}", name).replace("{id}", "plan")
                    reply = (
                        writer.request(method, place, json=body) if body is not None else writer.request(method, place)
                    )
                    told.append((reply.status_code, reply.text.replace(name, "NAME")))
                    assert SECRET not in reply.text and str(guarded.home.folder) not in reply.text
                    assert "private" not in reply.text.replace(f"'{name}'", ""), (method, path, reply.text)
                assert told[0] == told[1] and told[0][0] in (400, 403, 404), (method, path, body, told)
    assert guarded.home.set("private").get(["plan"])[0].text == SECRET and guarded.home.set("private").exists


def test_a_set_of_others_is_found_by_no_search(guarded):
    token = guarded.keys.create("searcher", Grant(sets=("animals",)))[1]
    with client(guarded, token) as reader:
        assert reader.get("/api/v1/search", params={"q": "launch"}).json()["set"] == "animals"
        for asked in (
            {"set": "private"}, {"set": "PRIVATE"}, {"set": "animals/../private"}, {"set": "./private"}, {"set": "private\u0000"},
            {"strategy": 'dense(10) | far=dense(10, set="private") >> rrf >> top(5)'}, {"where": "set = 'private'"},
            {"strategy": 'dense(10, set="private") >> top(5)'}, {"set": "animals,private"}, {"set": "*"}, {"set": " private"},
        ):  # fmt: skip
            reply = reader.get("/api/v1/search", params={"q": "the launch"} | asked)
            assert SECRET not in reply.text and "plan" not in reply.text, asked
            assert reply.status_code in (400, 404) or reply.json()["sets"] == ["animals"], (asked, reply.text)
        for body in (
            {"sets": ["animals", "private"]}, {"sets": ["private"]}, {"sets": ["private", "animals"]}, {"set": "private"},
            {"strategy": 'a=dense(10) | b=lexical(10, set="private") >> rrf >> top(5)'},
        ):  # fmt: skip
            reply = reader.post("/api/v1/search", json={"q": "the launch"} | body)
            assert reply.status_code in (400, 404) and SECRET not in reply.text, (body, reply.text)
        listed = reader.get("/api/v1/embedding-sets").text
        assert "animals" in listed and "private" not in listed


def test_a_set_of_others_is_shown_to_no_agent(guarded):
    token = guarded.keys.create("agent", Grant(sets=("animals",)))[1]
    with client(guarded, token) as agent:
        for tool, arguments in (
            ("list_sets", {}), ("search", {"query": "the launch", "set": "private"}), ("search", {"query": "the launch"}),
            ("read_document", {"document": "plan", "set": "private"}), ("explain", {"query": "launch", "set": "private"}),
            ("search", {"query": "launch", "pipeline": 'dense(10, set="private") >> top(5)'}),
        ):  # fmt: skip
            call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
            reply = agent.post("/mcp", json=call, headers={"accept": "application/json, text/event-stream"})
            assert reply.status_code < 500 and SECRET not in reply.text, (tool, reply.text)
            assert "private" not in reply.text.replace("'private'", ""), (tool, reply.text)


def test_a_key_makes_and_names_no_set_that_it_would_not_see(guarded):
    token = guarded.keys.create("maker", Grant("write", sets=("animals", "mine")))[1]
    with client(guarded, token) as maker:
        for body in (
            {"name": "theirs"}, {"name": "x", "slug": "private"}, {"name": "x", "slug": "../mine"}, {"name": "mine/x"},
            {"name": "mine", "set_type": "filter", "of": "private", "filter": "lang = 'en'"},
            {"name": "mine", "embedding_config_id": "/etc/passwd"}, {"name": "mine", "embedding_config_id": "openai/x"},
        ):  # fmt: skip
            reply = maker.post("/api/v1/embedding-sets", json=body)
            assert reply.status_code in (400, 403, 404), (body, reply.text)
        for body in ({"slug": "theirs"}, {"slug": "private"}, {"is_default": True}):
            reply = maker.patch("/api/v1/embedding-sets/animals", json=body)
            assert reply.status_code == 403, (body, reply.text)
        assert sorted(guarded.home.sets()) == ["animals", "private"]
        assert maker.post("/api/v1/embedding-sets", json={"name": "mine"}).status_code == 201
        assert maker.delete("/api/v1/embedding-sets/mine").status_code == 200
    done = [one for one in audited(guarded) if one.get("name") == "maker" and one["status"] < 300]
    assert [(one["method"], one["set"], one["status"]) for one in done] == [
        ("POST", "mine", 201),
        ("DELETE", "mine", 200),
    ]


def test_a_job_of_others_is_not_there(guarded):
    token = guarded.keys.create("mover", Grant("admin", sets=("animals",)))[1]
    guarded.home.set("private").migrate("other")
    with client(guarded, "admin") as admin, client(guarded, token) as mover:
        (job,) = admin.get("/api/v1/jobs").json()["data"]
        assert job["set"] == "private"
        assert mover.get("/api/v1/jobs").json()["data"] == []
        for action in ("", "/pause", "/resume", "/switch", "/rollback", "/abort"):
            told = []
            for id in (job["id"], "g0123456789ab"):
                reply = mover.request("POST" if action else "GET", f"/api/v1/jobs/{id}{action}")
                told.append((reply.status_code, reply.text.replace(id, "ID")))
            assert told[0] == told[1] and told[0][0] == 404, (action, told)
        for name in ("private", "nowhere"):
            body = {"set": name, "embedding_config_id": "words"}
            assert mover.post("/api/v1/jobs", json=body).status_code == 404
            assert mover.get("/api/v1/jobs", params={"set": name}).status_code == 404
            reply = mover.post("/api/v1/compare", json={"a": name, "b": "words", "pairs": [
                {"query": "launch", "relevant": ["x"]}]})  # fmt: skip
            assert reply.status_code == 404 and SECRET not in reply.text
        for judged in ("..", ".", "/etc", "../" + guarded.home.folder.parent.name, ".embassay", "x/../..", "a\0b"):
            reply = admin.post("/api/v1/compare", json={"a": "words", "b": "other", "judged": judged})
            assert reply.status_code in (400, 404), (judged, reply.text)
        assert admin.post(f"/api/v1/jobs/{job['id']}/abort").status_code == 200


def test_what_a_key_took_is_counted_on_every_route(guarded):
    token = guarded.keys.create("counted", Grant(sets=("animals",)))[1]
    key = next(one for one in guarded.keys.all() if one.name == "counted")
    with client(guarded, token) as counted:
        counted.get("/v1/models")
        embedded = counted.post("/v1/embeddings", json={"input": "one two three"}).json()["usage"]["total_tokens"]
        counted.get("/api/v1/search", params={"q": "otters asleep"})
    use = guarded.server.guard.use.read(key.slot, key.id)
    assert use.requests == 3 and use.tokens == embedded + 2 + len("otters asleep") // 4 and use.last


def test_a_key_that_may_read_changes_nothing(guarded):
    with client(guarded) as reader:
        for route, path in set_routes(guarded):
            if route.needs == "read":
                assert route.method == "GET" or path.endswith(READ_BY_POST), path
                continue
            place = path.replace("{slug}", "animals").replace("{name}", "animals").replace("{id}", "keys")
            assert reader.request(route.method, place, json={"text": "y"}).status_code == 403, path
        assert reader.post("/api/v1/embedding-sets", json={"name": "animals2"}).status_code == 403
    assert sorted(one.id for one in guarded.home.set("animals").get(["herons", "keys", "otters"])) == [
        "herons",
        "keys",
        "otters",
    ]


@pytest.mark.parametrize("name", ["..", ".", "../private", "..%2fprivate", "%2e%2e%2fprivate", "animals%2f..%2fprivate", "private%00",
                                  "animals/../private", "%2e%2e", "..%5cprivate", "animals%2f..", "%ff", "private%20", "%e2%80%ae",
                                  "a" * 5000, "%0d%0aHost: evil.example", "state.db", "..%252fprivate"])  # fmt: skip
def test_tricks_in_names_of_sets(guarded, name):
    token = guarded.tokens["reader"]
    for path in (f"/api/v1/embedding-sets/{name}", f"/api/v1/embedding-sets/{name}/documents/plan"):
        status, answer = raw(guarded.url, "Host: localhost", f"Authorization: Bearer {token}", path=path)
        assert status in (400, 404, 414), (path, answer)
        assert SECRET.encode() not in answer and b"evil" not in answer.partition(b"\r\n\r\n")[0]
    with client(guarded, "admin") as admin:
        reply = admin.post("/api/v1/embedding-sets", json={"name": "x", "slug": f"../{name}"[:90]})
        assert reply.status_code in (400, 404), reply.text


def test_what_an_agent_changes_stands_in_the_audit_log(tmp_path):
    log = QueryLogConfig(queries="kept")
    config = Config(embeddings=EmbeddingsConfig(models=HASH, default_model="words"), query_log=log)
    with running(tmp_path / ".embassay", config=config) as found:
        found.home.set("animals").upsert(DOCUMENTS)
        store = KeyStore(found.home.folder)
        found.tokens = {
            "reader": store.create("reader", Grant())[1],
            "writer": store.create("writer", Grant("write"))[1],
        }
        with client(found, "reader") as reader, client(found, "writer") as writer:
            search = reader.get("/api/v1/search", params={"q": "otters"}).json()["id"]
            arguments = {"search": search, "thumbs": "up"}
            call = {
                "jsonrpc": "2.0",
                "id": 1,
                "method": "tools/call",
                "params": {"name": "feedback", "arguments": arguments},
            }
            accept = {"accept": "application/json, text/event-stream"}
            said = [who.post("/mcp", json=call, headers=accept).text for who in (reader, writer, reader)]
        assert "right to write" in said[0] and "right to write" not in said[1]
        lines = [(line["name"], line["route"], line["set"]) for line in audited(found)]
        assert lines == [("reader", "/mcp", "animals"), ("writer", "/mcp", "animals"), ("reader", "/mcp", "animals")]
