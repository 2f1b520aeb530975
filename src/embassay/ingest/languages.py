"""Programming languages that are cut along their grammar: suffix, and the package that carries the grammar."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

LANGUAGES: Mapping[str, str] = {
    ".py": "python",
    ".pyi": "python",
    ".js": "javascript",
    ".mjs": "javascript",
    ".cjs": "javascript",
    ".jsx": "javascript",
    ".ts": "typescript",
    ".tsx": "tsx",
    ".rs": "rust",
    ".go": "go",
    ".java": "java",
    ".c": "c",
    ".h": "c",
    ".cc": "cpp",
    ".cpp": "cpp",
    ".cxx": "cpp",
    ".hpp": "cpp",
    ".hh": "cpp",
}
"""Suffix to language."""

GRAMMARS: Mapping[str, tuple[str, str]] = {
    "typescript": ("tree_sitter_typescript", "language_typescript"),
    "tsx": ("tree_sitter_typescript", "language_tsx"),
}
"""Module and function of the grammars that do not follow the rule ``tree_sitter_<language>.language()``."""

WITHOUT_GRAMMAR = frozenset(
    {".rb", ".php", ".cs", ".kt", ".swift", ".scala", ".sh", ".bash", ".sql", ".lua", ".pl", ".r", ".ex", ".erl", ".hs"}
)
"""Suffixes of code that is cut as text."""


@cache
def language_of(name: str) -> Any | None:
    """The tree-sitter language object (a capsule), or None where no grammar is known."""
    module, function = GRAMMARS.get(name, (f"tree_sitter_{name}", "language"))
    try:
        return getattr(import_module(module), function)()
    except ImportError:
        return None
