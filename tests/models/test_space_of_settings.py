"""Every field that can be set, on cards as well: changing it makes another space, or a reason says why vectors stay equal.

The fields are found, not listed: a new one fails here until somebody has decided what it does to the space.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from embassay.catalog.card import ModelCard
from embassay.config.values import Glossary
from embassay.embedders.http.api import Description
from embassay.embedders.http.identity import Identity
from embassay.embedders.providers.hash import HashEmbedder
from embassay.embedders.settings import Settings
from embassay.embedders.wrap.glossary import Expanded
from embassay.models.opening import open_model
from embassay.models.provider import load_provider, provider_names
from embassay.models.wrapping import Wrapping
from embassay.space import Space
from tests.tiny import CASES, write_model, write_onnx

URL = "http://127.0.0.1:9"
CARD = ModelCard(id="ours/m", provider_ids={"local": "ours/m"}, dimensions=32, matryoshka=(8, 16))
PACE = "how often and how long is asked, and how much at once"
MONEY = "what it costs"
REASONS: Mapping[str, str] = {
    "precision": "provenance: canaries prove that precisions stay within a cosine of 0.99",
    "cache_enabled": "where vectors are kept",
    "cache_ttl": "where vectors are kept",
    "api_key": "who asks; it is rotated",
    "allow_http": "how a key may travel",
    "rotating_headers": "it names what only lets requests in, and there is none of it",
    "usd_per_million_tokens": MONEY,
    "usage": MONEY,
    "canaries": "whether a service is held against where it put known texts",
    **dict.fromkeys(("batch_size", "batch_tokens", "timeout", "deadline", "retries", "concurrency"), PACE),
    **dict.fromkeys(("requests_per_minute", "tokens_per_minute"), PACE),
    "offline": "where files may come from, not which they are",
    "card": "read before a provider is opened; what it says is tried below",
    "bedrock region": "a model's id names the same weights in every region",
    "google location": "a model's id names the same weights in every region",
    "google project": "a model's id names the same weights in the Gemini API and on Vertex AI",
    "openai encoding_format": "how numbers are written on their way",
    "openai api_version": "how a request is written",
    "ollama num_ctx": "a text above it is refused and never cut",
    "ollama keep_alive": "how long the server keeps the model loaded",
    "onnx providers": "provenance, as precision is",
}
"""Settings that move no vector, by name, or by provider and name."""
OTHERS: Mapping[str, Any] = {
    "base_url": "http://127.0.0.1:10",
    "headers": {"X-Model-Token": "b"},
    "extra_body": {"task": "b"},
    "similarity": "dot",
    "rotating_headers": ["X-Gate"],
    "dimensions": 8,
    "max_tokens": 17,
    "precision": "f32",
    "usage": "ignored",
    "canaries": False,
    "encoding_format": "float",
    "cache_ttl": 5.0,
    "timeout": 5.0,
    "deadline": 5.0,
    "file": "other.onnx",
    "providers": ["CPUExecutionProvider"],
    "role_key": "role",
}
"""Another value of a setting, where its type does not tell one."""
HOSTED = [name for name in provider_names() if hasattr(load_provider(name).module, "open_api")]


def fields_of(kind: type) -> list[str]:
    left_out = {"provider", *getattr(kind, "UNREADABLE", ())}
    return [field.name for field in msgspec.structs.fields(kind) if field.name not in left_out]


def other(value: object, name: str) -> object:
    """Another value than `value`."""
    if name in OTHERS:
        return OTHERS[name]
    if isinstance(value, bool) or value is None:
        return not value if value is not None else "other: " if name.endswith("prompt") else True
    return value + 1 if isinstance(value, int | float) else f"{value}other"


def hosted_space(name: str, settings: Settings, card: ModelCard = CARD) -> Space:
    identity = Identity(load_provider(name).module.open_api(settings, card))
    return identity.space(identity.dimensions or 32, Description())


def base_of(name: str, field: str = "") -> Settings:
    """Settings of a provider, of the kind where `field` is used."""
    set_up: dict[str, Any] = {"model_id": "ours/m", "base_url": URL}
    if field in ("deployment", "api_version"):
        set_up |= {"deployment": "d"}
    if field in ("region", "project", "location"):
        set_up = {"model_id": "ours/m"} | ({"project": "p"} if field == "location" else {})
    settings: Settings = load_provider(name).settings(**set_up)
    return settings


@pytest.mark.parametrize(("name", "field"), [(n, f) for n in HOSTED for f in fields_of(load_provider(n).settings)])
def test_a_setting_of_a_hosted_model_is_in_its_space_or_moves_no_vector(name, field):
    plain = base_of(name, field)
    if field == "similarity" and load_provider(name).module.open_api(plain, CARD).normalises and name not in LENGTHS:
        return  # it is refused there: see tests/embedders/http/test_identity.py
    changed = msgspec.structs.replace(plain, **{field: other(getattr(plain, field), field)})
    reason = REASONS.get(f"{name} {field}", REASONS.get(field))
    if reason:
        assert hosted_space(name, changed) == hosted_space(name, plain), f"{field} has no reason to make another space"
    else:
        assert hosted_space(name, changed) != hosted_space(name, plain), f"{field} of {name} is in no space"


LENGTHS = {"tei", "huggingface"}
"""Services that can be asked for vectors as the model makes them."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two models of one shape, as safetensors and as ONNX."""
    root = tmp_path_factory.mktemp("models")
    for seed in (1, 2):
        write_model(root / f"m{seed}", CASES["bert-max-raw"], seed)
    write_onnx(root / "onnx")
    graph = (root / "onnx/onnx/model.onnx").read_bytes()
    (root / "onnx/other.onnx").write_bytes(graph.replace(b"last_hidden_state", b"last_hidden_statf"))
    return root


def local_space(name: str, settings: Settings, card: ModelCard = CARD) -> Space:
    return open_model("m", msgspec.structs.replace(settings, provider=name), card, Wrapping()).space


@pytest.mark.parametrize(
    ("name", "field"), [(n, f) for n in ("local", "onnx") for f in fields_of(load_provider(n).settings)]
)
def test_a_setting_of_a_local_model_is_in_its_space_or_moves_no_vector(name, field, folders):
    plain = load_provider(name).settings(model_id=str(folders / ("m1" if name == "local" else "onnx")))
    value = str(folders / "m2") if field == "model_id" else other(getattr(plain, field), field)
    changed = msgspec.structs.replace(plain, **{field: value})
    reason = REASONS.get(f"{name} {field}", REASONS.get(field))
    if name == "onnx" and field == "model_id":
        changed = msgspec.structs.replace(changed, model_id=str(write_onnx_copy(folders)))
    assert (local_space(name, changed) == local_space(name, plain)) == bool(reason), f"{field} of {name}"


def write_onnx_copy(folders):
    """The same graph over another table."""
    import onnx
    from onnx import numpy_helper

    place = folders / "onnx2"
    if not place.is_dir():
        file = write_onnx(place) / "onnx/model.onnx"
        model = onnx.load(file)
        table = numpy_helper.to_array(model.graph.initializer[0])
        model.graph.initializer[0].CopyFrom(numpy_helper.from_array(table * 1.5, "table"))
        onnx.save(model, file)
    return place


FACTS = "a fact for people, for prices or for advice"
CARD_REASONS: Mapping[str, str] = {
    "id": "the name under which it is looked up",
    "aliases": "other names of it",
    "provider_ids": "who runs it: read before a provider is opened",
    "unlimited_tokens": FACTS,
    "matryoshka": "which dimensions may be asked for, not what they hold",
    "matryoshka_range": "which dimensions may be asked for, not what they hold",
    "prompts_known": FACTS,
    "task_prompts": "of tasks that are no search: whoever asks for one is given a model with that prompt in its space",
    "shares_space": "whose queries may be compared with it, which canaries have to prove",
    "shares_space_source": FACTS,
    "role_parameter": "named in the space where a provider is told the role",
    "max_batch_inputs": PACE,
    "max_batch_tokens": PACE,
    **dict.fromkeys(
        (
            "family architecture architecture_note parameters embedding_parameters size_mb max_tokens_architecture matryoshka_note "
            "pooling_note normalised_note prompt_note languages languages_note domain also_domains domain_note licence "
            "licence_note commercial restriction released retired superseded_by trust_remote_code onnx usd_per_million_tokens "
            "price_date price_source price_note hosted scores made_for_claim warning notes sources"
        ).split(),
        FACTS,
    ),
}
"""Fields of a card that move no vector."""
CARD_OTHERS: Mapping[str, Any] = {
    "dimensions": 64,
    "max_tokens": 17,
    "similarity": "dot",
    "normalised": True,
    "prompts": {"query": "q: "},
    "matryoshka_layer_norm": True,
    "pooling": "cls",
}


@pytest.mark.parametrize("field", fields_of(ModelCard))
def test_a_fact_of_a_card_is_in_the_space_or_moves_no_vector(field, folders):
    """Tried with a service and with a model that is cut here, because some facts count only there."""
    value = CARD_OTHERS.get(field)
    if value is None:
        kind = {f.name: f.type for f in msgspec.structs.fields(ModelCard)}[field]
        value = made_of(kind)
    changed = msgspec.structs.replace(CARD, **{field: value})
    settings = load_provider("local").settings(model_id=str(folders / "m1"), dimensions=8)
    pairs = [(hosted_space("openai", base_of("openai"), card)) for card in (CARD, changed)]
    local = [] if field in ("matryoshka", "matryoshka_range") else [CARD, changed]
    cut = [local_space("local", settings, card) for card in local]
    differs = pairs[0] != pairs[1] or (bool(cut) and cut[0] != cut[1])
    assert differs == (field not in CARD_REASONS), f"{field}: {CARD_REASONS.get(field, 'is in no space')}"


def made_of(kind: Any) -> Any:
    """A value of a field's type that no default has."""
    text = str(kind)
    if "Mapping" in text:
        return {"document": 1.0} if "float" in text else {"document": "x "}
    if "tuple" in text:
        return (3, 30) if "int, int" in text else (4,) if "int" in text else ("x",)
    return True if "bool" in text else 7 if "int" in text else 7.0 if "float" in text else "x"


def test_a_parameter_for_the_role_is_in_the_space_of_a_provider_that_is_told_it():
    told = msgspec.structs.replace(CARD, role_parameter={"query": "input_type=q", "document": "input_type=d"})
    assert hosted_space("cohere", base_of("cohere"), told) != hosted_space("cohere", base_of("cohere"))


@pytest.mark.parametrize("field", fields_of(Glossary))
def test_a_glossary_of_documents_is_in_the_space(field):
    """One of queries alone rewrites what is asked, as the user might; what it is asked of stays as it was made."""
    plain = Glossary(terms={"JWT": "JSON Web Token"}, apply_to="both")
    changed = msgspec.structs.replace(plain, **{field: {"JWT": "x"} if field == "terms" else "query"})
    assert Expanded(HashEmbedder(8), plain).space != Expanded(HashEmbedder(8), changed).space


def test_a_reason_is_given_for_fields_that_there_are():
    names = {field for name in (*HOSTED, "local", "onnx") for field in fields_of(load_provider(name).settings)}
    assert {reason.rpartition(" ")[2] for reason in REASONS} <= names | {"canaries"}
    assert set(CARD_REASONS) <= set(fields_of(ModelCard))
