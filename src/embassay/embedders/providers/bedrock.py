"""Amazon Bedrock: Titan v1 and v2 (one text a request) and Cohere's models.

Requests are signed by botocore (``pip install '.[bedrock]'``) with the credentials it finds: environment,
``~/.aws``, an instance role. With an API key in ``AWS_BEARER_TOKEN_BEDROCK`` nothing is signed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from embassay import remedy
from embassay.embedders.http.api import Api, Caps, Reply, Request, sizes_by_card
from embassay.embedders.http.rows import rows
from embassay.embedders.http.wire import COHERE_ROLES, cohere_reply, said_in_header
from embassay.embedders.settings import HttpSettings
from embassay.errors import KeyMissing, PluginError

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.types import Role

_GEOGRAPHY = re.compile(r"^(us|eu|apac|us-gov|global|jp|au)\.")


def canonical(model_id: str) -> str:
    """The model behind an inference profile or an ARN: what its card and its request go by."""
    return _GEOGRAPHY.sub("", model_id.rsplit("/", 1)[-1])


class Settings(HttpSettings, frozen=True, kw_only=True):
    region: str = ""
    """Default: AWS_REGION or AWS_DEFAULT_REGION, else us-east-1."""


class _Titan(msgspec.Struct):
    embedding: list[float] = []
    embeddingsByType: dict[str, list[float]] = {}  # noqa: N815 - the wire's name
    inputTextTokenCount: Any = None  # noqa: N815


class Bedrock(Api):
    name = "bedrock"
    url = ""
    key_variables = ("AWS_BEARER_TOKEN_BEDROCK",)
    hosts = ("bedrock-runtime.*.amazonaws.com",)

    settings: Settings

    def __init__(self, settings: Settings, card: ModelCard | None) -> None:
        super().__init__(settings, card)
        self._base_model = canonical(self.model)
        self._is_cohere = self._base_model.startswith("cohere.")
        self.role_by_parameter = self._is_cohere
        self.caps = Caps(96 if self._is_cohere else 1)  # type: ignore[misc]
        self.max_tokens = 512 if self._is_cohere else 8192  # type: ignore[misc]

    def base_url(self) -> str:
        return self.settings.base_url.rstrip("/") or f"https://bedrock-runtime.{self._region}.amazonaws.com"

    def is_default_service(self) -> bool:
        return not self.settings.base_url

    def needs_key(self) -> bool:
        """Never: without a key the request is signed with the credentials of AWS."""
        return False  # without one the request is signed

    def is_paid(self) -> bool:
        return True

    def request(self, texts: Sequence[str], role: Role) -> Request:
        """To ``/model/ID/invoke``, in the shape of the model: Titan takes one text, Cohere a list and a role."""
        return Request(f"/model/{quote(self.model, safe='')}/invoke", self._body(texts, role))

    def parse(self, body: bytes, headers: Mapping[str, str], count: int) -> Reply:
        billed = said_in_header(headers.get("x-amzn-bedrock-input-token-count"))
        if self._is_cohere:
            return Reply(cohere_reply(body, count)[0], billed)
        answer = msgspec.json.decode(body, type=_Titan)
        vector = answer.embeddingsByType.get("float") or answer.embedding
        return Reply(rows([vector], count), answer.inputTextTokenCount)

    def sign(self, url: str, body: bytes, key: str) -> Mapping[str, str]:
        """SigV4. botocore encodes the path once more, as Bedrock wants it."""
        if key:
            return {}
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        request = AWSRequest("POST" if body else "GET", url, {"Content-Type": "application/json"}, body)
        SigV4Auth(self._credentials.get_frozen_credentials(), "bedrock", self._region).add_auth(request)
        return dict(request.headers)

    def _body(self, texts: Sequence[str], role: Role) -> Mapping[str, object]:
        if not self._is_cohere:
            body: dict[str, object] = {"inputText": texts[0]}
            if "titan-embed-text-v2" in self._base_model:
                body |= {"normalize": True}
                if self.settings.dimensions:
                    body["dimensions"] = self.settings.dimensions
            return body
        body = {"texts": list(texts), "input_type": COHERE_ROLES[role], "embedding_types": ["float"]}
        if self.settings.dimensions:
            body["output_dimension"] = self.settings.dimensions
        return body

    @cached_property
    def _region(self) -> str:
        import os

        return (
            self.settings.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
        )

    @cached_property
    def _credentials(self) -> Any:
        try:
            from botocore.session import get_session
        except ImportError:
            raise PluginError(
                "bedrock signs its requests with botocore, which is not installed.",
                remedy=remedy.install("embassay[bedrock]")
                + remedy.environment("AWS_BEARER_TOKEN_BEDROCK", say="or {}"),
            ) from None
        found = get_session().get_credentials()
        if found is None:
            raise KeyMissing(
                f"bedrock/{self.model} needs credentials.",
                remedy=remedy.environment("AWS_ACCESS_KEY_ID")
                + remedy.environment("AWS_SECRET_ACCESS_KEY", say="and {}"),
            )
        return found


sizes = sizes_by_card


def open_api(settings: Settings, card: ModelCard | None) -> Bedrock:
    """Amazon Bedrock for the model and region in `settings`. Credentials are looked for at the first request."""
    return Bedrock(settings, card)
