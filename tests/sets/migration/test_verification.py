"""A new generation is verified before it is switched to: whatever was done to it is found, and a sound one passes."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

import embassay
from embassay.sets.migration.beginning import begin
from embassay.sets.migration.checks.drift import MOST
from embassay.sets.migration.job import run
from embassay.sets.migration.target import MigrationTarget
from embassay.sets.migration.verification import VerificationReport, verifiers
from embassay.stores.values import VECTOR
from tests.tiny import CASES, WORDS, write_model

NAMES = "amber basil cedar delta ember fjord grove heron islet jetty knoll larch maple north ocean pearl quartz river".split()


def record(at: int) -> dict[str, object]:
    random = np.random.default_rng(at)
    title = f"{NAMES[at % len(NAMES)]} {NAMES[at * 7 % len(NAMES)]} {at}"
    text = ". ".join(" ".join(random.choice(WORDS + NAMES, 6)) for _ in range(3))
    return {"id": f"r{at}", "title": title, "text": f"{text}.", "metadata": {"at": at}}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return [str(write_model(folder / f"m{seed}", CASES["bert-prompts"], seed)) for seed in (7, 8, 9)]


@pytest.fixture
def moving(tmp_path, models):
    """A set of 60 records that was moved to a second model, but for its verification."""
    with embassay.open(tmp_path / ".embassay") as home:
        home.set("docs").upsert([record(at) for at in range(60)], model=models[0])
        begin(home._sets, "docs", MigrationTarget.of(models[1]))
        run(home._sets, "docs")
        yield home


def target(home):
    return home._sets.state.generation(home._sets.state.set("docs").building)


def rewrite(home, change):
    """Have `change` made to the chunks and vectors of the new generation, behind the back of its books."""
    with home._sets.folder.writing(target(home), lambda: None):
        store = home._sets.store(target(home))
        with store.snapshot() as version:
            chunks, vectors = [], []
            for block, by_label in version.scan():
                chunks += block
                vectors.append(by_label[VECTOR])
        chunks, vectors = change(chunks, np.vstack(vectors).copy())
        store.upsert(chunks, {VECTOR: np.ascontiguousarray(vectors, np.float32)})


def verified(home, **options):
    migration = run(home._sets, "docs", verifiers(**options))
    return migration.state, VerificationReport.from_dict(migration.report)


def failed(home):
    state, report = verified(home)
    assert (state == "failed") == bool(report.failed)
    return {one.name for one in report.failed}


def test_a_sound_generation_is_ready(moving):
    state, report = verified(moving)
    assert state == "ready" and report.passed
    figures = {one.name: one.figures for one in report.checks}
    assert figures["rows"]["live"] == figures["rows"]["new"] >= 60
    assert figures["recomputed"]["drawn"] == figures["rows"]["new"] and figures["recomputed"]["least_cosine"] > 0.99
    assert figures["recall"]["recall@10"] == 1
    assert figures["words"]["found_new"] == pytest.approx(figures["words"]["found_live"], abs=0.05)
    assert figures["meaning"]["first_fresh"] == figures["meaning"]["first_stored"]
    change = next(one for one in report.checks if one.name == "change")
    assert change.warned and "change and not quality" in change.detail
    assert all(len(line) <= 80 for line in report.text().splitlines())


def rotated(chunks, vectors):
    rotation = np.linalg.qr(np.random.default_rng(3).standard_normal((vectors.shape[1],) * 2))[0]
    return chunks, vectors @ rotation


def two_exchanged(chunks, vectors):
    vectors[[4, 17]] = vectors[[17, 4]]
    return chunks, vectors


def one_doubled(chunks, vectors):
    vectors[4] = vectors[17]
    return chunks, vectors


WRONG_VECTORS = {
    "shuffled": lambda chunks, vectors: (chunks, np.roll(vectors, 1, axis=0)),
    "negated": lambda chunks, vectors: (chunks, -vectors),
    "rotated": rotated,
    "two exchanged": two_exchanged,
    "one doubled": one_doubled,
}


@pytest.mark.parametrize("wrong", WRONG_VECTORS)
def test_wrong_vectors_are_found(moving, wrong):
    rewrite(moving, WRONG_VECTORS[wrong])
    assert "recomputed" in failed(moving)


def test_vectors_of_another_model_or_prompt_are_found(moving, models):
    def by(model, role, rows):
        def change(chunks, vectors):
            texts = [chunk.indexed for chunk in chunks[rows]]
            vectors[rows] = moving.session.models.get(model).embed(texts, role).vectors
            return chunks, vectors

        return change

    rewrite(moving, by(models[2], "document", slice(0, 1)))
    assert "recomputed" in failed(moving)
    rewrite(moving, by(models[1], "document", slice(None)))
    assert failed(moving) == set()
    rewrite(moving, by(models[1], "query", slice(None)))
    assert "recomputed" in failed(moving)


def test_unsound_vectors_are_found_before_anything_is_embedded(moving):
    def change(chunks, vectors):
        vectors[3] = 0
        return chunks, vectors

    rewrite(moving, change)
    state, report = verified(moving)
    assert state == "failed" and {one.name for one in report.failed} == {"vectors"}
    assert {one.name for one in report.checks} == {"rows", "texts", "vectors"}


@pytest.mark.parametrize("what", ["indexed", "metadata"])
def test_other_texts_and_metadata_are_found(moving, what):
    def change(chunks, vectors):
        other = {what: chunks[5].indexed if what == "indexed" else {"at": -1}}
        return [replace(chunks[4], **other), *chunks[5:]], vectors[4:]

    rewrite(moving, change)
    assert failed(moving) == {"texts"}


def test_rows_that_are_missing_or_too_many_are_found(moving):
    store = moving._sets.store(target(moving))

    def change(chunks, vectors):
        store.delete([chunks[0].key])
        return [*chunks[1:], replace(chunks[0], key="f" * 32)], np.vstack([vectors[1:], vectors[:1]])

    rewrite(moving, change)
    state, report = verified(moving)
    rows = next(one for one in report.checks if one.name == "rows")
    assert state == "failed" and rows.figures["missing"] == rows.figures["extra"] == 1


def test_what_is_written_meanwhile_is_no_difference(moving):
    """The switch brings it: a verification looks at what both generations have settled."""
    sets = moving._sets
    sets.state.migrations.advance(sets.state.migrations.open("docs"), ("ready",), "verifying")
    live, new = sets.live("docs"), target(moving)
    moving.set("docs").upsert([record(100), record(3) | {"text": "Said in another way."}])
    checks = {one.name: one for one in verifiers()[0](sets, live, new)}
    assert all(one.passed for one in checks.values()) and checks["rows"].figures["live"] > checks["rows"].figures["new"]


def test_strictly_a_warning_is_a_failure(moving):
    state, report = verified(moving, strict=True)
    assert state == "failed" and {one.name for one in report.failed} == {"change"}


def test_a_model_without_meaning_is_no_place_to_move_to(tmp_path):
    """Every stored vector is what the model makes of its text, and no query finds anything."""
    with embassay.open(tmp_path / ".embassay") as home:
        nouns = [" ".join(pair) for pair in combinations(NAMES, 2)]
        texts = [f"{two} were carried to the {nouns[-at]} by hand." for at, two in enumerate(nouns)]
        home.set("docs").upsert([{"id": str(at), "text": text} for at, text in enumerate(texts)], model="minilm")
        begin(home._sets, "docs", MigrationTarget.of("hash/64"))
        assert failed(home) == {"meaning"}


def test_a_report_of_a_migration_that_was_not_verified_is_empty(moving):
    report = VerificationReport.from_dict(moving._sets.state.migrations.open("docs").report)
    assert report.checks == () and report.passed and report.text() == ""


@pytest.mark.parametrize("spread", [np.ones, lambda rows: np.geomspace(0.2, 1.4, rows)])
def test_a_shift_of_all_vectors_that_no_row_shows_alone_is_found(moving, spread):
    """As a short prompt before texts makes it: of equal length, or of lengths that differ."""

    def change(chunks, vectors):
        size = spread(len(vectors))[:, None] * 0.08 * vectors.std() * np.sqrt(vectors.shape[1])
        moved = vectors + size * np.eye(vectors.shape[1])[3]
        return chunks, moved / np.linalg.norm(moved, axis=1, keepdims=True)

    rewrite(moving, change)
    state, report = verified(moving)
    assert state == "failed" and {one.name for one in report.failed} == {"drift"}
    drift = report.failed[0].figures
    assert (drift["mean_loss"] > MOST) == (spread is np.ones)
