"""Configured models: what keeps them from working, and what is worth knowing."""

from embassay.config.reading import load_config
from embassay.models.check import check_models
from embassay.models.registry import Registry


def test_each_model_is_checked_and_nothing_is_sent(tmp_path, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("KEY", "sk-test-key-0000")
    file = tmp_path / "embassay.yaml"
    file.write_text(
        """
embeddings:
  models:
    keyless: {provider: openai, model_id: text-embedding-3-small}
    open: {provider: openai, model_id: text-embedding-3-small, api_key: sk-test-key-0000}
    old: {provider: google, model_id: text-embedding-004, api_key: "${KEY}"}
    unknown: {provider: openai, model_id: nobody-knows, api_key: "${KEY}"}
    words: {provider: hash, dimensions: 64}
"""
    )
    with Registry(load_config(file, env={"KEY": "sk-test-key-0000"})) as registry:
        found = {check.name: check for check in check_models(registry)}
    assert "OPENAI_API_KEY" in found["keyless"].problem
    assert not found["open"].problem and any("stands in the file" in note for note in found["open"].notes)
    assert found["old"].problem == "google/text-embedding-004 was retired on 2026-01-14."
    assert any(note.startswith("No card") for note in found["unknown"].notes)
    assert found["words"].to_dict() == {
        "name": "words", "provider": "hash", "model_id": "", "problem": "", "notes": [], "secrets": [],
    }  # fmt: skip
