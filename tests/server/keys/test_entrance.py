"""Which requests are let in at all: by name, by page, by proxy."""

import pytest

from embassay.errors import UsageError
from embassay.server.keys.entrance import Caller, Entrance, is_loopback, name_of
from embassay.server.keys.heads import read_heads
from embassay.server.refusals import HostRefused, OriginRefused, RequestInvalid

HERE = "127.0.0.1"


def heads(host="localhost:8080", **more):
    lines = [(b"host", host.encode("latin-1"))] if host is not None else []
    return read_heads(lines + [(name.replace("_", "-").encode(), value.encode()) for name, value in more.items()])


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("localhost", "localhost"), ("LOCALHOST:80", "localhost"), ("127.0.0.1:8080", "127.0.0.1"),
        ("[::1]:8080", "::1"), ("[::1]", "::1"), ("::1", "::1"), ("search.example.com.", "search.example.com"),
        ("a:b:c", None), ("localhost:x", None), ("localhost:70000", None), ("a b", None), ("a@b", None), ("a/b", None),
        ("[localhost]", None), ("[::1", None), ("é.com", None), ("", None), ("a..b", None), ("localhost:٣", None),
        ("x" * 64, None), (".".join(["a"] * 70), None), ("localhost:" + "9" * 5000, None),
    ],
)  # fmt: skip
def test_the_name_in_a_host(host, name):
    assert name_of(host) == name


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8080", "127.0.0.1", "127.8.9.10:1", "[::1]:8080", "LocalHost."]
)
def test_names_of_loopback_are_answered(host):
    assert Entrance().check(heads(host), HERE) == Caller(HERE, True)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io:8080", "10.0.0.5", "169.254.169.254", "xlocalhost",
     "0.0.0.0", "2130706433", "0x7f000001", "localhost@evil.example", "evil.example:8080@localhost", "[::ffff:8.8.8.8]"],
)  # fmt: skip
def test_a_name_that_was_made_to_lead_here_is_refused(host):
    """DNS rebinding: the page's own name, which its browser sends, is none of this server's."""
    with pytest.raises((HostRefused, RequestInvalid)):
        Entrance().check(heads(host), HERE)


def test_names_that_were_allowed():
    entrance = Entrance.of("0.0.0.0", allow_host=["search.example.com", "*.internal"])
    for host in (
        "search.example.com:443",
        "SEARCH.example.com",
        "a.internal",
        "b.a.internal",
        "10.1.2.3:8080",
        "[fe80::1]",
    ):
        assert entrance.check(heads(host), "10.1.2.3")
    for host in ("example.com", "x.search.example.com", "internal", "ainternal", "internal.evil.example"):
        with pytest.raises(HostRefused, match="does not answer to the name"):
            entrance.check(heads(host), "10.1.2.3")
    assert Entrance.of(allow_host=["*"]).check(heads("whatever.example"), HERE)


@pytest.mark.parametrize("host", [None, "", " "])
def test_a_request_without_a_name(host):
    with pytest.raises(RequestInvalid, match="no header Host"):
        Entrance().check(heads(host), HERE)


@pytest.mark.parametrize(
    "name", [b"host", b"authorization", b"content-length", b"transfer-encoding", b"api-key", b"x-api-key", b"origin",
             b"content-type", b"sec-fetch-site"],
)  # fmt: skip
def test_a_header_that_stands_twice(name):
    with pytest.raises(RequestInvalid, match="two headers"):
        read_heads([(name, b"1"), (b"accept", b"a"), (b"accept", b"b"), (name, b"1")])


def test_two_ways_to_say_how_long_a_body_is():
    with pytest.raises(RequestInvalid, match="its end is not clear"):
        read_heads([(b"content-length", b"3"), (b"transfer-encoding", b"chunked")])


@pytest.mark.parametrize(
    ("lines", "token"),
    [
        ({"authorization": "Bearer abc"}, "abc"), ({"authorization": "bearer  abc "}, "abc"), ({"api_key": "abc"}, "abc"),
        ({"x_api_key": "abc"}, "abc"), ({"authorization": "Bearer abc", "api_key": "abc"}, "abc"), ({}, ""),
        ({"authorization": "Basic abc"}, "Basic abc"), ({"authorization": "Bearer"}, ""), ({"api_key": ""}, ""),
    ],
)  # fmt: skip
def test_the_key_of_a_request(lines, token):
    assert heads(**lines).token == token


def test_two_keys_are_refused():
    with pytest.raises(RequestInvalid, match="Authorization and Api-Key bring different keys"):
        heads(authorization="Bearer a", api_key="b")


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:3000", "null", "http://localhost.evil.example:8080",
                                    "http://evil.example/localhost:8080", "localhost:8080", "file://"])  # fmt: skip
def test_a_page_of_another_origin_may_not_ask(origin):
    with pytest.raises(OriginRefused, match="may not ask"):
        Entrance().check(heads(origin=origin), HERE)


def test_the_own_page_may():
    assert Entrance().check(heads(origin="http://localhost:8080"), HERE).is_near
    assert Entrance().check(heads(sec_fetch_site="same-origin"), HERE).is_near


def test_origins_that_were_allowed():
    entrance = Entrance.of(allow_origin=["https://App.example.com"])
    assert entrance.check(heads(origin="https://app.example.com"), HERE).is_near
    assert entrance.allows_origin("https://app.example.com") and not entrance.allows_origin("http://app.example.com")
    with pytest.raises(OriginRefused):
        entrance.check(heads(origin="https://app.example.com.evil.example"), HERE)
    everywhere = Entrance.of(allow_origin=["*"])
    assert not everywhere.check(heads(origin="https://evil.example"), HERE).is_near, "it needs a key"


def test_a_page_that_says_no_origin():
    """An image or a form of another site: browsers say no origin, and where it comes from."""
    with pytest.raises(OriginRefused, match="another site"):
        Entrance().check(heads(sec_fetch_site="cross-site", sec_fetch_mode="no-cors"), HERE)
    assert not Entrance().check(heads(sec_fetch_site="cross-site", sec_fetch_mode="navigate"), HERE).is_near
    assert not Entrance().check(heads(sec_fetch_site="same-site"), HERE).is_near


def test_only_named_proxies_are_believed():
    entrance = Entrance.of(trusted_proxy=["10.0.0.0/8", "127.0.0.1"])
    said = heads(x_forwarded_for="1.1.1.1, 203.0.113.9, 10.9.9.9")
    assert entrance.check(said, "10.1.1.1").address == "203.0.113.9"
    assert entrance.check(said, "192.168.1.1").address == "192.168.1.1"
    assert Entrance().check(said, "10.1.1.1").address == "10.1.1.1"
    assert entrance.check(heads(x_forwarded_for="<script>, 10.2.2.2"), "10.1.1.1").address == "unknown"
    assert entrance.check(heads(x_forwarded_for="127.0.0.1"), "10.1.1.1") == Caller("127.0.0.1", True)
    assert entrance.check(heads(x_forwarded_for="8.8.8.8, 127.0.0.1"), "127.0.0.1") == Caller("8.8.8.8", False)


def test_several_lines_of_a_proxy_are_one():
    said = read_heads([(b"host", b"localhost"), (b"x-forwarded-for", b"6.6.6.6"), (b"x-forwarded-for", b"7.7.7.7")])
    assert Entrance.of(trusted_proxy=["127.0.0.1"]).check(said, HERE).address == "7.7.7.7"


@pytest.mark.parametrize("header", ["x_forwarded_for", "forwarded", "x_real_ip"])
def test_what_a_proxy_passes_on_that_nobody_named_is_not_of_this_machine(header):
    assert not Entrance().check(heads(**{header: "127.0.0.1"}), HERE).is_near


def test_a_unix_socket_is_of_this_machine():
    assert Entrance("unix:/run/embassay.sock").check(heads(), None) == Caller("unix", True)
    believed = Entrance.of("unix:/run/embassay.sock", trusted_proxy=["unix"])
    assert believed.check(heads(x_forwarded_for="9.9.9.9"), None) == Caller("9.9.9.9", False)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.255.0.1", "::1", "localhost", "unix:/a", "::ffff:127.0.0.1"])
def test_loopback(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "", "example.com", "::ffff:10.0.0.1", "localhost.evil"])
def test_not_loopback(host):
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"allow_host": ["http://a"]}, "no name of a server"), ({"allow_host": ["a:80"]}, "no name of a server"),
        ({"allow_host": [""]}, "no name of a server"), ({"allow_origin": ["app.example.com"]}, "no origin"),
        ({"allow_origin": ["https://a/b"]}, "no origin"), ({"allow_origin": ["null"]}, "no origin"),
        ({"trusted_proxy": ["nginx"]}, "no address"), ({"trusted_proxy": ["10.0.0.0/99"]}, "no address"),
    ],
)  # fmt: skip
def test_rules_that_cannot_be(options, said):
    with pytest.raises(UsageError, match=said):
        Entrance.of(**options)
