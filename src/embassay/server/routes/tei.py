"""Text Embeddings Inference: `/embed`, `/embed_all`, `/similarity`, `/tokenize`, `/decode`, `/info` and `/health`.

TEI puts a prompt before texts only where `prompt_name` says so, and its clients put it there themselves: a text that
begins with a prompt of the model is embedded in that role, and the prompt is not put before it twice. All others are
embedded as documents, those above the token limit cut unless `truncate` is false. Vectors are as the model gives them:
`normalize: false` changes nothing for a model that normalises by itself. `model` is an extra field.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import msgspec

from embassay.embedders.texts.blocks import is_blank
from embassay.errors import EmbassayError, ModelNotFound, ModelUnsupported, TextTooLong
from embassay.server.asking import Cut, Wish, embedded
from embassay.server.call import Call
from embassay.server.facts import facts_of
from embassay.server.numbers import as_numbers
from embassay.server.problems import Problem
from embassay.server.ranking import RankWish, as_results, ranked
from embassay.server.refusals import InputEmpty, RequestInvalid
from embassay.server.route import Answer, Route
from embassay.server.tei_shapes import (
    Inputs,
    SentencePair,
    TeiAnyRequest,
    TeiDecodeRequest,
    TeiEmbedRequest,
    TeiInfo,
    TeiModelType,
    TeiPooling,
    TeiReranker,
    TeiRerankRequest,
    TeiSimilarityOptions,
    TeiSimilarityRequest,
    TeiTokenizeRequest,
)
from embassay.server.texts import listed, not_empty, role_of, text_of_ids
from embassay.server.tokenizing import TextToken, texts_of, tokens_of
from embassay.vectors import unit_rows
from embassay.version import VERSION

if TYPE_CHECKING:
    from embassay.types import Embeddings

PROMPT = "prompt_name"
CUT = ("truncate", True)
MOST_STATES = 16_384
"""Tokens whose vectors are given in one answer."""


async def embed(call: Call) -> Answer:
    """Vectors of one text or of several."""
    started = time.perf_counter()
    asked: TeiEmbedRequest | TeiAnyRequest = call.body
    texts = await _texts(call, asked.model or "", asked.inputs)  # type: ignore[arg-type]
    wish = Wish(asked.prompt_name, _cut(asked.truncate, asked.truncation_direction), asked.dimensions, PROMPT, CUT)
    made = await embedded(call, asked.model or "", texts, wish)
    vectors = made.vectors
    if asked.normalize is not False and not made.space.normalised:
        vectors = unit_rows(vectors)
    return _answer(as_numbers(vectors), made, texts, started)


async def similarity(call: Call) -> Answer:
    """How near several texts are to one, by cosine."""
    started = time.perf_counter()
    asked: TeiSimilarityRequest | TeiAnyRequest = call.body
    pair = cast(SentencePair, asked.inputs)
    how = asked.parameters or TeiSimilarityOptions()
    not_empty([pair.source_sentence], "inputs.source_sentence")
    not_empty(pair.sentences, "inputs.sentences")
    texts = [pair.source_sentence, *pair.sentences]
    wish = Wish(how.prompt_name, _cut(how.truncate, how.truncation_direction), place=PROMPT, mend=CUT)
    made = await embedded(call, asked.model or "", texts, wish)
    vectors = unit_rows(made.vectors)
    return _answer(as_numbers(vectors[1:] @ vectors[0]), made, texts, started)


async def either(call: Call) -> Answer:
    """`/embed` or `/similarity`, by what is sent."""
    return await (similarity(call) if isinstance(call.body.inputs, SentencePair) else embed(call))


async def embed_all(call: Call) -> object:
    """The vectors of the tokens of each text, special tokens left out, each of length 1.

    A text above the token limit is read in windows: every token of it has a vector.
    """
    asked: TeiEmbedRequest = call.body
    texts = await _texts(call, asked.model or "", asked.inputs)
    call.service.check_count(texts)
    embedder = await call.service.embedder(call, asked.model or "")
    role = role_of(asked.prompt_name, "document", PROMPT)

    def states() -> list[msgspec.Raw]:
        counts = embedder.tokens.count(texts)
        limit = embedder.tokens.max_tokens
        for at, count in enumerate(counts):
            if asked.truncate is False and count > limit:
                raise TextTooLong(at, count, limit)
        if sum(counts) > MOST_STATES:
            raise RequestInvalid(
                f"the texts have {sum(counts):,} tokens; the most is {MOST_STATES:,} a request.", place="inputs"
            )
        return [as_numbers(one.vectors) for one in embedder.token_states(texts, role)]

    with call.service.charged(call, texts):
        return await call.service.in_worker(states)


async def rerank(call: Call) -> object:
    """How well texts answer a query, best first: a bare list of TEI's for `texts`, `results` for `documents`."""
    started = time.perf_counter()
    asked: TeiRerankRequest = call.body
    if not asked.model:
        _check_reranker(call)
    if (asked.texts is None) == (asked.documents is None):
        raise RequestInvalid("the body must have either texts or documents.", place="texts")
    if asked.documents is not None:
        wish = RankWish(asked.query, asked.documents, asked.top_n, asked.max_tokens_per_doc)
        made = await ranked(call, asked.model or "", wish)
        return as_results(made, asked.model or call.model, documents=asked.return_documents is not False)
    made = await ranked(call, asked.model or "", RankWish(asked.query, asked.texts or [], place="texts"))
    rows: list[dict[str, object]] = [{"index": at, "score": score} for at, score in made.rows]
    if asked.return_text:
        rows = [row | {"text": made.texts[at]} for row, (at, _) in zip(rows, made.rows, strict=True)]
    took = f"{(time.perf_counter() - started) * 1e3:.0f}"
    return Answer(rows, headers={"x-compute-tokens": str(made.tokens), "x-total-time": took})


async def no_sparse(_: Call) -> object:
    """No model that is served gives sparse vectors."""
    raise ModelUnsupported("model is not a sparse embedding model.")


async def no_classes(_: Call) -> object:
    """No model that is served is a classifier."""
    raise ModelUnsupported("model is not a classifier model.")


async def tokenize(call: Call) -> list[list[TextToken]]:
    """The tokens of texts, and where they stand."""
    asked: TeiTokenizeRequest = call.body
    texts = listed(asked.inputs)
    not_empty(texts, "inputs")
    call.service.check_count(texts)
    embedder = await call.service.embedder(call, asked.model or "")
    role = role_of(asked.prompt_name, "document", PROMPT) if asked.prompt_name else None
    special = asked.add_special_tokens is not False
    return await call.service.in_worker(tokens_of, embedder, texts, role, special=special)


async def decode(call: Call) -> list[str]:
    """What token ids stand for."""
    asked: TeiDecodeRequest = call.body
    if not asked.ids:
        raise InputEmpty("ids is empty: there is nothing to read.", place="ids")
    whole = all(isinstance(one, int) for one in asked.ids)
    rows = [asked.ids] if whole else asked.ids
    if not all(isinstance(row, list) for row in rows):
        raise RequestInvalid("ids must be the ids of one text, or lists of them.", place="ids")
    embedder = await call.service.embedder(call, asked.model or "")
    skip = asked.skip_special_tokens is not False
    return await call.service.in_worker(texts_of, embedder, cast(Sequence[Sequence[int]], rows), skip_special=skip)


async def info(call: Call) -> TeiInfo:
    """What is known of the model that answers where none is named, and what a request may hold."""
    service = call.service
    served = await service.in_worker(service.models.find, "", call.principal)
    facts = await service.in_worker(facts_of, service.session.models, served)
    limits = service.limits
    return TeiInfo(
        model_id=served,
        model_sha=facts.digest,
        model_dtype=facts.precision or "unknown",
        served_model_name=served,
        model_type=TeiModelType(TeiPooling(facts.pooling or "unknown")),
        max_concurrent_requests=limits.batching.waiting // limits.batching.tokens,
        max_input_length=facts.max_tokens,
        max_batch_tokens=limits.batching.tokens,
        max_batch_requests=None,
        max_client_batch_size=limits.inputs,
        auto_truncate=True,
        tokenization_workers=limits.batching.workers,
        version=VERSION,
        reranker=await service.in_worker(_reranker, call),
    )


async def health(_: Call) -> Answer:
    """Whether the server answers."""
    return Answer(b"", media="text/plain")


async def _texts(call: Call, model: str, given: Inputs) -> Sequence[str]:
    """Raises InputEmpty for what is empty, and RequestInvalid for what is neither texts nor the model's own ids."""
    rows: Sequence[str | int | list[int]] = [given] if isinstance(given, str) else given
    if rows and all(isinstance(one, int) for one in rows):
        rows = [cast(list[int], rows)]
    if all(isinstance(one, str) for one in rows):
        texts = cast(Sequence[str], rows)
        not_empty(texts, "inputs")
        return texts
    embedder = await call.service.embedder(call, model)
    tokens = embedder.tokens
    return [
        one if isinstance(one, str) else await call.service.in_worker(text_of_ids, tokens, one, f"inputs[{at}]")
        for at, one in enumerate(rows)
    ]


def _reranker(call: Call) -> TeiReranker | None:
    """The default reranker; None where there is none, or none that can be asked."""
    service = call.service
    try:
        name = service.models.find_reranker("", call.principal)
        reranker = service.session.models.rerankers.get(name)
        limit = reranker.tokens.max_tokens if reranker.tokens else None
        return TeiReranker(name, hashlib.sha256(reranker.identity.encode()).hexdigest(), limit)
    except EmbassayError:
        return None


def _check_reranker(call: Call) -> None:
    """Raises ModelUnsupported where no reranker is the default one, as TEI does that serves a model of another kind."""
    try:
        call.service.models.find_reranker("", call.principal)
    except ModelNotFound as error:
        raise ModelUnsupported("model is not a reranker model: " + error.message, remedy=error.remedy) from None


def _cut(truncate: bool | None, direction: str | None) -> Cut:
    if truncate is False:
        return "none"
    return "start" if direction and direction.lower() == "left" else "end"


def _answer(body: msgspec.Raw, made: Embeddings, texts: Sequence[str], started: float) -> Answer:
    took = f"{(time.perf_counter() - started) * 1e3:.0f}"
    characters = sum(len(text) for text in texts if not is_blank(text))
    headers = {
        "x-compute-type": "cpu",
        "x-compute-tokens": str(sum(made.tokens)),
        "x-compute-characters": str(characters),
        "x-total-time": took,
    }
    return Answer(body, headers=headers)


KINDS = {429: "Overloaded", 503: "Unhealthy", 424: "Backend"}


def failure(problem: Problem) -> tuple[int, object]:
    """TEI's envelope, with the code beside, and its statuses: 422 for what is wrong, 424 for another kind of model."""
    status = problem.status
    kind = KINDS.get(status, "Validation" if status < 500 else "Backend")
    if problem.code == InputEmpty.code:
        kind = "Empty"
    elif status == 400:
        status = 422
    elif problem.code == ModelUnsupported.code:
        status, kind = 424, "Backend"
    return status, {"error": problem.sentence, "error_type": kind, "code": problem.code}


TWO = {"inputs": ["Keys are rotated on Mondays.", "Otters sleep afloat."]}
NEAR = {"inputs": {"source_sentence": "when are keys rotated", "sentences": TWO["inputs"]}}
Rows = list[list[float]]
WELL = {200: "The server answers."}
ROUTES = (
    Route("POST", "/", either, "What `/embed` or `/similarity` does", body=TeiAnyRequest, examples={"two texts": TWO}),
    Route("POST", "/embed", embed, "Vectors of texts", body=TeiEmbedRequest, reply=Rows, examples={"two texts": TWO}),
    Route(
        "POST",
        "/embed_all",
        embed_all,
        "Vectors of the tokens of texts",
        body=TeiEmbedRequest,
        reply=list[Rows],
        examples={"two texts": TWO},
    ),
    Route("POST", "/embed_sparse", no_sparse, "Sparse vectors, which no model here gives"),
    Route("POST", "/predict", no_classes, "Classes of texts, which no model here tells"),
    Route(
        "POST",
        "/similarity",
        similarity,
        "How near texts are to one",
        body=TeiSimilarityRequest,
        reply=list[float],
        examples={"two texts": NEAR},
    ),
    Route(
        "POST",
        "/tokenize",
        tokenize,
        "Tokens of texts",
        body=TeiTokenizeRequest,
        reply=list[list[TextToken]],
        examples={"a text": {"inputs": "Otters sleep afloat."}},
    ),
    Route(
        "POST",
        "/rerank",
        rerank,
        "How well texts answer a query",
        body=TeiRerankRequest,
        examples={"two texts": {"query": "when are keys rotated", "texts": TWO["inputs"]}},
    ),
    Route("POST", "/decode", decode, "Texts of tokens", body=TeiDecodeRequest, reply=list[str]),
    Route("GET", "/info", info, "The default model, and the limits", reply=TeiInfo),
    Route("GET", "/", health, "Whether the server answers", needs="open", empty=WELL),
    Route("GET", "/health", health, "Whether the server answers", needs="open", empty=WELL),
    Route("GET", "/ping", health, "Whether the server answers", needs="open", empty=WELL),
)
