"""What clients of Text Embeddings Inference send, and what they are answered."""

from __future__ import annotations

from typing import Literal

import msgspec

from embassay.server.asking import Dimensions
from embassay.server.ranking import Documents, Top

Inputs = str | list[str | int | list[int]]
"""One text or several, or token ids."""
Direction = Literal["left", "right", "Left", "Right"]


class SentencePair(msgspec.Struct):
    source_sentence: str
    sentences: list[str]


class TeiSimilarityOptions(msgspec.Struct):
    prompt_name: str | None = None
    truncate: bool | None = None
    truncation_direction: Direction | None = None


class TeiEmbedRequest(msgspec.Struct, kw_only=True):
    inputs: Inputs
    truncate: bool | None = None
    """Whether a text above the token limit is cut; otherwise it is refused. Default: it is cut."""
    truncation_direction: Direction | None = None
    """The side that is cut."""
    prompt_name: str | None = None
    """`query` or `document`, or a task for which the model's card has a prompt."""
    normalize: bool | None = None
    dimensions: Dimensions | None = None
    model: str | None = None


class TeiAnyRequest(msgspec.Struct, kw_only=True):
    """What `/` takes: the request of `/embed`, or, with `source_sentence`, that of `/similarity`."""

    inputs: Inputs | SentencePair
    parameters: TeiSimilarityOptions | None = None
    truncate: bool | None = None
    truncation_direction: Direction | None = None
    prompt_name: str | None = None
    normalize: bool | None = None
    dimensions: Dimensions | None = None
    model: str | None = None


class TeiSimilarityRequest(msgspec.Struct, kw_only=True):
    inputs: SentencePair
    parameters: TeiSimilarityOptions | None = None
    model: str | None = None


class TeiTokenizeRequest(msgspec.Struct, kw_only=True):
    inputs: str | list[str]
    add_special_tokens: bool | None = None
    """Whether special tokens frame a text. Default: they do."""
    prompt_name: str | None = None
    model: str | None = None


class TeiDecodeRequest(msgspec.Struct, kw_only=True):
    ids: list[int | list[int]]
    skip_special_tokens: bool | None = None
    """Whether special tokens are left out. Default: they are."""
    model: str | None = None


class TeiPooling(msgspec.Struct):
    pooling: str


class TeiModelType(msgspec.Struct):
    embedding: TeiPooling


class TeiReranker(msgspec.Struct):
    """The reranker that `/rerank` asks, where a server of TEI would have it in place of the embedding model."""

    model_id: str
    model_sha: str
    max_input_length: int | None


class TeiInfo(msgspec.Struct):
    model_id: str
    model_sha: str
    """The digest of its space: equal digests, equal vectors."""
    model_dtype: str
    served_model_name: str
    model_type: TeiModelType
    max_concurrent_requests: int
    max_input_length: int
    max_batch_tokens: int
    max_batch_requests: int | None
    max_client_batch_size: int
    auto_truncate: bool
    tokenization_workers: int
    version: str
    sha: str | None = None
    docker_label: str | None = None
    reranker: TeiReranker | None = None


class TeiRerankRequest(msgspec.Struct, kw_only=True):
    """TEI's, with `texts`; or that of vLLM, Jina and their like, with `documents`."""

    query: str
    texts: list[str] | None = None
    raw_scores: bool | None = None
    """Scores are those of the model as it was configured, which a setting makes raw; what is said here is ignored."""
    return_text: bool | None = None
    """Whether texts come back with their scores. Default: they do not."""
    truncate: bool | None = None
    truncation_direction: Direction | None = None
    documents: Documents | None = None
    top_n: Top | None = None
    """The most that are given; by default, and with 0, all."""
    return_documents: bool | None = None
    """Whether documents come back with their scores. Default: they do."""
    max_tokens_per_doc: int | None = None
    model: str | None = None
    """A reranker of the configuration; by default the one that it names as the default."""
