"""Every family of cross-encoders against scores that sentence-transformers made (tests/make_golden.py)."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from embassay.engine.classifiers import load_classifier
from embassay.engine.pairs import longest_first
from embassay.errors import ModelNotFound, ModelUnsupported
from tests.cross_encoders import LIMIT, LONG_QUERY, PASSAGES, QUERY, SHAPES, Shape, write_cross_encoder
from tests.tiny import CASES, WORDS, write_model

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/cross_encoders.json").read_text())
FURTHEST = {"f32": (1e-4, 1e-4), "bf16": (0.03, 0.1), "int8": (0.1, 0.5)}
"""In the mean and at most, of scores of models whose random weights are far harsher on a low precision than trained
ones."""


def loaded(folder, shape="bert", precision="f32", **options):
    write_cross_encoder(folder, SHAPES[shape] if isinstance(shape, str) else shape)
    return load_classifier(str(folder), precision, **options)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("precision", FURTHEST)
def test_same_scores_as_the_reference(shape, precision, tmp_path):
    model = loaded(tmp_path / "model", shape, precision)
    assert list(model.labels) == list(SHAPES[shape].labels)
    for query, found in GOLDEN[shape].items():
        scored = model.scorer.score(query, PASSAGES)
        expected = np.array(found["scores"]).reshape(len(PASSAGES), -1)
        apart = np.abs(scored.values - expected)
        assert (apart.mean(), apart.max()) <= FURTHEST[precision] and apart.max() <= FURTHEST[precision][1]
        assert scored.tokens == found["tokens"]
        assert scored.truncated == [tokens > LIMIT for tokens in found["tokens"]]
    assert set(GOLDEN[shape]) == {QUERY, LONG_QUERY}


def test_every_family_with_a_layout_has_a_shape():
    from embassay.engine.layouts import LAYOUTS

    assert {shape.architecture for shape in SHAPES.values()} == set(LAYOUTS)


@pytest.mark.parametrize("shape", ["bert", "roberta-labels", "mpnet"])
def test_many_pairs_score_as_each_alone(shape, tmp_path):
    scorer = loaded(tmp_path / "model", shape).scorer
    passages = [" ".join((WORDS * 3)[: 1 + at % 30]) for at in range(700)]
    together = scorer.score(QUERY, passages)
    alone = np.concatenate([scorer.score(QUERY, [passage]).values for passage in passages[:40]])
    np.testing.assert_allclose(together.values[:40], alone, atol=1e-5)
    assert len(together.values) == len(together.tokens) == len(together.truncated) == 700


def test_no_passages(tmp_path):
    assert loaded(tmp_path / "model", "bert-labels").scorer.score(QUERY, []).values.shape == (0, 3)


def test_strange_texts(tmp_path):
    scored = loaded(tmp_path / "model").scorer.score("\ud800", ["", "\0", "\ud800 lone", "é" * 10, " "])
    assert np.isfinite(scored.values).all()


def test_threads_share_a_scorer(tmp_path):
    model = loaded(tmp_path / "model")
    passages = [" ".join(WORDS[: 1 + at % 9]) for at in range(300)]
    expected = [model.scorer.score(query, passages).values for query in (QUERY, LONG_QUERY)]
    model.release()
    with ThreadPoolExecutor(2) as pool:
        for _ in range(5):
            made = pool.map(lambda query: model.scorer.score(query, passages).values, (QUERY, LONG_QUERY))
            for one, other in zip(made, expected, strict=True):
                np.testing.assert_allclose(one, other, atol=1e-5)


def test_scores_in_bf16_are_as_fine_as_in_f32(tmp_path):
    """A score that was itself bfloat16 would tie with its neighbours: between 0.5 and 1 there are 128 of those."""
    scorer = loaded(tmp_path / "model", precision="bf16").scorer
    passages = [" ".join(np.random.default_rng(at).permutation(WORDS)) for at in range(400)]
    values = scorer.score("key", passages).values
    assert len(np.unique(values)) > 390


@pytest.mark.parametrize("first", range(12))
@pytest.mark.parametrize("second", range(12))
@pytest.mark.parametrize("room", [2, 5, 8, 9])
def test_the_longer_text_is_cut_first_as_the_library_cuts_it(first, second, room):
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token="a"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.enable_truncation(room, strategy="longest_first")
    ids = tokenizer.encode("a " * first, "b " * second).ids
    assert longest_first(first, second, room) == (ids.count(0), ids.count(1))


def test_a_limit_can_be_lowered(tmp_path):
    model = loaded(tmp_path / "model", max_tokens=8)
    scored = model.scorer.score(QUERY, ["key of key of key of", "key"])
    assert scored.tokens == [12, 7] and scored.truncated == [True, False]
    cut = loaded(tmp_path / "other").scorer.score("rotate the", ["key of key"])
    np.testing.assert_allclose(scored.values[0], cut.values[0], atol=1e-6)


def test_a_limit_that_leaves_no_room_is_refused(tmp_path):
    with pytest.raises(ModelUnsupported, match="a limit of 4 tokens leaves no room for a pair"):
        loaded(tmp_path / "model", max_tokens=4).scorer.score(QUERY, ["a"])


def test_an_activation_can_be_chosen(tmp_path):
    usual = loaded(tmp_path / "model").scorer.score(QUERY, PASSAGES).values
    raw = load_classifier(str(tmp_path / "model"), "f32", activation="Identity").scorer.score(QUERY, PASSAGES).values
    np.testing.assert_allclose(1 / (1 + np.exp(-raw)), usual, atol=1e-6)


def test_identity_tells_apart_whatever_changes_a_score(tmp_path):
    model = loaded(tmp_path / "model")
    others = [
        loaded(tmp_path / "model", precision="bf16"),
        loaded(tmp_path / "model", max_tokens=20),
        loaded(tmp_path / "model", activation="Identity"),
        loaded(tmp_path / "prompted", "bert-saved"),
        loaded(tmp_path / "roberta", "roberta"),
    ]
    assert loaded(tmp_path / "model").identity == model.identity
    tensors = load_file(tmp_path / "model/model.safetensors")
    tensors["classifier.weight"] = tensors["classifier.weight"] + 1
    save_file(tensors, tmp_path / "model/model.safetensors")
    others.append(load_classifier(str(tmp_path / "model"), "f32"))
    assert len({model.identity, *(other.identity for other in others)}) == 7


def test_an_embedder_is_refused(tmp_path):
    folder = write_model(tmp_path / "embedder", CASES["bert"])
    with pytest.raises(ModelUnsupported, match=r"no cross-encoder: it is a SentenceTransformer of the modules Trans"):
        load_classifier(str(folder))
    (folder / "modules.json").unlink()
    with pytest.raises(ModelUnsupported, match=r"config.json says BertModel, which has no classifier; expected"):
        load_classifier(str(folder))


def test_an_unknown_architecture_is_refused_with_who_can_run_it(tmp_path):
    shape = Shape(config={"model_type": "modernbert"})
    with pytest.raises(ModelUnsupported, match=r"builds cross-encoders of bert, .*'modernbert'.* Serve it with"):
        loaded(tmp_path / "model", shape)


def test_a_cross_encoder_of_other_modules_is_refused(tmp_path):
    folder = write_cross_encoder(tmp_path / "model", SHAPES["bert-saved"])
    modules = json.loads((folder / "modules.json").read_text())
    dense = {"idx": 1, "name": "1", "path": "1_D", "type": "sentence_transformers.base.modules.dense.Dense"}
    (folder / "modules.json").write_text(json.dumps([*modules, dense]))
    with pytest.raises(ModelUnsupported, match=r"runs cross-encoders of a Transformer, this is the modules Trans.*Den"):
        load_classifier(str(folder))


def broken(folder, name):
    tensors = load_file(folder / "model.safetensors")
    if name == "no classifier":
        del tensors["classifier.weight"]
    if name == "labels":
        tensors |= {"classifier.weight": np.ones((4, 32), np.float32), "classifier.bias": np.ones(4, np.float32)}
    if name == "nan":
        tensors["bert.encoder.layer.0.output.dense.weight"][:] = np.nan
    if name == "nan in the classifier":
        tensors["classifier.bias"][:] = np.nan
    if name == "shape":
        tensors["bert.pooler.dense.weight"] = tensors["bert.pooler.dense.weight"][:, :8].copy()
    save_file(tensors, folder / "model.safetensors")
    file = folder / "model.safetensors"
    if name == "cut":
        file.write_bytes(file.read_bytes()[:5000])
    if name == "garbage":
        file.write_bytes(b"\xff" * 500)
    if name == "no weights":
        file.unlink()
    if name == "pickled":
        file.rename(folder / "pytorch_model.bin")
    if name == "no tokenizer":
        (folder / "tokenizer.json").unlink()
    if name == "small vocabulary":
        table = "bert.embeddings.word_embeddings.weight"
        save_file(tensors | {table: tensors[table][:5].copy()}, file)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no classifier", "'classifier.weight' is missing"),
        ("labels", r"its classifier has 4 labels, its configuration says 1 \(LABEL_0\)"),
        ("nan", "scores that are no numbers"),
        ("nan in the classifier", "scores that are no numbers"),
        ("shape", r"'pooler.dense.weight' has the shape \[32, 8\]"),
        ("cut", "cannot be read as safetensors"),
        ("garbage", "cannot be read as safetensors"),
        ("no weights", "holds no weights"),
        ("pickled", "pickled .pytorch_model.bin., which could run code.* Serve it"),
        ("no tokenizer", "has no tokenizer.json"),
        ("small vocabulary", "a text has the token [0-9]+, and the model's weights know 5"),
    ],
)
@pytest.mark.parametrize("precision", ["f32", "int8"])
def test_damaged_files_are_named(name, said, precision, tmp_path):
    folder = write_cross_encoder(tmp_path / "model", SHAPES["bert"])
    broken(folder, name)
    with pytest.raises(ModelUnsupported, match=said):
        model = load_classifier(str(folder), precision)
        assert model.labels
        model.scorer.score(QUERY, PASSAGES)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ModelNotFound, match="is not a model folder"):
        load_classifier(str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"id2label": {"zero": "no"}}, "'id2label' has keys that are no numbers"),
        ({"id2label": ["no"]}, "'id2label'"),
        ({"sentence_transformers": {"activation_fn": "torch.nn.Softmax"}}, "cannot pass scores through 'torch.nn.Soft"),
        ({"architectures": ["BertForMaskedLM"]}, "BertForMaskedLM, which has no classifier"),
    ],
)
def test_configurations_that_cannot_be_followed(config, said, tmp_path):
    with pytest.raises(ModelUnsupported, match=said):
        loaded(tmp_path / "model", Shape(config=config))


def test_code_of_the_repository_is_no_activation(tmp_path):
    """The reference takes its default in place of code that it does not trust."""
    own = {"sentence_transformers": {"activation_fn": "their_code.Scale"}}
    expected = loaded(tmp_path / "usual").scorer.score(QUERY, PASSAGES).values
    np.testing.assert_allclose(
        loaded(tmp_path / "own", Shape(config=own)).scorer.score(QUERY, PASSAGES).values, expected
    )
