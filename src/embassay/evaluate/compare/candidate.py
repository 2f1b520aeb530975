"""What is compared, as a user writes it: ``MODEL[@PRECISION][@MODE][@dims=N][@fusion=NAME]``, in any order.

In place of a mode stands a whole pipeline as well: ``minilm@dense(200) | lexical(200) >> zscore``. It may leave out how
many hits come out, which whoever measures decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from embassay.errors import UsageError
from embassay.models.reference import is_option
from embassay.search.fusion import Fusion
from embassay.search.modes import MODES, pipeline
from embassay.search.parse import parse_pipeline
from embassay.search.pipeline import Pipeline
from embassay.search.stages.top import Top

FUSION = "fusion="
_PART = re.compile(r'@((?:[^"@]|"(?:[^"\\]|\\.)*"?)*)')
"""What stands behind an ``@`` that is in no quotes: the arguments of a stage may have some in theirs."""
_STAGES = re.compile(r"[|(]|>>")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model in a form, and the pipeline that searches its vectors."""

    name: str
    """As it was written."""
    model: str
    """What a registry opens: name, precision and dimensions."""
    pipeline: Pipeline
    is_of_mode: bool = False
    """Whether the pipeline is that of a mode, so that a set may join its arms in a way of its own."""

    def on_set(self, fusion: Fusion | None) -> Candidate:
        """The same on a set that has a fusion of its own."""
        return (
            self if fusion is None or not self.is_of_mode else replace(self, pipeline=self.pipeline.joined_by(fusion))
        )


def parse_candidate(text: str, mode: str = "dense") -> Candidate:
    """``minilm@hybrid@int8`` as a model and a pipeline; `mode` where none is written.

    An ``@`` that starts no option belongs to the name. Raises UsageError for what is no pipeline and looks like one,
    for an unknown fusion, and for a pipeline beside a mode or a fusion.
    """
    name, *parts = _parts(text)
    options: list[str] = []
    fusion = written = None
    modes: list[str] = []
    while parts:
        if parts[-1] in MODES:
            modes.append(parts.pop())
        elif parts[-1].startswith(FUSION):
            fusion = parts.pop().removeprefix(FUSION)
        elif is_option(parts[-1]):
            options.insert(0, parts.pop())
        elif written is None and is_pipeline(parts[-1]):
            written = parts.pop()
        else:
            break
    model = "@".join([name, *parts, *options])
    if written is None:
        return Candidate(text, model, pipeline(modes[-1] if modes else mode, fusion=fusion), is_of_mode=fusion is None)
    if modes or fusion is not None:
        raise UsageError(
            f"the candidate {text!r} names a pipeline, and a mode or a fusion besides.",
            remedy="Leave one of them out: the pipeline says both.",
        )
    return Candidate(text, model, measured(written))


def measured(written: str) -> Pipeline:
    """The pipeline as it is written to be measured: its end may be left out. Raises UsageError."""
    return parse_pipeline(written, end=Top())


def is_pipeline(part: str) -> bool:
    """Whether what stands behind an ``@`` is meant as a pipeline, well formed or not."""
    return bool(_STAGES.search(part))


def _parts(text: str) -> list[str]:
    """What stands between ``@``; a folder that is there is a name, whatever it has in it."""
    head = text.split("@", 1)[0]
    parts = [head, *_PART.findall(text[len(head) :])]
    for end in range(len(parts), 1, -1):
        folder = "@".join(parts[:end])
        if is_pipeline(folder) and _is_folder(folder):
            return [folder, *parts[end:]]
    return parts


def _is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except (OSError, ValueError):  # too long, or with what no name has in it
        return False
