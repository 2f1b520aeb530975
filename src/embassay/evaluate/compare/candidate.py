"""What is compared, as a user writes it: ``MODEL[@PRECISION][@MODE][@dims=N][@fusion=NAME]``, in any order."""

from __future__ import annotations

from dataclasses import dataclass

from embassay.models.reference import is_option
from embassay.search.modes import MODES, pipeline
from embassay.search.pipeline import Pipeline

FUSION = "fusion="


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model in a form, and the pipeline that searches its vectors."""

    name: str
    """As it was written."""
    model: str
    """What a registry opens: name, precision and dimensions."""
    pipeline: Pipeline


def parse_candidate(text: str, mode: str = "dense") -> Candidate:
    """``minilm@hybrid@int8`` as a model and a pipeline; `mode` where none is written. Raises UsageError.

    An ``@`` that starts no option belongs to the name.
    """
    parts = text.split("@")
    options: list[str] = []
    fusion = None
    while len(parts) > 1:
        if parts[-1] in MODES:
            mode = parts.pop()
        elif parts[-1].startswith(FUSION):
            fusion = parts.pop().removeprefix(FUSION)
        elif is_option(parts[-1]):
            options.insert(0, parts.pop())
        else:
            break
    return Candidate(text, "@".join([*parts, *options]), pipeline(mode, fusion=fusion))
