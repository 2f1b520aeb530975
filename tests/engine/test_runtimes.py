"""Every runtime takes batches alike, many at a time or one at once."""

from __future__ import annotations

import numpy as np
import pytest

from embassay.engine.load import load, load_onnx
from embassay.engine.runtimes.padding import kept, named_inputs, padded
from embassay.errors import ModelUnsupported
from tests.tiny import CASES, write_model, write_onnx

BATCH = [[2, 7, 9, 3], [2, 5, 3], [2, 3]]


def test_batches_are_padded_on_the_right():
    ids, lengths = padded(BATCH, 4)
    assert ids.tolist() == [[2, 7, 9, 3], [2, 5, 3, 0], [2, 3, 0, 0]]
    assert lengths.tolist() == [4, 3, 2]
    assert kept(ids, lengths).tolist() == [[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 0, 0]]
    made = named_inputs(ids, lengths, ["input_ids", "position_ids", "token_type_ids"])
    assert list(made) == ["input_ids", "position_ids", "token_type_ids"]
    assert made["position_ids"].tolist() == [[0, 1, 2, 3]] * 3
    assert not made["token_type_ids"].any()


def built(folder):
    return load(str(write_model(folder, CASES["bert"])), "f32")


def foreign(folder):
    return load(str(write_onnx(folder)), "f32")


def onnx(folder):
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    return load_onnx(str(write_onnx(folder)))


@pytest.mark.parametrize("open_model", [built, foreign, onnx])
def test_a_queue_and_one_batch_at_once_give_the_same(open_model, tmp_path):
    model = open_model(tmp_path / "m")
    runtime = model._source.runtime(model.spec.head, "f32", model.max_tokens)
    at_once = runtime.once(BATCH)
    assert at_once.shape == (3, model.dimensions) and at_once.dtype == np.float32
    target, queue = Rows(3, model.dimensions), runtime.queue()
    try:
        queue.submit(BATCH[:1], 4, [2], target)
        queue.submit(BATCH[1:], 3, [0, 1], target)
        queue.wait()
        assert 2 in target.written, "the batch that was submitted first"
        queue.wait()
        assert sorted(target.written) == [0, 1, 2]
        queue.wait()
    finally:
        queue.close()
    np.testing.assert_allclose(target.vectors[[2, 0, 1]], at_once, atol=1e-5)


class Rows:
    """The rows of a few batches."""

    def __init__(self, count, dimensions):
        self.vectors, self.written = np.empty((count, dimensions), np.float32), []

    def write(self, rows, values):
        self.vectors[rows] = values
        self.written += rows


def test_both_runtimes_of_one_onnx_file_agree(tmp_path):
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    folder = str(write_onnx(tmp_path / "m"))
    ours, theirs = load(folder, "f32"), load_onnx(folder)
    assert ours.space == theirs.space
    texts = ["rotate the key", "a", "index space model"]
    np.testing.assert_allclose(ours.engine.embed(texts).vectors, theirs.engine.embed(texts).vectors, atol=1e-5)


def test_a_file_that_is_not_there(tmp_path):
    folder = str(write_model(tmp_path / "m", CASES["bert"]))
    with pytest.raises(ModelUnsupported, match=r"has no onnx/model.onnx or model.onnx"):
        load_onnx(folder)
    with pytest.raises(ModelUnsupported, match=r"has no other.onnx"):
        load_onnx(folder, "other.onnx")
