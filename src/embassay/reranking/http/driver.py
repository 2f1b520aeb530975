"""Drives any reranker over HTTP: texts to requests by count and tokens, and their answers back to scores."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from embassay import remedy
from embassay.embedders.http.api import Caps, Description
from embassay.embedders.http.attempts import Attempts, Patience
from embassay.embedders.http.connection import Connection
from embassay.embedders.http.exchange import Meter
from embassay.embedders.http.faults import FailedAttempt, read_hidden_failure
from embassay.embedders.http.pool import Pool
from embassay.embedders.http.purse import Purse
from embassay.embedders.http.window import batches
from embassay.embedders.http.wire import page_in
from embassay.embedders.texts.bill import BillCheck, Counted
from embassay.embedders.texts.blocks import PLAIN, is_blank
from embassay.embedders.texts.estimate import EstimatedTokens
from embassay.embedders.texts.longtext import TextPart, parts_of, shorter
from embassay.embedders.wrap.budget import Charge, Paid
from embassay.errors import BadReply, ConfigError
from embassay.reranking.base import Reranked, Reranker, with_least
from embassay.reranking.http.checking import checked
from embassay.reranking.http.identity import MILLION, RerankIdentity
from embassay.text import encodable
from embassay.types import Usage

if TYPE_CHECKING:
    from embassay.catalog.card import RerankerCard
    from embassay.embedders.wrap.budget import Budget
    from embassay.reranking.http.api import RerankApi, RerankReply
    from embassay.types import Vectors

CUTS = 12
"""How often a text is made shorter before it counts as refused."""
ARRIVAL_SECONDS = 1.0
"""How long replies are waited for that nobody wants any more, because another one failed."""


@dataclass(slots=True)
class _Call:
    """What the requests of one call share and fill. Several threads add to it."""

    query: str
    query_tokens: int
    until: float
    meter: Meter = field(default_factory=Meter)
    stopped: threading.Event = field(default_factory=threading.Event)
    scores: dict[int, float] = field(default_factory=dict)
    """Position of a text to its score."""
    truncated: set[int] = field(default_factory=set)
    refused: dict[int, str] = field(default_factory=dict)


class HttpReranker(Reranker):
    """A reranker over a `RerankApi`. Threads may share it."""

    remote = True

    def __init__(self, api: RerankApi, card: RerankerCard | None = None, budget: Budget | None = None) -> None:
        """`budget` pays for every request. Raises ConfigError for settings that name no model."""
        self._api, self._settings, self._identity = api, api.settings, RerankIdentity(api, card)
        price, unit = self._identity.price, self._identity.unit
        self._bill = BillCheck(self.name, price, api.settings.usage, unit)
        self._budget, self._purse = budget, Purse(budget, self.name, price)
        self._connection = Connection(api, self.name)
        self._attempts = Attempts(self.name, api.settings, self._bill)
        self._answered = False

    @property
    def name(self) -> str:
        return self._identity.name

    @property
    def identity(self) -> str:
        return self._identity.scores_key(self._description)

    @property
    def price(self) -> str:
        return self._identity.priced

    def usd(self, query: int, texts: Sequence[int]) -> float | None:
        """By the unit that the service bills; nothing is sent."""
        price = self._identity.price
        counted = self._api.counted("", [""] * len(texts), [query, *texts])
        return None if price is None else counted.tokens * price / MILLION

    def check_ready(self) -> None:
        """Raises KeyMissing or ConfigError where there is no key; nothing is sent."""
        self._connection.check_key(self._api.request("query", ["text"]).path)

    def close(self) -> None:
        self._connection.close()

    @cached_property
    def _description(self) -> Description:
        """What the server says of itself. Raises ProviderError."""
        try:
            return self._api.describe(self._connection.get)
        except (ValueError, TypeError, RecursionError) as error:
            raise BadReply(f"{self.name}: what it says of itself cannot be read ({error}).") from None

    @cached_property
    def tokens(self) -> EstimatedTokens:
        """Counts by an estimate, because the tokenizer of a hosted model is not at hand. Raises ProviderError."""
        return EstimatedTokens(self._identity.max_tokens(self._description))

    @cached_property
    def _caps(self) -> Caps:
        return self._identity.caps(self._description)

    def score(self, query: str, texts: Sequence[str]) -> Reranked:
        """See `Reranker.score`. A text that the service refuses has the least score, and is named."""
        import numpy as np

        self._check_priced()
        query, texts = encodable(query), [encodable(text) for text in texts]
        (alone, *each) = self.tokens.count([query, *texts])
        pairs = [0 if is_blank(text) else alone + count for text, count in zip(texts, each, strict=True)]
        call = _Call(query, alone, time.monotonic() + self._settings.deadline)
        self._ask_all(self._parts(texts, pairs, alone), call)
        limit = self.tokens.max_tokens
        cut = [at in call.truncated or count > limit for at, count in enumerate(pairs)]
        return Reranked(
            with_least(call.scores, len(texts)),
            np.minimum(np.array(pairs, np.int64), limit),
            np.array(cut, np.bool_),
            self.name,
            self._usage(call.meter),
            refused=dict(sorted(call.refused.items())),
        )

    def _parts(self, texts: Sequence[str], pairs: Sequence[int], query_tokens: int) -> list[TextPart]:
        """The texts that say anything, cut where the service does not cut them itself."""
        wanted = [at for at, count in enumerate(pairs) if count]
        if self._api.cuts:
            return [TextPart(at, texts[at], pairs[at]) for at in wanted]
        room = EstimatedTokens(max(1, self.tokens.max_tokens - query_tokens))
        each = [pairs[at] - query_tokens for at in wanted]
        cut = parts_of([texts[at] for at in wanted], each, room, "", "truncate")
        return [TextPart(wanted[one.owner], one.text, one.tokens + query_tokens, one.truncated) for one in cut]

    def _ask_all(self, parts: Sequence[TextPart], call: _Call) -> None:
        """Have all scores, or raise the first error; what is under way then has a second to arrive: it is paid for."""
        planned = list(batches(parts, self._caps))
        if len(planned) < 2:
            for batch in planned:
                self._make(batch, call)
        else:
            pool: Pool[None] = Pool(self._settings.concurrency)
            try:
                for future in [pool.submit(self._make, batch, call) for batch in planned]:
                    future.result()
            finally:
                call.stopped.set()
                pool.close()
                pool.settle(ARRIVAL_SECONDS)
        self._bill.check()

    def _check_priced(self) -> None:
        """Raises ConfigError where a cap is set and nobody knows what is spent."""
        if self._budget and self._budget.is_capped and self._identity.price is None:
            setting = "usd_per_thousand_searches" if self._identity.unit == "searches" else "usd_per_million_tokens"
            raise ConfigError(
                f"the price of {self.name} is not known, so that no spend cap can be kept.",
                remedy=remedy.setting(setting, say="Set {} of the reranker."),
            )

    def _make(self, batch: Sequence[TextPart], call: _Call) -> None:
        """The scores of a batch, by whatever division it takes. Raises ProviderError."""
        made = self._ask(batch, call)
        if not isinstance(made, FailedAttempt):
            call.scores.update((part.owner, float(score)) for part, score in zip(batch, made, strict=True))
            call.truncated.update(part.owner for part in batch if part.truncated)
        elif len(batch) > 1:
            self._check_set_up(made, call)
            middle = len(batch) // 2
            for half in (batch[:middle], batch[middle:]):
                self._make(half, call)
        else:
            self._alone(batch[0], made, call)

    def _alone(self, part: TextPart, fault: FailedAttempt, call: _Call) -> None:
        """What becomes of one text that was refused: it is cut where that may help."""
        for _ in range(CUTS if fault.too_long else 0):
            part = shorter(part, "")
            made = self._ask([part], call)
            if not isinstance(made, FailedAttempt):
                call.scores[part.owner] = float(made[0])
                call.truncated.add(part.owner)
                return
            if not made.too_long:
                break
        self._check_set_up(fault, call)
        call.refused[part.owner] = fault.error.message

    def _check_set_up(self, fault: FailedAttempt, call: _Call) -> None:
        """Raises the error of a refusal that is of the set-up and not of a text: a plain text is refused as well."""
        if self._answered:
            return
        plain = _Call(PLAIN, self.tokens.count([PLAIN])[0], call.until, call.meter, call.stopped)
        if isinstance(self._ask([TextPart(0, PLAIN, 2 * plain.query_tokens)], plain), FailedAttempt):
            raise fault.error

    def _ask(self, batch: Sequence[TextPart], call: _Call) -> Vectors | FailedAttempt:
        """The scores of what one request holds, or a fault where another division might pass."""
        texts = [part.text for part in batch]
        request = self._api.request(call.query, texts)
        body = msgspec.json.encode({**request.body, **self._settings.extra_body})
        alone = [max(0, part.tokens - call.query_tokens) for part in batch]
        counted = self._api.counted(call.query, texts, [call.query_tokens, *alone])
        self._connection.check_key(request.path)  # before anything is reserved for it

        def once() -> Vectors | FailedAttempt:
            with self._purse.charge([f"{call.query}\0{text}" for text in texts], "rerank", counted) as charge:
                answer = self._connection.send("POST", request.path, body, call.until)
                reply = answer if isinstance(answer, FailedAttempt) else self._parsed(*answer)
                made = self._settled(reply, len(texts), counted, charge, call.meter)
            if not isinstance(made, FailedAttempt):
                self._answered = True
                return made
            return made if self._answered else self._connection.placed(made, request.path)

        return self._attempts.answered(once, Patience(sum(part.tokens for part in batch), call.until, call.stopped))

    def _parsed(self, body: bytes, headers: Mapping[str, str]) -> RerankReply | FailedAttempt:
        try:
            return self._api.parse(body, headers)
        except BadReply as error:
            words = error.message
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
            page = page_in(body)
            start = body[:80].decode("utf-8", "replace")
            words = (
                f"the reply is a web page ({page})."
                if page
                else f"the reply is not what its documentation says ({error}): {start!r}."
            )
        return read_hidden_failure(headers, body, self.name, "scores") or self._bad(words)

    def _settled(
        self, made: RerankReply | FailedAttempt, count: int, counted: Counted, charge: Charge, meter: Meter
    ) -> Vectors | FailedAttempt:
        """The scores of a reply; what it cost is settled and metered, also where it cannot be used."""
        if isinstance(made, FailedAttempt):
            billed = made.unanswered or isinstance(made.error, BadReply)  # nobody says that it was not
            meter.add(0, counted.most if billed else 0)
            if not billed:
                charge.settle(Paid(0.0))
            return made
        settled = self._bill.settle(made.billed, counted)
        meter.add(settled.tokens, settled.counts)
        charge.settle(self._purse.paid(settled))
        try:
            return checked(made, count)
        except BadReply as error:
            return self._bad(error.message)

    def _bad(self, words: str) -> FailedAttempt:
        """A reply that is no answer: what is sent once more costs once more, and says the same."""
        said = self._connection.hushed(f"{self.name}: {words}")
        return FailedAttempt(BadReply(said, remedy="Check base_url and model_id."), "stop", misplaced=True)

    def _usage(self, meter: Meter) -> Usage:
        """What the requests took; where searches are billed, nobody says how many tokens they were."""
        price, counts = self._identity.price, meter.counts
        usd = counts * price / MILLION if price is not None else None if counts else 0.0
        return Usage(meter.requests, None if self._identity.unit == "searches" else meter.tokens, usd)
