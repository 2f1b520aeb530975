"""A call of a tool: from its arguments as they came to what the agent is answered."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

import msgspec
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from mcp_types import Tool as Description

from embassay import plugins
from embassay.errors import (
    CacheError,
    ConfigError,
    EmbassayError,
    HomeError,
    LedgerError,
    StoreError,
    UsageError,
)
from embassay.text import without_files

if TYPE_CHECKING:
    from msgspec import Struct

    from embassay.agents.base import Desk, Tool

TOOLS = "embassay.agents.tools"
ERROR = "embassay/error"
"""Where a result says what failed as fields; its text says it in words."""
MOST_WORDS = 4_000
"""Characters of what an error says."""
_log = logging.getLogger("embassay.agents")


@cache
def tools() -> Mapping[str, Tool]:
    """Every tool by the name that agents call it by. Raises PluginError."""
    return {name.replace("-", "_"): module for name, module in plugins.load_all(TOOLS).items()}


@cache
def descriptions() -> Sequence[Description]:
    """The tools as a client lists them, made once: a server makes one of the protocol for each request."""
    return [described(name, tool) for name, tool in tools().items()]


def described(name: str, tool: Tool) -> Description:
    """The tool as a client lists it."""
    return Description(
        name=name,
        title=tool.TITLE,
        description=" ".join(tool.__doc__.split()),
        input_schema=schema(tool.Arguments),
        output_schema=schema(tool.Reply),
        annotations=ToolAnnotations(
            title=tool.TITLE,
            read_only_hint=not tool.WRITES,
            destructive_hint=False,
            idempotent_hint=True,
            open_world_hint=False,
        ),
    )


OF_FILES = (HomeError, StoreError, CacheError, LedgerError, ConfigError)
"""Failures whose words name files of the home, of which an agent need not know."""


def schema(kind: type[msgspec.Struct]) -> dict[str, object]:
    """The JSON Schema of a struct, an object at its root, as clients demand."""
    (root,), parts = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    name = root["$ref"].rpartition("/")[2]
    own: dict[str, object] = parts.pop(name)
    return own | ({"$defs": parts} if parts else {})


def called(tool: Tool, given: Mapping[str, object] | None, desk: Callable[[], Desk]) -> CallToolResult:
    """What the tool answers; a failure is an answer too, so that the agent can mend its call."""
    try:
        reply = tool.run(desk(), _read(tool, given))
        plain = msgspec.to_builtins(reply)
        text = msgspec.json.encode(reply).decode()
    except EmbassayError as error:
        return failed(error)
    except Exception as error:
        _log.error("the tool %s failed: %s", tool.TITLE, type(error).__name__)
        return failed(EmbassayError("the tool failed for a reason that is no fault of this call."))
    return CallToolResult(content=[TextContent(text=text)], structured_content=plain)


def failed(error: EmbassayError) -> CallToolResult:
    """An error as an answer: its code, what was found, and what mends it, as one would type it."""
    fields = error.to_dict() | {"remedy": error.remedy.in_shell()}
    if isinstance(error, OF_FILES):
        fields |= {name: without_files(str(fields[name])) for name in ("message", "remedy")}
    words = f"{error.code}: {fields['message']} {fields['remedy']}".rstrip()[:MOST_WORDS]
    return CallToolResult(content=[TextContent(text=words)], is_error=True, _meta={ERROR: fields})


def _read(tool: Tool, given: Mapping[str, object] | None) -> Struct:
    try:
        return msgspec.convert(given or {}, tool.Arguments)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"the arguments cannot be read: {error}.", remedy="The input schema of the tool says what they may be."
        ) from None
    except (UnicodeEncodeError, RecursionError):  # a lone surrogate where a number is expected; nested without end
        raise UsageError("the arguments are no JSON that could be sent.") from None
