"""Architectures without a layout: the repository's own OpenVINO or ONNX graph, pooled like ours."""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from embassay.engine.unsupported import damaged, needs_torch

if TYPE_CHECKING:
    import openvino as ov

    from embassay.engine.heads.base import Output

GRAPH_FILES = ("openvino/openvino_model.xml", "openvino_model.xml", "onnx/model.onnx", "model.onnx")
HIDDEN_STATES = ("last_hidden_state", "token_embeddings")
"""Names under which exported graphs give the states of the tokens."""
INPUTS = frozenset({"input_ids", "attention_mask", "token_type_ids", "position_ids"})
"""What exported graphs may ask for."""
_LOCATION = re.compile(rb"\x0a\x08location\x12(?:([\x01-\x7f])|([\x80-\xff])([\x01-\x1f]))")
"""What comes before the name of a file in ONNX: the entry that tells where a tensor's bytes are, and its length."""


def graph_file(folder: Path) -> Path | None:
    """The graph that a repository brings, if it brings one."""
    return next((folder / name for name in GRAPH_FILES if (folder / name).is_file()), None)


def companion_files(file: Path) -> list[Path]:
    """The file of a graph, and the files of its weights: an ONNX file says itself what they are called."""
    beside = (file.parent / name for name in sorted(set(_locations(file))))
    weights = [file.with_suffix(".bin")] if file.suffix == ".xml" else beside
    return [file, *(path for path in weights if path.is_file())]


def _locations(file: Path) -> Iterator[str]:
    """Names of the files in which an ONNX file keeps tensors."""
    if not file.stat().st_size:
        return
    with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for found in _LOCATION.finditer(data):
            short, low, high = found.groups()
            length = short[0] if short else (low[0] & 0x7F) | high[0] << 7
            name = data[found.end() : found.end() + length]
            if b"\0" not in name:
                yield name.decode("utf-8", "surrogateescape")


def read_graph(file: Path, head: Output) -> tuple[ov.Model, Sequence[str]]:
    """The graph with `head` on top of it, and the names of its inputs. Raises ModelUnsupported."""
    from embassay.engine.opset import GraphArrays, op
    from embassay.engine.quiet_openvino import openvino as ov

    try:
        graph = ov.Core().read_model(file)
    except RuntimeError as error:
        raise damaged(f"{file} cannot be read: {str(error).strip().splitlines()[-1]}") from error
    inputs = [port.get_any_name() for port in graph.inputs]
    hidden = next((port for port in graph.outputs if port.get_names() & set(HIDDEN_STATES)), None)
    if hidden is None or not set(inputs) <= INPUTS:
        raise needs_torch(
            f"{file}: expected input_ids and attention_mask in and one of {', '.join(HIDDEN_STATES)} out, "
            f"found {', '.join(inputs)} in and {', '.join(p.get_any_name() for p in graph.outputs)} out."
        )
    mask = next(port for port in graph.inputs if port.get_any_name() == "attention_mask")
    states = hidden.get_node().input_value(0)
    made = head.output(GraphArrays(), states, op.convert(mask, "f32").output(0))
    return ov.Model([made], graph.get_parameters(), head.model), inputs
