"""References to secrets: values that are taken from elsewhere when they are needed, and never stored.

    ${NAME}                          a variable of the environment
    ${file:/run/secrets/key}         the content of a file
    ${keyring:service/name}          the system's keyring (extra `keyring`)
    ${command:vault read -field=k x} what a command prints; no shell takes part

No error repeats what was read, nor what a command printed.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from embassay import remedy
from embassay.errors import ConfigError, PluginError, UsageError
from embassay.files import expanded

REFERENCE = re.compile(r"\$\{(\w+|(?:file|keyring|command):[^{}]+)\}")
MAX_SECRET = 1 << 16
"""Bytes of a secret: more is no key."""
COMMAND_SECONDS = 60
"""How long a command may take, the user's typing of a passphrase included."""
_WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0)
"""A pipe that nobody writes to is opened at once, and refused."""


def references(value: str) -> list[str]:
    """Every reference in `value` as it is shown: ``${NAME}``; of a command only the program."""
    return [shown(match) for match in REFERENCE.finditer(value)]


def has_reference(value: object) -> bool:
    """Whether there is a reference in a text, or in any text of a list or a mapping, names included."""
    if isinstance(value, str):
        return bool(REFERENCE.search(value))
    if isinstance(value, Mapping):
        return any(has_reference(part) for item in value.items() for part in item)
    return isinstance(value, (list, tuple)) and any(has_reference(part) for part in value)


def shown(match: re.Match[str]) -> str:
    """A reference for people. The arguments of a command are left out: some tools are told secrets there."""
    kind, _, rest = match[1].partition(":")
    program, *more = rest.split() or [""]
    return f"${{command:{program}{' ...' if more else ''}}}" if kind == "command" and rest else match[0]


def is_set(value: str, env: Mapping[str, str] = os.environ) -> bool:
    """Whether what `value` refers to is there, as far as can be told without running a command or a keyring."""
    for match in REFERENCE.finditer(value):
        kind, _, rest = match[1].partition(":")
        if (not rest and kind not in env) or (kind == "file" and not Path(rest).is_file()):
            return False
    return True


def expand(value: str, what: str, env: Mapping[str, str] = os.environ) -> str:
    """`value` with every reference replaced by what it leads to. `what` says in errors where the value stands.

    Raises ConfigError for what is not there, and PluginError where the keyring is not installed.
    """

    def replace(match: re.Match[str]) -> str:
        kind, _, rest = match[1].partition(":")
        if not rest:
            return _variable(kind, what, env)
        return {"file": _file, "keyring": _keyring, "command": _command}[kind](rest, what)

    return REFERENCE.sub(replace, value)


def _variable(name: str, what: str, env: Mapping[str, str]) -> str:
    if name not in env:
        raise ConfigError(f"{what} refers to ${{{name}}}, which is not set.", remedy=remedy.environment(name))
    return env[name]


def _file(name: str, what: str) -> str:
    try:
        path = expanded(name)
    except UsageError as error:
        raise ConfigError(f"{what}: {error.message}", remedy=error.remedy) from None
    if not path.is_absolute():
        raise ConfigError(f"{what} refers to the file {name}, which is no whole path.", remedy="Write /run/secrets/x.")
    try:
        opened = os.open(path, os.O_RDONLY | _WITHOUT_WAITING)
        try:
            if not stat.S_ISREG(os.fstat(opened).st_mode):
                raise ConfigError(f"{what} refers to {path}, which is no plain file.")
            read = os.read(opened, MAX_SECRET + 1)
        finally:
            os.close(opened)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no name of a file"
        raise ConfigError(f"{what} refers to the file {path}, which cannot be read: {why}.") from None
    return _text(read, f"{what}: the file {path}")


def _keyring(name: str, what: str) -> str:
    service, _, user = name.rpartition("/")
    if not service or not user:
        raise ConfigError(f"{what}: write ${{keyring:service/name}}, not ${{keyring:{name}}}.")
    try:
        import keyring
    except ImportError:
        raise PluginError(
            f"{what} refers to the keyring, which is not installed.", remedy=remedy.install("embassay[keyring]")
        ) from None
    try:
        found = keyring.get_password(service, user)
    except Exception as error:  # each keyring of each system has errors of its own
        raise ConfigError(f"{what}: the keyring cannot be read ({type(error).__name__}).") from None
    if found is None:
        raise ConfigError(
            f"{what}: the keyring holds nothing for {service}/{user}.", remedy=f"Run: keyring set {service} {user}"
        )
    return found


def _command(line: str, what: str) -> str:
    import shlex
    import subprocess

    try:
        words = shlex.split(line)
    except ValueError as error:
        raise ConfigError(f"{what}: the command cannot be read: {error}.") from None
    program = words[0] if words else ""
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise ConfigError(f"{what}: {program} said nothing within {COMMAND_SECONDS} s.") from None
    except (OSError, ValueError, IndexError) as error:
        why = getattr(error, "strerror", None) or "no name of a program"
        raise ConfigError(f"{what}: {program or 'the command'} cannot be run: {why}.") from None
    if done.returncode:
        raise ConfigError(f"{what}: {program} ended with exit code {done.returncode}.", remedy="Run it by hand.")
    return _text(done.stdout, f"{what}: what {program} printed")


def _text(read: bytes, what: str) -> str:
    """A secret as text, without the line break at its end."""
    try:
        text = read.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise ConfigError(f"{what} is no text in UTF-8.") from None
    if not text or len(read) > MAX_SECRET:
        raise ConfigError(f"{what} is {'empty' if not text else f'longer than {MAX_SECRET:,} bytes'}.")
    return text
