import threading

import numpy as np
import pytest

import embassay
from embassay.embedders.providers.local import open_local
from embassay.errors import DigestMismatch, ModelNotFound, ModelUnsupported, TextTooLong, UsageError
from tests.tiny import CASES, write_model, write_onnx


@pytest.fixture
def tiny(tmp_path):
    return open_local(str(write_model(tmp_path / "tiny", CASES["bert"])), precision="f32")


def test_tokens_and_truncation_come_back(tiny):
    made = tiny.embed(["a", "key " * 100], "document")
    assert made.tokens == [3, 102]
    assert made.truncated == [False, True]
    assert made.vectors.shape == (2, 32) and made.vectors.dtype == np.float32
    assert made.space == tiny.space and made.role == "document"


def test_truncate_reads_the_head(tiny):
    long, head = tiny.embed(["key " * 100, "key " * 22], "document").vectors
    np.testing.assert_allclose(long, head, atol=1e-6)


def test_error_policy_names_the_text(tiny):
    texts = ["a"] * 5000 + ["key " * 100]
    with pytest.raises(TextTooLong) as caught:
        tiny.embed(texts, "document", on_long="error")
    assert (caught.value.position, caught.value.tokens, caught.value.limit) == (5000, 102, 24)


def test_split_policy_is_the_weighted_mean_of_the_parts(tiny):
    words = ("rotate the key " * 20).split()
    (made,) = tiny.embed([" ".join(words)], "document", on_long="split").vectors
    parts = [" ".join(words[i : i + 22]) for i in range(0, len(words), 22)]
    vectors = tiny.embed(parts, "document")
    mean = (vectors.vectors * np.array(vectors.tokens)[:, None]).sum(0)
    np.testing.assert_allclose(made, mean / np.linalg.norm(mean), atol=1e-5)


def test_no_texts(tiny):
    assert tiny.embed([], "query").vectors.shape == (0, 32)
    assert list(tiny.stream(iter([]), "query")) == []


def test_strange_texts(tiny):
    made = tiny.embed(["", "\0", "\ud800 lone", "é" * 10, " "], "query")
    assert np.isfinite(made.vectors).all()


def test_role_is_checked(tiny):
    with pytest.raises(UsageError, match="role 'passage'"):
        tiny.embed(["a"], "passage")


def test_stream_takes_no_more_than_it_needs(tiny):
    """Constant memory: the generator is read a little ahead, not to its end."""
    taken = []

    def texts():
        for i in range(100_000):
            taken.append(i)
            yield "key"

    stream = tiny.stream(texts(), "document")
    next(stream)
    stream.close()
    assert len(taken) < 30_000


def test_threads_share_an_embedder(tiny):
    expected = tiny.embed(["rotate the key"] * 3, "query").vectors
    failed = []

    def work():
        for _ in range(20):
            if not np.allclose(tiny.embed(["rotate the key"] * 3, "query").vectors, expected, atol=1e-6):
                failed.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_models_can_be_dropped_right_after_use(tmp_path):
    """OpenVINO's threads must not need the interpreter while it waits for them."""
    folder = str(write_model(tmp_path / "m", CASES["bert"]))
    for _ in range(15):
        embedder = open_local(folder, precision="f32")
        embedder.embed(["rotate the key"] * 2000, "document")
        del embedder


async def _twin(tiny):
    return await tiny.aembed(["a"], "query")


def test_async_twin(tiny):
    import asyncio

    np.testing.assert_allclose(asyncio.run(_twin(tiny)).vectors, tiny.embed(["a"], "query").vectors)


def test_default_model_is_found_in_its_package(minilm):
    assert str(minilm.space) == f"all-MiniLM-L6-v2@{minilm.space.digest[:6]}:384"
    assert minilm.model.former_space.weights.startswith("53aa51")
    made = minilm.embed(["how do I rotate a key", "key rotation", "a cat sat"], "query").vectors
    assert made[0] @ made[1] > 0.6 > made[0] @ made[2]
    assert np.allclose(np.linalg.norm(made, axis=1), 1, atol=1e-5)


def test_module_level_embed(minilm):
    made = embassay.embed(["one text"], "query", precision="f32")
    np.testing.assert_allclose(made.vectors, minilm.embed(["one text"], "query").vectors, atol=1e-5)


def test_wrong_weights_under_a_known_name_are_refused(tmp_path, monkeypatch):
    from embassay.engine import locate

    folder = write_model(tmp_path / "fake", CASES["bert"])
    monkeypatch.setattr(locate, "_cached", lambda model: folder)
    with pytest.raises(DigestMismatch, match="46d3a6"):
        open_local(locate.DEFAULT_MODEL).space  # noqa: B018
    with pytest.raises(DigestMismatch, match="46d3a6"):
        open_local(locate.DEFAULT_MODEL).embed(["a"], "query")


def test_unknown_paths_and_models(tmp_path, monkeypatch):
    with pytest.raises(ModelNotFound, match=r"config\.json"):
        open_local(str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelNotFound, match="neither in the Hugging Face cache"):
        open_local("someone/unknown")
    with pytest.raises(UsageError, match="precision"):
        open_local("someone/unknown", precision="f64")


def test_unknown_architecture_names_the_extra(tmp_path):
    folder = write_model(tmp_path / "m", CASES["bert"])
    text = (folder / "config.json").read_text().replace('"bert"', '"gpt_neox"')
    (folder / "config.json").write_text(text)
    with pytest.raises(ModelUnsupported, match=r"pip install '\.\[torch\]'"):
        open_local(str(folder)).embed(["a"], "query")


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("config.json", "{", "cannot be read"),
        ("model.safetensors", "not tensors", "cannot be read as safetensors"),
        ("tokenizer.json", "{}", "cannot be read"),
        ("modules.json", '[{"type": "x.Asym", "path": ""}]', "Asym"),
        ("1_Pooling/config.json", '{"pooling_mode_attention": true}', "pooling"),
    ],
)
def test_damaged_repositories(tmp_path, file, content, message):
    folder = write_model(tmp_path / "m", CASES["bert"])
    (folder / file).write_text(content)
    with pytest.raises(ModelUnsupported, match=message):
        open_local(str(folder), precision="f32").embed(["a"], "query")


def test_missing_tensor_is_named(tmp_path):
    from safetensors.numpy import load_file, save_file

    folder = write_model(tmp_path / "m", CASES["bert"])
    tensors = load_file(folder / "model.safetensors")
    del tensors["encoder.layer.1.output.dense.bias"]
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(ModelUnsupported, match=r"encoder\.layer\.1\.output\.dense\.bias"):
        open_local(str(folder)).embed(["a"], "query")


def test_pickled_weights_are_never_read(tmp_path):
    folder = write_model(tmp_path / "m", CASES["bert"])
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelUnsupported):
        open_local(str(folder)).embed(["a"], "query")


def test_bfloat16_and_sharded_weights(tmp_path, tiny):
    """bfloat16 tensors, in two files with an index, give the vectors of the rounded weights."""
    import json
    import struct

    from safetensors.numpy import load_file

    folder = write_model(tmp_path / "m", CASES["bert"])
    tensors = load_file(folder / "model.safetensors")
    names, index = sorted(tensors), {}
    for shard, part in enumerate((names[::2], names[1::2])):
        header, blob = {}, b""
        for name in part:
            bits = (tensors[name].view(np.uint32) >> 16).astype(np.uint16).tobytes()
            at = [len(blob), len(blob) + len(bits)]
            header["bert." + name] = {"dtype": "BF16", "shape": list(tensors[name].shape), "data_offsets": at}
            index["bert." + name] = f"model-{shard}.safetensors"
            blob += bits
        head = json.dumps(header).encode()
        (folder / f"model-{shard}.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + blob)
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    made = open_local(str(folder), precision="f32").embed(["rotate the key"], "query").vectors
    assert 0.99 < float(made[0] @ tiny.embed(["rotate the key"], "query").vectors[0]) < 0.9999999


def test_own_openvino_and_onnx_graphs(tmp_path, tiny):
    """An architecture without a layout runs from the repository's own graph, pooled like ours."""
    import openvino as ov

    folder = write_onnx(tmp_path / "m")
    table = np.random.default_rng(1).normal(size=(200, 32)).astype(np.float32)
    embedder = open_local(str(folder), precision="f32")
    texts = ["rotate the key", "a"]
    from_onnx = embedder.embed(texts, "query").vectors
    ids_of = [e.ids for e in embedder.tokens.encode(texts)]
    expected = np.stack([table[i].mean(0) for i in ids_of])
    np.testing.assert_allclose(from_onnx, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-5)
    (folder / "openvino").mkdir()
    ov.save_model(ov.Core().read_model(folder / "onnx/model.onnx"), folder / "openvino/openvino_model.xml", False)
    second = open_local(str(folder), precision="f32")
    np.testing.assert_allclose(second.embed(texts, "query").vectors, from_onnx, atol=1e-5)
    assert second.space != embedder.space, "another file of weights is another space"
