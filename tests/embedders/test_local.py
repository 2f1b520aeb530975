"""Models of the local engine as users open them: by name, kept in a cache, beside the same folder on torch."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from embassay.config.values import Config
from embassay.embedders.providers.local import Settings, open_local
from embassay.errors import ModelUnsupported
from embassay.models.registry import Registry
from tests.layout_folders import TEXTS, Row, write_layout
from tests.layouts import LAYOUTS
from tests.tiny import CASES, write_model


def test_a_retrained_head_is_embedded_anew(tmp_path):
    """A cache keeps vectors by their space: the head behind the pooling is a part of that."""
    folder = write_model(tmp_path / "m", CASES["bert-dense"])

    def vectors():
        with Registry(Config(), cache_file=tmp_path / "cache.db", keep_local=True) as models:
            return models.get(str(folder)).embed(TEXTS[:2], "query")

    first, again = vectors(), vectors()
    assert again.usage.cached == 2
    head = folder / "2_Dense/model.safetensors"
    save_file({name: -tensor[::-1].copy() for name, tensor in load_file(head).items()}, head)
    retrained = vectors()
    assert retrained.usage.cached == 0 and retrained.space != first.space
    np.testing.assert_allclose(retrained.vectors, open_local(str(folder)).embed(TEXTS[:2], "query").vectors, atol=1e-3)
    assert np.abs(retrained.vectors - first.vectors).max() > 0.1


@pytest.mark.parametrize(
    ("said", "modules", "expected"),
    [
        ({"similarity_fn_name": "dot"}, (), "dot"),
        ({"similarity_fn_name": "dot_product"}, (), "dot"),
        ({"similarity_fn_name": "cosine"}, (), "cosine"),
        ({"similarity_fn_name": "dot"}, ("Normalize",), "cosine"),
        ({"similarity_fn_name": "euclidean"}, ("Normalize",), "cosine"),
        ({}, (), "cosine"),
    ],
)
def test_how_vectors_are_compared(tmp_path, said, modules, expected):
    folder = write_layout(tmp_path / "m", Row(modules=modules, said=said))
    assert open_local(str(folder)).space.similarity == expected


def test_the_card_is_asked_where_the_repository_says_nothing(tmp_path):
    from embassay.catalog.card import ModelCard
    from embassay.embedders.providers.local import open_embedder

    silent = write_layout(tmp_path / "silent", Row(modules=()))
    cosine = write_layout(tmp_path / "cosine", Row(modules=(), said={"similarity_fn_name": "cosine"}))
    card = ModelCard(id="m", similarity="dot")
    assert open_embedder(Settings(model_id=str(silent)), card).space.similarity == "dot"
    assert open_embedder(Settings(model_id=str(cosine)), card).space.similarity == "cosine"


def test_a_default_prompt_is_decided_by_settings(tmp_path):
    from embassay.embedders.providers.local import open_embedder

    folder = str(write_layout(tmp_path / "m", LAYOUTS["default-prompt"]))
    with pytest.raises(ModelUnsupported, match="default prompt") as caught:
        open_embedder(Settings(model_id=folder), None)
    assert "prompt" in str(caught.value.remedy)
    said = Settings(model_id=folder, query_prompt="key: ", document_prompt="")
    assert open_embedder(said, None).space.query_prompt == "key: "


def test_the_limit_and_the_side_of_the_cut_are_part_of_the_space(tmp_path):
    from embassay.embedders.providers.local import open_embedder

    folder = str(write_layout(tmp_path / "m", Row(tokens={"truncation_side": "left"})))
    whole, cut = (open_embedder(Settings(model_id=folder, max_tokens=limit), None) for limit in (None, 8))
    assert (whole.space.max_tokens, cut.space.max_tokens, whole.space.truncation) == (24, 8, "left")
    last = cut.tokens.encode(["rotate the key of a vector space model"])[0]
    assert last.ids[1:-1] == cut.tokens.encode(["a vector space model"])[0].ids[1:-1] or last.truncated


def test_a_token_beyond_the_table_of_words_is_refused(tmp_path):
    folder = write_model(tmp_path / "m", CASES["bert"])
    settings = folder / "tokenizer_config.json"
    said = json.loads(settings.read_text())
    settings.write_text(json.dumps({**said, "additional_special_tokens": ["<tool>"]}))
    embedder = open_local(str(folder))
    embedder.embed(["a text"], "query")
    with pytest.raises(ModelUnsupported, match="weights know"):
        embedder.embed(["a <tool>"], "query")


TORCH = ("bert-class", "roberta-padding-0", "dense-after-normalize", "left-truncation", "prompts")
OTHER = ("relative-key", "left-padding", "processing-settings", "decoder")


@pytest.mark.parametrize("name", [*TORCH, *OTHER])
def test_torch_has_the_same_space_only_where_it_makes_the_same_vectors(name, tmp_path):
    pytest.importorskip("sentence_transformers", reason="needs the extra torch")
    folder = str(write_layout(tmp_path / name, LAYOUTS[name]))
    with Registry(Config()) as models:
        torch = models.get(f"sentence-transformers/{folder}@f32")
        if name in OTHER:
            assert torch.space.encoder and torch.space.tokenizer
            with pytest.raises(ModelUnsupported):
                models.get(f"{folder}@f32").embed(TEXTS, "query")
            return
        ours = models.get(f"{folder}@f32")
        assert torch.space == ours.space
        for role in ("query", "document"):
            np.testing.assert_allclose(torch.embed(TEXTS, role).vectors, ours.embed(TEXTS, role).vectors, atol=1e-3)


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
def test_the_space_on_torch_covers_what_is_loaded(tmp_path, file):
    pytest.importorskip("sentence_transformers", reason="needs the extra torch")

    def space(folder):
        with Registry(Config()) as models:
            return models.get(f"sentence-transformers/{folder}").space

    folder = write_layout(tmp_path / "m", LAYOUTS["left-padding"])
    before = space(folder)
    values = json.loads((folder / file).read_text())
    change = {"config.json": {"num_attention_heads": 2}, "tokenizer_config.json": {"tokenizer_class": "BertTokenizer"}}
    (folder / file).write_text(json.dumps({**values, **change[file]}))
    assert space(folder) != before
