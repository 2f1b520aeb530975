"""Architectures without a layout: the repository's own OpenVINO or ONNX graph, pooled like ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embassay import remedy
from embassay.engine.spec import ModelSpec
from embassay.errors import ModelUnsupported

if TYPE_CHECKING:
    import openvino as ov

    from embassay.engine.runtimes.openvino import Feed
    from embassay.types import Vectors

GRAPH_FILES = ("openvino/openvino_model.xml", "openvino_model.xml", "onnx/model.onnx", "model.onnx")
HIDDEN_STATES = ("last_hidden_state", "token_embeddings")


def graph_file(folder: Path) -> Path | None:
    return next((folder / name for name in GRAPH_FILES if (folder / name).is_file()), None)


def companion_files(file: Path) -> list[Path]:
    """Every file that holds the graph's weights: itself, and what lies beside it."""
    beside = [file.with_suffix(".bin"), file.with_name(file.name + "_data")]
    return [file, *(path for path in beside if path.is_file())]


def read_graph(file: Path, spec: ModelSpec, dense: Sequence[Mapping[str, Vectors]]) -> tuple[ov.Model, Feed]:
    """The graph with our pooling on top, and how to feed it."""
    from embassay.engine.graph import op, pool
    from embassay.engine.quiet_openvino import openvino as ov

    try:
        graph = ov.Core().read_model(file)
    except RuntimeError as error:
        raise ModelUnsupported(f"{file} cannot be read: {str(error).strip().splitlines()[-1]}") from error
    inputs = [port.get_any_name() for port in graph.inputs]
    hidden = next((port for port in graph.outputs if port.get_names() & set(HIDDEN_STATES)), None)
    if hidden is None or not set(inputs) <= {"input_ids", "attention_mask", "token_type_ids", "position_ids"}:
        raise ModelUnsupported(
            f"{file}: expected input_ids and attention_mask in and one of {', '.join(HIDDEN_STATES)} out, "
            f"found {', '.join(inputs)} in and {', '.join(p.get_any_name() for p in graph.outputs)} out.",
            remedy=remedy.install("embassay[torch]", say="Run it as sentence-transformers/ID: {}."),
        )
    mask = next(port for port in graph.inputs if port.get_any_name() == "attention_mask")
    states = hidden.get_node().input_value(0)
    pooled = pool(states, op.convert(mask, "f32").output(0), spec, dense)
    return ov.Model([pooled], graph.get_parameters(), spec.id), _feed(inputs)


def _feed(names: Sequence[str]) -> Feed:
    def feed(ids: np.ndarray[Any, Any], lengths: np.ndarray[Any, Any]) -> dict[str, Any]:
        places = np.broadcast_to(np.arange(ids.shape[1], dtype=np.int64), ids.shape)
        available: dict[str, Callable[[], Any]] = {
            "input_ids": lambda: ids,
            "attention_mask": lambda: (places < lengths[:, None]).astype(np.int64),
            "token_type_ids": lambda: np.zeros_like(ids),
            "position_ids": lambda: np.ascontiguousarray(places),
        }
        return {name: available[name]() for name in names}

    return feed
