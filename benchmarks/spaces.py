"""Random changes of one thing each: is a vector of another space ever accepted, or anything refused for nothing?

    python -m benchmarks.spaces                     1,000 changes
    python -m benchmarks.spaces --count 100 --seed 7

Two projects are indexed with tiny models, one by the local engine, one by a service on loopback. Each trial copies one,
changes one thing of the model's folder, the configuration, the service, the cache, the store or the home, and asks for
vectors by a random public way. A vector is *wrong* where its likeness to that of the original model is below 0.99. A
change that the engine does not read (white space, the order of keys, unknown fields, tensors that nothing uses) has to
be let through. Exits with 1 if a bar is not met.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sqlite3
import string
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import load_file, save_file

from benchmarks.common import Row, report
from embassay.canaries import SAME_SPACE
from embassay.config.values import CacheConfig, Config, EmbeddingsConfig
from embassay.embedders.providers.hash import hashed
from embassay.embedders.providers.local import open_local
from embassay.embedders.wrap.wrapper import uncached
from embassay.errors import EmbassayError
from embassay.home import Home
from embassay.session import Session
from embassay.sets.door import SetEmbedder
from embassay.sets.folder import HomeFolder
from embassay.stores.values import VECTOR
from tests.servers import Answer, Received, Swappable, openai_body, serving
from tests.sets.indexed import opened
from tests.tiny import Case, write_model

if TYPE_CHECKING:
    from embassay.types import Role

QUERIES = ("rotate the key", "search index of a vector space", "never asked before")
NEW = "the proxy server of the model query document search"
PROMPT = "query: "
DENSE = "torch.nn.modules.activation.Tanh"


@dataclass
class Trial:
    """One project with one thing changed."""

    folder: Path
    rng: random.Random
    settings: dict[str, Any]
    service: Swappable | None
    what: str = ""
    """What was changed, in words."""
    neutral: bool = False
    """Whether the engine reads nothing of it, so that it has to be let through."""
    config: dict[str, Any] = field(default_factory=dict)

    @property
    def model(self) -> Path:
        return self.folder / "model"

    @property
    def home(self) -> Path:
        return self.folder / "project" / ".embassay"

    def json_of(self) -> Path:
        """A random JSON file of the model."""
        return self.rng.choice(sorted(self.model.rglob("*.json")))

    def other(self, value: Any) -> Any:
        """Another value of the same kind."""
        rng = self.rng
        if isinstance(value, bool):
            return not value
        if isinstance(value, int):
            return rng.choice([value + 1, max(0, value - 1), value * 2, 0])
        if isinstance(value, float):
            return rng.choice([value * 2 + 0.5, 0.25, value + 1e-3])
        if isinstance(value, str):
            return rng.choice([value + "x", value[:-1], "", value.swapcase()])
        return rng.choice([None, [], {}])


# -- changes of the model's folder ----------------------------------------------------------------------------------


def field_of_a_file(trial: Trial) -> None:
    file = trial.json_of()
    data = json.loads(file.read_text())
    path: list[Any] = []
    parent = data
    while True:
        keys: Sequence[Any] = list(parent) if isinstance(parent, dict) else range(len(parent))
        if not keys:
            parent, path = data, path[:1]
            break
        key = trial.rng.choice(list(keys))
        path.append(key)
        if not isinstance(parent[key], dict | list) or not parent[key]:
            break
        parent = parent[key]
    if isinstance(parent, dict | list) and path:
        key = path[-1]
        if trial.rng.random() < 0.25:
            del parent[key]
        else:
            parent[key] = trial.other(parent[key])
    file.write_text(json.dumps(data))
    trial.what = f"{file.name} {'.'.join(map(str, path))}"


def tensor_of_a_file(trial: Trial) -> None:
    file = trial.rng.choice(sorted(trial.model.rglob("*.safetensors")))
    tensors = load_file(file)
    name = trial.rng.choice(sorted(tensors))
    noise = np.random.default_rng(trial.rng.randrange(1 << 30)).normal(0, 0.5, tensors[name].shape)
    tensors[name] = (tensors[name] + noise).astype(np.float32)
    save_file(tensors, file)
    trial.what = f"{file.parent.name}/{file.name} {name}"


def file_that_is_gone(trial: Trial) -> None:
    file = trial.rng.choice(sorted(path for path in trial.model.rglob("*") if path.is_file()))
    file.unlink()
    trial.what = f"no {file.relative_to(trial.model)}"


def order_of_modules(trial: Trial) -> None:
    file = trial.model / "modules.json"
    modules = json.loads(file.read_text())
    a, b = trial.rng.sample(range(len(modules)), 2)
    modules[a], modules[b] = modules[b], modules[a]
    file.write_text(json.dumps(modules))
    trial.what = f"modules {a} and {b} exchanged"


def white_space_and_order(trial: Trial) -> None:
    file = trial.json_of()
    data = json.loads(file.read_text())
    if isinstance(data, dict) and file.name != "tokenizer.json":
        keys = list(data)
        trial.rng.shuffle(keys)
        data = {key: data[key] for key in keys}
    file.write_text(json.dumps(data, indent=trial.rng.choice([None, 1, 4])))
    trial.what, trial.neutral = f"white space and order of {file.name}", True


def unknown_field(trial: Trial) -> None:
    file = trial.model / trial.rng.choice(["config.json", "1_Pooling/config.json", "sentence_bert_config.json"])
    data = json.loads(file.read_text())
    data["".join(trial.rng.choices(string.ascii_lowercase, k=9))] = trial.rng.choice([1, "a", [1], None])
    file.write_text(json.dumps(data))
    trial.what, trial.neutral = f"an unknown field in {file.name}", True


def weights_saved_again(trial: Trial) -> None:
    file = trial.rng.choice(sorted(trial.model.rglob("*.safetensors")))
    tensors = load_file(file)
    if file.parent == trial.model and trial.rng.random() < 0.5:
        tensors["unused.by.anything.weight"] = np.ones(trial.rng.randrange(1, 9), np.float32)
    save_file(tensors, file, metadata={"note": str(trial.rng.random())})
    trial.what, trial.neutral = f"{file.name} saved again", True


def file_beside(trial: Trial) -> None:
    (trial.model / trial.rng.choice(["README.md", "notes.json", "training_args.bin"])).write_text("{}")
    trial.what, trial.neutral = "a file beside", True


# -- changes of the configuration -----------------------------------------------------------------------------------


def setting(trial: Trial) -> None:
    name, value = trial.rng.choice(
        [
            ("query_prompt", "question: "), ("document_prompt", "text: "), ("query_prompt", ""), ("max_tokens", 7),
            ("precision", "int8"),
        ]
    )  # fmt: skip
    if name == "precision" and trial.service:
        name, value = "extra_body", {"lora": "b"}
    trial.settings[name] = value
    trial.what = f"{name}: {value!r}"


def glossary(trial: Trial) -> None:
    trial.config["glossary"] = {"terms": {"key": "secret number", "proxy": "gate"}, "apply_to": "both"}
    trial.what = "a glossary"


def harmless_setting(trial: Trial) -> None:
    trial.settings |= {"cache_ttl": "365d"}
    if trial.service:
        trial.settings |= trial.rng.choice([{"timeout": "50s"}, {"concurrency": 2}, {"batch_size": 3}, {"retries": 1}])
    trial.what, trial.neutral = "a setting that changes no vector", True


# -- changes of home, cache and store -------------------------------------------------------------------------------


def _alter(trial: Trial, file: Path, statements: Sequence[str]) -> None:
    """Run one of `statements` on an SQLite file."""
    statement = trial.rng.choice(statements)
    with closing(sqlite3.connect(file)) as db, db:
        db.execute(statement)
    trial.what = f"{file.name}: {statement[:60]}"


HOME_CHANGES = (
    "UPDATE generations SET space = replace(space, '\"mean\"', '\"cls\"'), spec = spec || ' '",
    "UPDATE generations SET space = replace(space, 'dimensions', 'dimension')",
    "UPDATE generations SET spec = replace(spec, 'model', 'modell')",
    "UPDATE generations SET identity = 1",
    "UPDATE generations SET name = 'g0123456789ab'",
    "UPDATE generations SET space = '{}'",
    "UPDATE generations SET seal = '0'",
    "UPDATE canaries SET own = made, made = zeroblob(length(made))",
    "UPDATE canaries SET own = zeroblob(length(own))",
    "UPDATE canaries SET made = substr(made, 5)",
    "DELETE FROM canaries",
    "DELETE FROM canaries WHERE role = 'query'",
    "UPDATE sets SET live = 77",
)
CACHE_CHANGES = (
    "UPDATE vectors SET vector = zeroblob(length(vector))",
    "UPDATE vectors SET vector = substr(vector, 5)",
    "UPDATE vectors SET vector = (SELECT vector FROM vectors ORDER BY random() LIMIT 1)",
    "UPDATE vectors SET vector = randomblob(length(vector))",
    "UPDATE vectors SET tokens = 'many', long = 7",
    "UPDATE canaries SET vectors = randomblob(length(vectors))",
    "DELETE FROM canaries",
    "DELETE FROM vectors",
)


def row_of_the_home(trial: Trial) -> None:
    _alter(trial, trial.home / "state.db", HOME_CHANGES)


def row_of_the_cache(trial: Trial) -> None:
    _alter(trial, trial.folder / "cache.db", CACHE_CHANGES)


def row_of_the_store(trial: Trial) -> None:
    how = trial.rng.choice(["inf", "scaled", "shrunk"])
    with _home(trial) as home, opened(home) as (_, _, store), store.snapshot() as version:
        chunks, by_label = next(iter(version.scan()))
        vectors = np.array(by_label[VECTOR])
        at = trial.rng.randrange(len(chunks))
        vectors[at] *= {"inf": np.inf, "scaled": 5.0, "shrunk": 0.2}[how]
        store.upsert([chunks[at]], {VECTOR: vectors[at : at + 1]})
    trial.what = f"store: a row is {how}"


def file_of_the_store(trial: Trial) -> None:
    files = sorted(path for path in (trial.home / "vectors").rglob("*") if path.is_file())
    file = trial.rng.choice(files)
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2] if trial.rng.random() < 0.5 else b"")
    trial.what = f"store: {file.suffix or file.name} is cut"


# -- changes of the service -----------------------------------------------------------------------------------------


def other_model(trial: Trial) -> None:
    assert trial.service
    trial.service.model = trial.rng.choice(["other", "x", " "])
    trial.what = "service: another model"


def swapped_later(trial: Trial) -> None:
    assert trial.service
    trial.service.swaps_after = trial.service.requests + trial.rng.randrange(4)
    trial.what = "service: another model after some requests"


def other_dimensions(trial: Trial) -> None:
    assert trial.service
    trial.service.dimensions = 128
    trial.what = "service: other dimensions"


def other_behaviour(trial: Trial) -> None:
    how = trial.rng.choice(["no prompt", "noise", "reversed", "nan", "zero", "a little noise", "another name"])

    class Changed(Swappable):
        def __call__(self, request: Received) -> Answer:
            texts = request.json["input"]
            if how == "no prompt":
                texts = [text.removeprefix(PROMPT) for text in texts]
            vectors = hashed([self.model + text for text in texts], self.dimensions)
            noise = np.random.default_rng(len(texts)).normal(0, 1, vectors.shape) / np.sqrt(self.dimensions)
            vectors = {
                "noise": vectors + noise, "reversed": vectors[::-1], "nan": vectors * np.nan, "zero": vectors * 0,
                "a little noise": vectors + noise * 1e-3,
            }.get(how, vectors)  # fmt: skip
            return Answer(openai_body(vectors) | {"model": "renamed" if how == "another name" else self.name})

    assert trial.service
    trial.service.__class__ = Changed
    trial.what, trial.neutral = f"service: {how}", how in ("a little noise", "another name")


def one_text_a_request(trial: Trial) -> None:
    """No canary can ride with a text, and nothing is known of that beforehand."""
    swapped = trial.rng.random() < 0.5

    class Single(Swappable):
        def __call__(self, request: Received) -> Answer:
            if len(request.json["input"]) > 1:
                return Answer({"error": {"message": "one input, please"}}, trial.rng.choice([400, 413, 422]))
            return super().__call__(request)

    assert trial.service
    trial.service.__class__ = Single
    if swapped:
        trial.service.model = "other"
    if trial.rng.random() < 0.3:
        trial.settings["batch_size"] = 1
    trial.what, trial.neutral = f"service: one text a request{', another model' * swapped}", not swapped


def huge_or_tiny(trial: Trial) -> None:
    factor = trial.rng.choice([1e30, 1e-42, 1e-25])

    class Scaled(Swappable):
        def __call__(self, request: Received) -> Answer:
            return Answer(openai_body(hashed(request.json["input"], self.dimensions).astype(np.float64) * factor))

    assert trial.service
    trial.service.__class__ = Scaled
    trial.what = f"service: vectors times {factor}"


LOCAL: Sequence[Callable[[Trial], None]] = (
    field_of_a_file, field_of_a_file, field_of_a_file, tensor_of_a_file, tensor_of_a_file, file_that_is_gone,
    order_of_modules, white_space_and_order, unknown_field, weights_saved_again, file_beside, setting, glossary,
    harmless_setting, row_of_the_home, row_of_the_cache, row_of_the_store, file_of_the_store,
)  # fmt: skip
SERVED: Sequence[Callable[[Trial], None]] = (
    other_model, swapped_later, one_text_a_request, huge_or_tiny, other_dimensions, other_behaviour, other_behaviour,
    setting, glossary, harmless_setting, row_of_the_home, row_of_the_cache, row_of_the_store, file_of_the_store,
)  # fmt: skip


# -- the trials -----------------------------------------------------------------------------------------------------


@dataclass
class Verdicts:
    """How the trials ended, with the trials that broke a bar."""

    ends: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def add(self, trial: Trial, end: str, why: str = "") -> None:
        """Count an end; `accepted wrong`, `refused for nothing` and `unexpected` break a bar."""
        self.ends[end] += 1
        if end in ("accepted wrong", "refused for nothing", "unexpected"):
            self.broken.append(f"{end}: {trial.what}: {why[:200]}")


@contextmanager
def projects() -> Iterator[tuple[Path, Path, str, Swappable]]:
    """Two indexed projects, local and served, and the address and the service of the second."""
    with tempfile.TemporaryDirectory() as place, serving(service := Swappable()) as server:
        local, served = Path(place) / "local", Path(place) / "served"  # where trials are: a set knows its model by path
        for folder in (local, served):
            docs = folder / "project" / "docs"
            docs.mkdir(parents=True)
            for at, text in enumerate(("rotate the key of a proxy", "search the index", "a vector space model")):
                (docs / f"{at}.md").write_text(f"# File {at}\n\n{text}\n\n{text} document\n")
        write_model(local / "model", Case("bert", dense=DENSE, max_tokens=24))
        for trial in (Trial(local, random.Random(), {}, None), _served(served, server.url, service)):
            with _home(trial) as home:
                home.index([trial.folder / "project" / "docs"])
                home.embed(QUERIES[:2], "query")
        for folder in (local, served):
            shutil.copytree(folder, _kept(folder))
        yield local, served, server.url, service


def _kept(folder: Path) -> Path:
    """The project as it was indexed, of which each trial is a copy."""
    return folder.with_name(f"{folder.name} as it was")


def _served(folder: Path, url: str, service: Swappable) -> Trial:
    settings = {"provider": "openai", "model_id": "m", "base_url": url, "retries": 0, "query_prompt": PROMPT}
    return Trial(folder, random.Random(), settings | {"max_tokens": 512, "deadline": "5s"}, service)


@contextmanager
def _home(trial: Trial) -> Iterator[Home]:
    settings = trial.settings if trial.service else {"model_id": str(trial.model), "precision": "f32"} | trial.settings
    config = Config(
        embeddings=EmbeddingsConfig(models={"m": settings | {"cache_enabled": True}}, default_model="m"),
        cache=CacheConfig(path=str(trial.folder / "cache.db")),
        **_parsed(trial.config),
    )
    with Session(config) as session, Home(HomeFolder(trial.home), session) as home:
        yield home


def _parsed(config: dict[str, Any]) -> dict[str, Any]:
    from embassay.config.values import Glossary

    return {"glossary": Glossary(**config["glossary"])} if "glossary" in config else {}


def run(count: int, seed: int) -> Verdicts:
    """So many random changes."""
    verdicts = Verdicts()
    with projects() as (local, served, url, service):
        truth = open_local(str(_kept(local) / "model"), "f32")
        pristine = dict(vars(service)) | {"model": "", "swaps_after": None, "dimensions": 64}
        for number in range(count):
            rng = random.Random(f"{seed} {number}")
            remote = rng.random() < 0.4
            folder = served if remote else local
            shutil.rmtree(folder)
            shutil.copytree(_kept(folder), folder)
            service.__class__ = Swappable
            vars(service).update(pristine)
            trial = _served(folder, url, service) if remote else Trial(folder, rng, {}, None)
            trial.rng = rng
            rng.choice(SERVED if remote else LOCAL)(trial)
            _judge(trial, truth, verdicts)
    return verdicts


def _judge(trial: Trial, truth: Any, verdicts: Verdicts) -> None:
    try:
        made = list(_asked(trial))
    except EmbassayError as error:
        verdicts.add(trial, "refused for nothing" if trial.neutral else "refused", str(error))
        return
    except Exception as error:
        verdicts.add(trial, "unexpected", f"{type(error).__name__}: {error}")
        return
    worst = 1.0
    for text, role, vector in made:
        if trial.service:
            expected = hashed([(PROMPT if role == "query" else "") + text], 64)[0]
        else:
            expected = truth.embed([text], role).vectors[0]
        worst = min(worst, float(vector @ expected) if vector.shape == expected.shape else -1.0)
    verdicts.add(trial, "accepted wrong" if worst < SAME_SPACE else "accepted", f"cosine {worst:.3f}")


def _asked(trial: Trial) -> Iterator[tuple[str, str, np.ndarray]]:
    """(text, role, vector) of what a random way gives: single vectors, or the rows of a new file."""
    way = trial.rng.choice(["query", "query", "document", "index", "search"])
    with _home(trial) as home:
        if way in ("query", "document"):
            text = trial.rng.choice(QUERIES)
            role: Role = "query" if way == "query" else "document"
            yield text, role, home.embed([text], role).vectors[0]
        elif way == "search":
            text = trial.rng.choice(QUERIES)
            hits = home.search(text, mode="dense", k=3).hits
            assert all(abs(hit.arms["dense"].score) <= 1.01 for hit in hits), "a score that is no cosine"
        else:
            (trial.folder / "project" / "docs" / "new.md").write_text(f"# New\n\n{NEW}\n")
            home.index([trial.folder / "project" / "docs"])
            with opened(home) as (_, _, store), store.snapshot() as version:
                for chunks, by_label in version.scan():
                    for chunk, vector in zip(chunks, by_label[VECTOR], strict=True):
                        if chunk.path.endswith("new.md"):
                            yield chunk.indexed, "document", vector


LONG_RUN_TEXTS, BATCHES = 40_000, {250: 1.01, 96: None, 32: None}
"""Texts of a hosted run, and how many go into one request of it, each with its bar: a canary takes the place of one."""
ROUNDS = 400


def cost_of_the_proof(texts: int = LONG_RUN_TEXTS, rounds: int = ROUNDS) -> list[Row]:
    """What the proof adds: milliseconds to a local query, requests to a hosted run and to a hosted search."""
    rows = []
    with projects() as (local, served, url, service):
        added = _added_ms(Trial(local, random.Random(), {}, None), rounds)
        rows.append(Row("ms that the proof adds to a local query", added, None, None, "ms", "<= 1", added <= 1))
        for batch, bar in BATCHES.items():
            trial = _served(served, url, service)
            (bare_run, bare), (run, search) = (
                _requests(trial, batch, texts, canaries=proven) for proven in (False, True)
            )
            ratio = (run - 2) / bare_run  # two short requests at its start are another bar
            what = f"requests of a hosted run of {texts:,} texts, {batch} each"
            said = f"<= {bar:g}x + 2" if bar else ""
            rows.append(Row(what, run, bare_run, ratio, "", said, ratio <= bar if bar else None))
            rows.append(Row("requests of a hosted search", search, bare, search / bare, "", "+ 0", search <= bare))
    return rows


def _added_ms(trial: Trial, rounds: int) -> float:
    """Difference of the medians of queries through the door and past it, in turns, without any cache."""
    with _home(trial) as home:
        asked = home.embedder()
        assert isinstance(asked, SetEmbedder)
        through, past = uncached(asked), uncached(asked.inner)
        times = []
        for _ in range(rounds):
            times.append([_ms(partial(one.embed, ["rotate the key"], "query")) for one in (through, past)])
    return float(np.subtract(*np.median(times, axis=0)))


def _requests(trial: Trial, batch: int, texts: int, *, canaries: bool) -> tuple[int, int]:
    """Requests for so many new documents of a set, and of a search in a process that comes after that."""
    assert trial.service
    shutil.rmtree(trial.home)
    (trial.folder / "cache.db").unlink()
    trial.settings |= {"batch_size": batch, "canaries": canaries}
    with _home(trial) as home:
        home.index([trial.folder / "project" / "docs"])
    with _home(trial) as home:
        before = trial.service.requests
        for _ in home.embedder().stream((f"rotate the key {at}" for at in range(texts)), "document"):
            pass
        indexed = trial.service.requests - before
    with _home(trial) as home:
        before = trial.service.requests
        home.search("never asked of anybody", mode="dense")
    return indexed, trial.service.requests - before


def _ms(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1e3


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    found = run(asked.count, asked.seed)
    rows = [
        Row(f"of {asked.count:,} changes, {end}", found.ends[end], None, None, "", "0", not found.ends[end])
        for end in ("accepted wrong", "refused for nothing", "unexpected")
    ]
    rows += [
        Row(f"of {asked.count:,} changes, {end}", found.ends[end], None, None, "", "", None)
        for end in ("accepted", "refused")
    ]
    rows += cost_of_the_proof()
    report("spaces", rows, asked.json, peer="unproven")
    print("\n".join(found.broken), file=sys.stderr)
    return int(any(row.met is False for row in rows))


if __name__ == "__main__":
    sys.exit(main())
