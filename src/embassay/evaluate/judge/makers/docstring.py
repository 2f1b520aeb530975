"""The first sentence of a docstring asks for the code below it; the docstring is taken out of the code."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from itertools import accumulate

from embassay.evaluate.judge.base import Proposal
from embassay.evaluate.judge.passages import Passages
from embassay.evaluate.judge.phrases import usable
from embassay.types import Document

_SENTENCE = re.compile(r"^(.+?)(?:\.(?=\s|$)|\n\s*\n|$)", re.DOTALL)
_NODES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
BIAS = (-0.15, 0.05)
"""The docstring is cut out of the code, which is left without its words: this punishes a search by words."""
LEAST_LINES = 3
"""Of code below a docstring: less is nothing to look for."""


def propose(passages: Passages) -> Iterator[Proposal]:
    """Functions and classes of Python."""
    for document in passages.documents:
        if document.kind == "code:python":
            yield from _of(passages, document)


def _of(passages: Passages, document: Document) -> Iterator[Proposal]:
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(document.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    starts = [0, *accumulate(len(line) + 1 for line in document.text.split("\n"))]
    for node in ast.walk(tree):
        if not isinstance(node, _NODES) or not (said := ast.get_docstring(node)):
            continue
        string = node.body[0]
        match = _SENTENCE.match(said)
        query = " ".join(match[1].split()) if match else ""
        code = (node.end_lineno or 0) - (string.end_lineno or 0)
        passage = passages.at(document.id, starts[node.lineno - 1])
        if passage is None or not usable(query, passages.language) or code < LEAST_LINES:
            continue
        hidden = document.text[starts[string.lineno - 1] : starts[string.end_lineno or string.lineno]].strip()
        where = passages.at(document.id, starts[string.lineno - 1]) or passage
        yield Proposal(query, tuple({passage.id: 0, where.id: 0}), document.id, ((where.id, hidden),), "statement")
