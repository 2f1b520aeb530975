"""Ollama: `/api/embed`, `/api/embeddings`, and what its clients ask of models: `/api/tags`, `/api/show`, `/api/ps`.

Ollama puts no prompts before texts, so its clients do: a text that begins with a prompt of the model is embedded in
that role, and the prompt is not put before it twice. All others are embedded as documents. Names may end in `:latest`.
`keep_alive` is how long the model stays loaded from now on. Of `options` nothing is used.
"""

from __future__ import annotations

import math
import re
import time
from datetime import UTC, datetime

import msgspec

from embassay.server.asking import Wish, embedded
from embassay.server.call import Call
from embassay.server.facts import ModelFacts, facts_of, facts_or_none
from embassay.server.numbers import as_numbers
from embassay.server.problems import Problem
from embassay.server.refusals import RequestInvalid
from embassay.server.route import Route
from embassay.server.served import LATEST
from embassay.server.texts import listed

SPOKEN = "0.13.5"
"""The version of Ollama whose routes these are, by which clients tell what they may use."""
KeepAlive = str | float | None
UNITS = {"ns": 1e-9, "us": 1e-6, "\u00b5s": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"-?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|\u00b5s|ms|[smh]))+")
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|\u00b5s|ms|[smh])")


class OllamaEmbedRequest(msgspec.Struct, kw_only=True):
    model: str = ""
    input: str | list[str] = ""
    truncate: bool | None = None
    """Whether a text above the token limit is cut; otherwise it is refused. Default: it is cut."""
    dimensions: int | None = None
    """Fewer than the model has, where it was trained to be cut; as many as it has, or more, change nothing."""
    keep_alive: KeepAlive = None


class OllamaPromptRequest(msgspec.Struct, kw_only=True):
    model: str = ""
    prompt: str = ""
    keep_alive: KeepAlive = None


class OllamaShowRequest(msgspec.Struct, kw_only=True):
    model: str = ""
    name: str = ""
    """The same, as older clients say it."""
    verbose: bool | None = None


class OllamaEmbedReply(msgspec.Struct):
    model: str
    embeddings: list[list[float]]
    total_duration: int
    """Nanoseconds, of which `load_duration` were spent on loading the model."""
    load_duration: int
    prompt_eval_count: int


class OllamaPromptReply(msgspec.Struct):
    embedding: list[float]


class OllamaDetails(msgspec.Struct):
    format: str
    family: str
    families: list[str]
    parameter_size: str
    quantization_level: str
    parent_model: str = ""


class OllamaTag(msgspec.Struct):
    name: str
    model: str
    modified_at: str
    size: int
    digest: str
    """Of the space of the model: equal digests, equal vectors."""
    details: OllamaDetails


class OllamaTags(msgspec.Struct):
    models: list[OllamaTag]


class OllamaRunning(msgspec.Struct):
    name: str
    model: str
    size: int
    digest: str
    details: OllamaDetails
    expires_at: str
    size_vram: int


class OllamaPs(msgspec.Struct):
    models: list[OllamaRunning]


class OllamaShow(msgspec.Struct):
    license: str
    modelfile: str
    parameters: str
    template: str
    details: OllamaDetails
    model_info: dict[str, str | int]
    capabilities: list[str]
    modified_at: str


class OllamaVersion(msgspec.Struct):
    version: str


async def embed(call: Call) -> object:
    """Vectors of one text or of several."""
    asked: OllamaEmbedRequest = call.body
    started = time.perf_counter_ns()
    loading = await _loaded(call, asked.model, asked.keep_alive)
    texts = [] if asked.input == "" else listed(asked.input)
    vectors: object = []
    tokens = 0
    if texts:
        cut = await _fewer(call, asked)
        wish = Wish(None, "none" if asked.truncate is False else "end", cut, mend=("truncate", True))
        made = await embedded(call, asked.model, texts, wish)
        vectors, tokens = as_numbers(made.vectors), sum(made.tokens)
    return {
        "model": asked.model or call.model,
        "embeddings": vectors,
        "total_duration": time.perf_counter_ns() - started,
        "load_duration": loading,
        "prompt_eval_count": tokens,
    }


async def embeddings(call: Call) -> object:
    """The vector of one text, as older clients ask for it: a text above the token limit is refused."""
    asked: OllamaPromptRequest = call.body
    await _loaded(call, asked.model, asked.keep_alive)
    if not asked.prompt:
        return {"embedding": []}
    made = await embedded(call, asked.model, [asked.prompt], Wish())
    return {"embedding": as_numbers(made.vectors[0])}


async def tags(call: Call) -> OllamaTags:
    """The models that the key may use, under all of their names; one that is not on this machine yet is left out."""
    service = call.service
    called = await service.in_worker(service.models.called, call.principal)
    known: dict[str, ModelFacts | None] = {}
    for served in dict.fromkeys(called.values()):
        known[served] = await service.in_worker(facts_or_none, service.session.models, served)
    found = ((name, known[served]) for name, served in sorted(called.items()))
    return OllamaTags([_tag(call, name, facts) for name, facts in found if facts])


async def show(call: Call) -> OllamaShow:
    """What is known of a model."""
    asked: OllamaShowRequest = call.body
    service = call.service
    served = await service.in_worker(service.models.find, asked.model or asked.name, call.principal)
    facts = await service.in_worker(facts_of, service.session.models, served)
    kind = facts.architecture or "encoder"
    info: dict[str, str | int] = {
        "general.architecture": kind,
        "general.basename": served,
        "general.parameter_count": facts.parameters,
        f"{kind}.context_length": facts.max_tokens,
        f"{kind}.embedding_length": facts.dimensions,
    }
    known = {name: value for name, value in info.items() if value}
    return OllamaShow(
        facts.licence, f"FROM {served}", "", "{{ .Prompt }}", _details(facts), known, ["embedding"], _when(call)
    )


async def ps(call: Call) -> OllamaPs:
    """The models that are loaded."""
    service = call.service
    running = []
    for name, embedder in service.models.loaded():
        if embedder.remote or not service.models.allows(call.principal, name):
            continue
        facts = await service.in_worker(facts_or_none, service.session.models, name)
        if facts:
            tag = _tag(call, name, facts)
            until = time.time() + min(service.models.keep_alive(name, service.limits.keep_alive), 1e9)
            running.append(OllamaRunning(tag.name, tag.model, tag.size, tag.digest, tag.details, _moment(until), 0))
    return OllamaPs(running)


async def version(_: Call) -> OllamaVersion:
    """Of the routes, for clients that ask before they choose one."""
    return OllamaVersion(SPOKEN)


async def _loaded(call: Call, name: str, keep_alive: KeepAlive) -> int:
    """Have a model loaded, and kept so as long as is wished; nanoseconds that loading it took."""
    seconds = None if keep_alive is None else _seconds(keep_alive)
    started = time.perf_counter_ns()
    before = call.service.models.ready(call.service.models.find(name, call.principal))
    await call.service.embedder(call, name)
    if seconds is not None:
        call.service.models.keep(call.model, seconds)
    return 0 if before else time.perf_counter_ns() - started


async def _fewer(call: Call, asked: OllamaEmbedRequest) -> int | None:
    """The dimensions to cut to; None where the model has no more than are asked for."""
    if not asked.dimensions or asked.dimensions < 0:
        return None
    embedder = await call.service.embedder(call, asked.model)
    space = await call.service.in_worker(lambda: embedder.space)
    return asked.dimensions if asked.dimensions < space.dimensions else None


def _seconds(keep_alive: str | float) -> float:
    """``"5m"``, ``300`` and ``"1h30m"`` in seconds; below 0: for ever. Raises RequestInvalid."""
    text = str(keep_alive).strip()
    if _DURATION.fullmatch(text):
        whole = sum(float(number) * UNITS[unit] for number, unit in _PART.findall(text))
        seconds = -whole if text.startswith("-") else whole
    else:
        try:
            seconds = float(text)
        except ValueError:
            seconds = math.nan
    if math.isnan(seconds):
        raise RequestInvalid(
            f"keep_alive is {text[:40]!r}, which is no time.", place="keep_alive", remedy='Write "5m", or seconds.'
        )
    return math.inf if seconds < 0 else seconds


def _tag(call: Call, name: str, facts: ModelFacts) -> OllamaTag:
    called = name if ":" in name.rpartition("/")[2] else name + LATEST
    return OllamaTag(called, called, _when(call), facts.bytes, facts.digest, _details(facts))


def _details(facts: ModelFacts) -> OllamaDetails:
    kind = facts.architecture or "encoder"
    millions = f"{facts.parameters / 1e6:.4g}M" if facts.parameters else ""
    return OllamaDetails("safetensors", kind, [kind], millions, facts.precision)


def _when(call: Call) -> str:
    return _moment(call.service.started)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def failure(problem: Problem) -> tuple[int, object]:
    """Ollama's envelope, with the code beside."""
    return problem.status, {"error": problem.sentence, "code": problem.code}


EXAMPLE = {"model": "minilm", "input": ["Keys are rotated on Mondays.", "Otters sleep afloat."]}
ROUTES = (
    Route(
        "POST",
        "/api/embed",
        embed,
        "Vectors of texts",
        body=OllamaEmbedRequest,
        reply=OllamaEmbedReply,
        examples={"two texts": EXAMPLE},
    ),
    Route(
        "POST",
        "/api/embeddings",
        embeddings,
        "The vector of a text",
        body=OllamaPromptRequest,
        reply=OllamaPromptReply,
        examples={"a text": {"model": "minilm", "prompt": "Keys are rotated on Mondays."}},
    ),
    Route("GET", "/api/tags", tags, "The models that are served", reply=OllamaTags),
    Route(
        "POST",
        "/api/show",
        show,
        "What is known of a model",
        body=OllamaShowRequest,
        reply=OllamaShow,
        examples={"a model": {"model": "minilm"}},
    ),
    Route("GET", "/api/ps", ps, "The models that are loaded", reply=OllamaPs),
    Route("GET", "/api/version", version, "The version of these routes", reply=OllamaVersion, needs="open"),
)
