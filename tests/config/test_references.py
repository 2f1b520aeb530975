"""Secrets from elsewhere: read where they are, and seen nowhere."""

from __future__ import annotations

import os
import sys

import keyring
import keyring.backend
import keyring.errors
import pytest

from embassay.config.references import expand, has_reference, is_set, references
from embassay.config.secrets import masked
from embassay.errors import ConfigError, EmbassayError, PluginError

SAID = "what was read 4711"


def command(code):
    return f"${{command:{sys.executable} -c '{code}'}}"


def test_each_kind(tmp_path):
    (tmp_path / "key").write_text("sk-file\r\n")
    assert expand("Bearer ${A}!", "x", {"A": "sk-1"}) == "Bearer sk-1!"
    assert expand(f"${{file:{tmp_path}/key}}", "x") == "sk-file"
    assert expand(command('print("sk-printed")'), "x") == "sk-printed"
    assert expand("no ${reference-here} and $A ${}", "x", {}) == "no ${reference-here} and $A ${}"
    assert expand("a ${A} of ${B}", "x", {"A": "${B}", "B": "b"}) == "a ${B} of b", "what was read is not read again"


class Keyring(keyring.backend.KeyringBackend):
    priority = 1

    def __init__(self, kept, fails=False):
        self._kept, self._fails = kept, fails

    def get_password(self, service, username):
        if self._fails:
            raise keyring.errors.KeyringLocked(SAID)
        return self._kept.get((service, username))

    def set_password(self, *_):
        raise NotImplementedError


def test_the_keyring():
    before = keyring.get_keyring()
    try:
        keyring.set_keyring(Keyring({("my/service", "me"): "sk-ring"}))
        assert expand("${keyring:my/service/me}", "x") == "sk-ring"
        for wrong in ("${keyring:nobody/me}", "${keyring:me}", "${keyring:/me}", "${keyring:me/}"):
            with pytest.raises(ConfigError, match="keyring"):
                expand(wrong, "x")
        keyring.set_keyring(Keyring({}, fails=True))
        with pytest.raises(ConfigError) as caught:
            expand("${keyring:a/b}", "x")
        assert SAID not in str(caught.value) and "KeyringLocked" in str(caught.value)
    finally:
        keyring.set_keyring(before)


def test_without_the_keyring(monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(PluginError, match=r"\[keyring\]"):
        expand("${keyring:a/b}", "x")


@pytest.fixture
def bad(tmp_path):
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe" + SAID.encode())
    (tmp_path / "long").write_text(SAID * 9999)
    os.mkfifo(tmp_path / "pipe")
    return {
        "unset": "${NOT_SET_ANYWHERE}",
        "no file": f"${{file:{tmp_path}/none}}",
        "a folder": f"${{file:{tmp_path}}}",
        "a pipe": f"${{file:{tmp_path}/pipe}}",
        "a relative path": "${file:key}",
        "nobody's home": "${file:~nobody-of-that-name/key}",
        "an empty file": f"${{file:{tmp_path}/empty}}",
        "no text": f"${{file:{tmp_path}/binary}}",
        "too long": f"${{file:{tmp_path}/long}}",
        "NUL": "${file:/a\0b}",
        "no program": "${command:no-such-program-here --secret 4711}",
        "a failure": command(f'print("{SAID}"); import sys; sys.stderr.write("{SAID}"); sys.exit(3)'),
        "nothing said": command("pass"),
        "half a quote": "${command:echo 'a}",
        "an empty command": "${command: }",
    }


def test_what_cannot_be_read_is_a_named_error_that_repeats_nothing(bad):
    for name, text in bad.items():
        with pytest.raises(EmbassayError, match="api_key of m") as caught:
            expand(text, "api_key of m")
        assert "4711" not in str(caught.value), name


def test_what_is_shown():
    assert references("a ${A} ${command:vault read -token=s3cret} ${file:/x}") == [
        "${A}",
        "${command:vault ...}",
        "${file:/x}",
    ]
    shown = masked(
        {"api_key": "${command:vault -token=s3cret}", "note": "${command:vault -token=s3cret}", "a": "b ${file:/x}"}
    )
    assert "s3cret" not in str(shown) and shown["a"] == "b ${file:/x}"
    assert masked({"api_key": "none"}) == {"api_key": "none"} and masked({"api_key": "x ${A}"}) == {
        "api_key": "********"
    }


def test_where_references_hide():
    for value in ("${A}", ["x", "${A}"], {"a": {"b": ("${file:/x}",)}}, {"${A}": 1}):
        assert has_reference(value)
    for value in ("$A", 3, None, [], {"a": "{A}"}, "${other:thing}"):
        assert not has_reference(value)


def test_whether_it_is_set(tmp_path):
    assert is_set("x", {}) and is_set("${A}", {"A": ""}) and not is_set("${A}", {})
    assert not is_set(f"${{file:{tmp_path}/none}}", {}) and is_set("${command:anything}", {})
