"""A digest holds for the bytes that were read: files that are written to afterwards are noticed."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from embassay.embedders.providers.local import open_local
from embassay.embedders.providers.onnx import Settings, open_embedder
from embassay.errors import DigestMismatch, ModelUnsupported
from tests.tiny import CASES, write_model, write_onnx

TEXT = ["rotate the key"]


def write_outside(folder: Path, name: str) -> Path:
    """The same model whose tensors are in a file beside the graph."""
    import onnx

    file = write_onnx(folder) / "onnx/model.onnx"
    onnx.save(onnx.load(file), file, save_as_external_data=True, location=name, size_threshold=0)
    return folder


def write_openvino(folder: Path) -> Path:
    import openvino as ov

    file = write_onnx(folder) / "onnx/model.onnx"
    ov.save_model(ov.Core().read_model(file), folder / "openvino/openvino_model.xml", compress_to_fp16=False)
    return folder


def run_by_onnx(folder: str):
    pytest.importorskip("onnxruntime")
    return open_embedder(Settings(provider="onnx", model_id=folder), None)


def overwrite(file: Path) -> None:
    """Other numbers into the tail of the same file, as `cp` and `rsync --inplace` write."""
    size = file.stat().st_size // 8 * 4
    with file.open("r+b") as stream:
        stream.seek(-size, os.SEEK_END)
        stream.write(np.random.default_rng(3).normal(size=size // 4).astype(np.float32).tobytes())


@pytest.mark.parametrize("name", ["model.onnx_data", "weights.data", "w" * 150, "model.onnx.data"])
@pytest.mark.parametrize("open_model", [open_local, run_by_onnx])
def test_weights_of_a_graph_are_in_its_space_whatever_their_file_is_called(open_model, name, tmp_path):
    folder = write_outside(tmp_path / "m", name)
    before = open_model(str(folder)).space
    (folder / "onnx" / "model.bin").write_bytes(b"of something else")
    assert open_model(str(folder)).space == before
    overwrite(folder / "onnx" / name)
    assert open_model(str(folder)).space != before


@pytest.mark.parametrize(
    ("write", "open_model", "file"),
    [
        (partial(write_model, case=CASES["bert"]), open_local, "model.safetensors"),
        (write_onnx, open_local, "onnx/model.onnx"),
        (write_onnx, run_by_onnx, "onnx/model.onnx"),
        (partial(write_outside, name="weights.data"), open_local, "onnx/weights.data"),
        (partial(write_outside, name="weights.data"), run_by_onnx, "onnx/weights.data"),
        (write_openvino, open_local, "openvino/openvino_model.bin"),
    ],
    ids=["own graph", "onnx", "onnx on its runtime", "onnx data", "onnx data on its runtime", "openvino"],
)
@pytest.mark.parametrize("loaded", [False, True])
def test_what_is_written_into_files_in_use_moves_no_vector(write, open_model, file, loaded, tmp_path):
    """Either the vectors stay those of the space, or there are none."""
    folder = write(tmp_path / "m")
    before = open_model(str(folder)).embed(TEXT, "query").vectors
    embedder = open_model(str(folder))
    assert embedder.space
    if loaded:
        embedder.embed(["another text"], "query")
    overwrite(folder / file)
    try:
        made = embedder.embed(TEXT, "query").vectors
    except DigestMismatch:
        return
    except ModelUnsupported:  # what was written is no graph
        assert not loaded
        return
    assert loaded
    assert np.allclose(made, before, atol=1e-5)


@pytest.mark.parametrize("open_model", [open_local, run_by_onnx])
def test_files_that_are_exchanged_behind_a_loaded_model_change_nothing(open_model, tmp_path):
    folder, other = write_outside(tmp_path / "m", "weights.data"), write_outside(tmp_path / "n", "weights.data")
    overwrite(other / "onnx/weights.data")
    embedder = open_model(str(folder))
    before = embedder.embed(TEXT, "query").vectors
    (other / "onnx/weights.data").replace(folder / "onnx/weights.data")
    assert np.array_equal(embedder.embed(TEXT, "query").vectors, before)
