"""Index runs as a user sees them: what a first run does, and what it refuses."""

from __future__ import annotations

import shutil

import pytest

import embassay
from embassay.errors import EmbassayError, SpaceMismatch, UsageError
from embassay.sets.spec import SetSpec, Wishes
from tests.sets.indexed import opened, rows
from tests.tiny import CASES, write_model


def test_index_and_search(home, docs, model):
    report = home.index([docs], model=model)
    assert (report.files, report.unchanged, report.quarantined) == (5, 0, ())
    assert report.embedded == report.chunks == len(rows(home))
    hit = home.search("rotate the key", k=3).hits[0]
    assert hit.chunk.path == "docs/keys.md" and hit.rank == 1
    assert set(hit.arms) <= {"dense", "lexical"} and hit.arms["lexical"].rank == 1
    assert [h.rank for h in home.search("key", k=3).hits] == [1, 2, 3]


def test_one_set_one_space(home, docs, model, tmp_path):
    home.index([docs], model=model)
    other = str(write_model(tmp_path / "other", CASES["bert"], seed=8))
    with pytest.raises(SpaceMismatch, match="weights"):
        home.index([docs], model=other)
    with pytest.raises(UsageError, match="precision"):
        home.index([docs], precision="int8")
    with pytest.raises(UsageError, match="is indexed at precision auto, not int8"):
        home.index([docs], model=f"{model}@int8")
    with pytest.raises(UsageError, match="says precision int8, and f32 is asked for"):
        home.index([docs], model=f"{model}@int8", precision="f32")
    assert home.index([docs], model=f"{model}@auto").embedded == 0
    with pytest.raises(UsageError, match="chunk_tokens"):
        home.index([docs], chunk_tokens=20)
    home.index([docs], set="second", model=other)
    assert home.sets() == ["default", "second"]
    shutil.copytree(other, model, dirs_exist_ok=True)
    with embassay.open(home.folder) as again, pytest.raises(SpaceMismatch, match="weights"):
        again.search("key")
    with embassay.open(home.folder) as again:
        assert again.search("key", mode="lexical").hits, "words need no model"


def test_empty_folder(home, docs, model, tmp_path):
    (tmp_path / "empty").mkdir()
    assert home.index([tmp_path / "empty"], model=model).chunks == 0
    assert home.search("key").hits == []
    assert home.doctor() == []


def test_a_wrong_call_leaves_nothing(docs, model):
    folder = docs.parent / ".embassay"
    with embassay.open(folder) as home:
        for wrong in ({"set": "a/b"}, {"model": "./nowhere"}, {"precision": "f64"}, {"max_file_mb": float("nan")}):
            with pytest.raises(EmbassayError):
                home.index([docs], **{"model": model, **wrong})
        with pytest.raises(UsageError):
            home.index([docs / "nowhere"], model=model)
        assert not folder.exists()


def test_a_precision_in_the_name_of_the_model_is_that_of_the_set(home, docs, model):
    home.index([docs], model=f"{model}@int8")
    with opened(home) as (_, generation, _):
        assert (generation.spec.model, generation.spec.precision) == (model, "int8")
    assert home.index([docs], precision="int8").embedded == 0
    assert home.index([docs], model=model).embedded == 0, "no precision was asked for"
    with pytest.raises(UsageError, match="is indexed at precision int8, not f32"):
        home.index([docs], model=f"{model}@f32")


def test_a_set_of_an_earlier_version_has_its_precision_in_the_name(model):
    spec = SetSpec(f"{model}@int8", "auto", 512, "en", "lance")
    Wishes(model, "int8").check(spec, "docs", Tokens())
    with pytest.raises(UsageError, match="is indexed at precision int8, not f32"):
        Wishes(f"{model}@f32").check(spec, "docs", Tokens())


class Tokens:
    safe_tokens = 512
