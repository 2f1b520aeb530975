"""Folders that are no good models are refused, with the file, what is wrong with it and a remedy; never a traceback."""

from __future__ import annotations

import json

import pytest

from embassay.embedders.providers.local import open_local
from embassay.errors import EmbassayError, ModelUnsupported
from tests.layout_folders import Row, write_layout
from tests.tiny import CASES, write_model

DEEP = "[" * 5000 + "]" * 5000
FILES = [
    "config.json",
    "modules.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "1_Pooling/config.json",
    "2_Dense/config.json",
]
CONTENTS = {
    "nested deeply": DEEP,
    "nested deeply in an object": '{"model": ' + '{"a":' * 5000 + "1" + "}" * 5001,
    "a list": "[1, 2]",
    "a number": "3",
    "null": "null",
    "nothing": "",
    "not UTF-8": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("content", CONTENTS)
def test_files_of_a_wrong_form(tmp_path, file, content):
    folder = write_model(tmp_path / "m", CASES["bert-dense"])
    text = CONTENTS[content]
    (folder / file).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ModelUnsupported) as caught:
        open_local(str(folder), precision="f32").embed(["a"], "query")
    assert str(caught.value.remedy)


@pytest.mark.parametrize(
    ("file", "field", "value", "says"),
    [
        ("config.json", "hidden_size", "big", "'hidden_size' is \"big\""),
        ("config.json", "num_attention_heads", 0, "at least 1"),
        ("config.json", "num_attention_heads", 5, "do not divide"),
        ("config.json", "num_hidden_layers", True, "whole number"),
        ("config.json", "num_hidden_layers", 10**9, "is missing"),
        ("config.json", "layer_norm_eps", "small", "'layer_norm_eps'"),
        ("config.json", "layer_norm_eps", float("nan"), "NaN is no number of JSON"),
        ("config.json", "max_position_embeddings", 4000, "positions"),
        ("config.json", "vocab_size", [], ""),
        ("config.json", "hidden_act", ["gelu"], "a string"),
        ("sentence_bert_config.json", "max_seq_length", "128", "'max_seq_length'"),
        ("sentence_bert_config.json", "max_seq_length", 2, "leaves no room"),
        ("sentence_bert_config.json", "do_lower_case", "false", "true or false"),
        ("1_Pooling/config.json", "pooling_mode", {"a": 1}, "pooling"),
        ("2_Dense/config.json", "activation_function", None, "is null"),
        ("2_Dense/config.json", "bias", "yes", "true or false"),
        ("2_Dense/config.json", "bias", False, "does not name"),
        ("config_sentence_transformers.json", "prompts", ["a"], "object of strings"),
        ("config_sentence_transformers.json", "truncate_dim", -1, "at least 1"),
        ("config_sentence_transformers.json", "similarity_fn_name", "manhattan", "manhattan"),
        ("tokenizer_config.json", "truncation_side", "up", "right or left"),
        ("tokenizer_config.json", "added_tokens_decoder", {"x": 1}, "cannot be made"),
    ],
)
def test_fields_of_a_wrong_type_or_out_of_range(tmp_path, file, field, value, says):
    folder = write_model(tmp_path / "m", CASES["bert-dense"])
    values = json.loads((folder / file).read_text())
    (folder / file).write_text(json.dumps({**values, field: value}))
    if not says:
        assert open_local(str(folder), precision="f32").embed(["a"], "query").vectors.shape == (1, 16)
        return
    if field == "max_position_embeddings":
        sentence = folder / "sentence_bert_config.json"
        sentence.write_text(json.dumps({"max_seq_length": 3000}))
    with pytest.raises(ModelUnsupported, match=says) as caught:
        open_local(str(folder), precision="f32").embed(["a"], "query")
    assert str(caught.value.remedy)


@pytest.mark.parametrize("path", ["../outside", "/etc", "a\0b", "..\\x"])
def test_a_module_outside_of_the_folder(tmp_path, path):
    folder = write_model(tmp_path / "m", CASES["bert"])
    modules = json.loads((folder / "modules.json").read_text())
    modules[1]["path"] = path
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ModelUnsupported, match="no path inside"):
        open_local(str(folder))


def test_a_shard_outside_of_the_folder(tmp_path):
    folder = write_layout(tmp_path / "m", Row(weights="sharded"))
    index = folder / "model.safetensors.index.json"
    values = json.loads(index.read_text())
    values["weight_map"] = dict.fromkeys(values["weight_map"], "../../secret.safetensors")
    index.write_text(json.dumps(values))
    with pytest.raises(ModelUnsupported, match="no path inside"):
        open_local(str(folder)).embed(["a"], "query")


@pytest.mark.parametrize("model", ["a\0b", "./a\0b", "x/" + "y" * 5000, "./" + "y" * 5000, "~nouser/model"])
def test_names_that_no_model_can_have(model, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(EmbassayError) as caught:
        open_local(model)
    assert caught.value.message


def test_a_template_that_names_an_unknown_token(tmp_path, capfd):
    """The library would panic, and print a trace of its own."""
    folder = write_layout(tmp_path / "m", Row())
    stored = json.loads((folder / "tokenizer.json").read_text())
    stored["post_processor"]["special_tokens"].pop("[CLS]")
    (folder / "tokenizer.json").write_text(json.dumps(stored))
    with pytest.raises(ModelUnsupported, match="does not describe"):
        open_local(str(folder)).space  # noqa: B018
    assert "panicked" not in capfd.readouterr().err
