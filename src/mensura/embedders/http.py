"""Drives any provider over HTTP: batches by tokens and count, rates, retries, and checks of every reply.

A refused batch is halved until the one bad text is alone. Threads may share an embedder.
"""

from __future__ import annotations

import hashlib
import os
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from mensura.config import expand, is_secret
from mensura.embedders.api import Api, Caps, Description
from mensura.embedders.base import Embedder, check_role
from mensura.embedders.estimate import EstimatedTokens
from mensura.embedders.faults import Fault, read_fault
from mensura.embedders.limits import Gate
from mensura.embedders.longtext import Piece, halves, joined, pieces, shorter, unit_rows
from mensura.errors import (
    BadReply,
    ConfigError,
    KeyMissing,
    ProviderDown,
    ProviderError,
    RateLimited,
    RequestRefused,
    TextTooLong,
)
from mensura.space import NO_TRANSFORM, Space
from mensura.text import encodable
from mensura.types import Embeddings, OnLong, Role, Usage

if TYPE_CHECKING:
    import httpx

    from mensura.types import Vectors

WINDOW_TEXTS = 2048
"""Texts that are planned together; two windows are in flight, so that no connection waits at the seam."""
MAX_REPLY = 1 << 30
"""Bytes: more than any batch can give."""
BACKOFF = 0.5
MAX_BACKOFF = 8.0
"""Seconds: the first and the longest pause between attempts, before jitter."""
CUTS = 12
"""How often one text is made shorter before it counts as refused."""
GUESSES = 2
"""Cuts of a text that may be too long, where the provider does not say so."""
CANARY = "a plain sentence"

Arrived = Callable[[Sequence[str], Role, "Sequence[Vectors]", Sequence[int], Sequence[bool]], None]
"""Texts, their role, and of each its vector, its tokens and whether it was cut."""


@dataclass(slots=True)
class _Meter:
    """What a window took. Several threads add to it."""

    requests: int = 0
    tokens: int | None = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, requests: int, tokens: int | None) -> None:
        with self.lock:
            self.requests += requests
            self.tokens = None if tokens is None or self.tokens is None else self.tokens + tokens


@dataclass(frozen=True, slots=True)
class _Made:
    """The vector of a piece, or why there is none."""

    piece: Piece
    vector: Vectors | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Checked:
    """A reply whose vectors can be those of the model: float32 (n, dimensions)."""

    vectors: Vectors
    tokens: int | None
    truncated: Sequence[bool] | None


@dataclass(frozen=True, slots=True)
class _Job:
    """What all batches of one call share."""

    role: Role
    prompt: str
    on_long: OnLong
    stopped: threading.Event


@dataclass(slots=True)
class _Window:
    """Consecutive texts of a call, and the batches they went into."""

    texts: Sequence[str]
    counts: Sequence[int]
    start: int
    """Position of the first in the call."""
    meter: _Meter = field(default_factory=_Meter)
    batches: list[Future[list[_Made]]] = field(default_factory=list)
    whole: frozenset[int] = frozenset()
    """Texts that are one piece: their vectors are complete as they arrive."""
    split: set[int] = field(default_factory=set)
    """Texts that the provider's own limit had split."""


class _Pool:
    """Threads, started as work comes in. They are daemons: a service that hangs does not keep a program from ending."""

    def __init__(self, size: int) -> None:
        self._size = max(1, size)
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self.started = 0

    def submit(self, work: Callable[..., list[_Made]], *arguments: object) -> Future[list[_Made]]:
        future: Future[list[_Made]] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(work(*arguments))
            except BaseException as error:
                future.set_exception(error)

        self._work.put(run)
        if self.started < self._size:
            self.started += 1
            threading.Thread(target=self._serve, name="http", daemon=True).start()
        return future

    def close(self) -> None:
        """Work that has not begun is dropped; requests under way end by their own timeouts."""
        with suppress(Empty):
            while True:
                self._work.get_nowait()
        for _ in range(self.started):
            self._work.put(None)

    def _serve(self) -> None:
        while (run := self._work.get()) is not None:
            run()


class HttpEmbedder(Embedder):
    """An embedder over an `Api`."""

    remote = True
    arrived: Arrived | None = None
    """Told of every vector as it comes, in the thread that received it."""

    def __init__(self, api: Api) -> None:
        self.api, self.settings, self.card = api, api.settings, api.card
        if not api.model:
            raise ConfigError(f"a model of {api.name} needs a model_id.", remedy="model_id: as the provider calls it")
        self._gate = Gate(self.settings.concurrency, self.settings.requests_per_minute, self.settings.tokens_per_minute)
        self._lock = threading.RLock()
        self._client: httpx.Client | None = None
        self._dimensions = self.settings.dimensions or (self.card.dimensions if self.card else None)
        self._answered = False

    # -- what it is -----------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        return f"{self.api.name}/{self.api.model}"

    @property
    def precision(self) -> str:
        return "f32"

    @cached_property
    def space(self) -> Space:
        known = self.card
        normalised = self._is_unit
        cut = known and known.dimensions and self.settings.dimensions and self.settings.dimensions < known.dimensions
        return Space(
            model=self.name,
            weights=self._weights,
            dimensions=self.dimensions,
            pooling=(known.pooling if known else "") or "unknown",
            normalised=normalised,
            query_prompt=self._prompt_in_space("query"),
            document_prompt=self._prompt_in_space("document"),
            transform="matryoshka" if cut else NO_TRANSFORM,
        )

    @cached_property
    def tokens(self) -> EstimatedTokens:
        known = self.card.max_tokens if self.card else None
        limits = [n for n in (self.settings.max_tokens, known, self._description.max_tokens) if n]
        return EstimatedTokens(min(limits) if limits else self.api.max_tokens)

    @property
    def dimensions(self) -> int:
        """As set or known; otherwise the provider is asked for the vector of one word."""
        if self._dimensions is None:
            self.embed([CANARY], "document")
        assert self._dimensions is not None
        return self._dimensions

    @property
    def price(self) -> float | None:
        """USD per million tokens; 0 for a server of the user's own, None if unknown."""
        if self.settings.usd_per_million_tokens is not None:
            return self.settings.usd_per_million_tokens
        if self.card and self.card.usd_per_million_tokens is not None:
            return self.card.usd_per_million_tokens
        return None if self.api.is_paid() else 0.0

    def prompt(self, role: Role) -> str:
        known = self.card.prompts if self.card and not self.api.role_by_parameter else {}
        return self.settings.prompt(role, known.get(role, ""))

    def close(self) -> None:
        with self._lock:
            if self._client:
                self._client.close()
                self._client = None

    @cached_property
    def _weights(self) -> str:
        """Identifies the weights as well as can be: pinned, as the server says, or by the service's own address."""
        stated = self.settings.revision or self._description.revision
        if stated:
            return stated + self._variant()
        parts = urlsplit(self.api.base_url())
        place = "" if self.api.is_default_service() else f":{parts.netloc.rpartition('@')[2]}{parts.path}"
        return f"hosted{place}{self._variant()}"

    def _variant(self) -> str:
        """A digest of what else chooses the model or changes its vectors; empty where nothing does."""
        settings = self.settings
        query = urlsplit(self.api.base_url()).query
        headers = {name: text for name, text in settings.headers.items() if not is_secret(name)}
        parts = [self.api.variant(), query, settings.extra_body or "", headers or ""]
        if not any(parts):
            return ""
        return "+" + hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()[:8]

    @property
    def _is_unit(self) -> bool:
        """Whether the space promises vectors of length 1; not every server keeps that."""
        return self.api.normalises or bool(self.card and self.card.normalised)

    def _prompt_in_space(self, role: Role) -> str:
        if self.api.role_by_parameter and self.card and self.card.role_parameter and not self.prompt(role):
            return self.card.role_parameter.get(role, "")
        return f"{role} by parameter" if self.api.role_by_parameter and not self.prompt(role) else self.prompt(role)

    @cached_property
    def _description(self) -> Description:
        """Raises ProviderError."""
        try:
            return self.api.describe(self._get)
        except (ValueError, TypeError, RecursionError) as error:
            raise BadReply(f"{self.name}: what it says of itself cannot be read ({error}).") from None

    # -- batches --------------------------------------------------------------------------------------------

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        check_role(role)
        job = _Job(role, self.prompt(role), on_long, threading.Event())
        waiting: deque[_Window] = deque()
        source, start = iter(texts), 0
        pool = _Pool(self.settings.concurrency)
        try:
            while window := list(islice(source, WINDOW_TEXTS)):
                waiting.append(self._submit(pool, window, job, start))
                start += len(window)
                if len(waiting) > 1:
                    yield self._finish(waiting.popleft(), role)
            while waiting:
                yield self._finish(waiting.popleft(), role)
        finally:
            job.stopped.set()
            pool.close()

    def _submit(self, pool: _Pool, texts: Sequence[str], job: _Job, start: int) -> _Window:
        given, texts = texts, [encodable(text) for text in texts]
        counts = self.tokens.count([job.prompt + text for text in texts] if job.prompt else texts)
        counts = [0 if not text or text.isspace() else n for text, n in zip(texts, counts, strict=True)]
        window = _Window(given, counts, start)
        parts = [p for p in pieces(texts, counts, self.tokens, job.prompt, job.on_long, start) if counts[p.owner]]
        repeats = Counter(part.owner for part in parts)
        window.whole = frozenset(owner for owner, count in repeats.items() if count == 1)
        batches = list(self._batches(parts))
        if len(batches) == 1 and len(texts) < WINDOW_TEXTS and not pool.started:  # all there is: no thread is needed
            only: Future[list[_Made]] = Future()
            only.set_result(self._make(batches[0], job, window))
            window.batches.append(only)
        else:
            window.batches += [pool.submit(self._make, batch, job, window) for batch in batches]
        return window

    def _batches(self, whole: Sequence[Piece]) -> Iterator[list[Piece]]:
        batch: list[Piece] = []
        held = 0
        for piece in whole:
            if batch and (
                len(batch) >= self.caps.inputs or held + piece.tokens > (self.caps.tokens or held + piece.tokens)
            ):
                yield batch
                batch, held = [], 0
            batch.append(piece)
            held += piece.tokens
        if batch:
            yield batch

    @cached_property
    def caps(self) -> Caps:
        """Most that one request may hold: as set, else what card, server or provider say."""
        card, caps, settings = self.card, self.api.caps, self.settings
        stated = self._description.max_inputs
        inputs = [n for n in (card and card.max_batch_inputs, stated, caps.inputs if stated is None else None) if n]
        tokens = [n for n in (settings.batch_tokens, (card and card.max_batch_tokens) or caps.tokens) if n]
        return Caps(settings.batch_size or min(inputs), min(tokens, default=None))

    def _finish(self, window: _Window, role: Role) -> Embeddings:
        import numpy as np

        made = [one for batch in window.batches for one in batch.result()]
        refused = {one.piece.owner: one.reason for one in made if one.vector is None}
        kept = [one for one in made if one.vector is not None and one.piece.owner not in refused]
        count = len(window.counts)
        truncated = [False] * count
        for one in kept:
            truncated[one.piece.owner] |= one.piece.truncated
        vectors = np.zeros((count, self.dimensions), np.float32)
        if kept:
            stacked = np.stack([one.vector for one in kept if one.vector is not None])
            owners, weights = [one.piece.owner for one in kept], [one.piece.tokens for one in kept]
            vectors = joined(stacked, owners, weights, count, normalised=self.space.normalised)
        tokens = window.meter.tokens
        usd = 0.0 if self.price == 0 else tokens * self.price / 1e6 if tokens is not None and self.price else None
        usage = Usage(window.meter.requests, tokens, usd if window.meter.requests else 0.0)
        return Embeddings(
            vectors, window.counts, truncated, self.space, role, "f32", self.name, usage, window.split, refused
        )

    def _make(self, batch: Sequence[Piece], job: _Job, window: _Window, until: float | None = None) -> list[_Made]:
        """Vectors of a batch; halves of it where the provider will not take it whole. All of it by `until`."""
        until = until or time.monotonic() + self.settings.deadline
        result = self._ask(batch, job, window.meter, until)
        if isinstance(result, _Checked):
            cut = result.truncated or [False] * len(batch)
            made = [
                _Made(p if not c else Piece(p.owner, p.text, p.tokens, truncated=True), v)
                for p, v, c in zip(batch, result.vectors, cut, strict=True)
            ]
            self._hand_over(made, job, window)
            return made
        if len(batch) > 1:
            middle = len(batch) // 2
            return self._make(batch[:middle], job, window, until) + self._make(batch[middle:], job, window, until)
        perhaps = job.on_long != "error" and batch[0].tokens > self.tokens.safe_tokens  # whatever it says
        if result.too_long or perhaps:
            return self._shorten(batch[0], result, job, window, until)
        self._blame(result, job, window.meter, until)
        return [_Made(batch[0], None, result.error.message)]

    def _hand_over(self, made: Sequence[_Made], job: _Job, window: _Window) -> None:
        """Tell whoever keeps vectors at once: what is paid for survives whatever happens to the rest of the call."""
        if self.arrived is None:
            return
        whole = [one for one in made if one.piece.owner in window.whole]
        self.arrived(
            [window.texts[one.piece.owner] for one in whole],
            job.role,
            [one.vector for one in whole if one.vector is not None],
            [window.counts[one.piece.owner] for one in whole],
            [one.piece.truncated for one in whole],
        )

    def _shorten(self, piece: Piece, fault: Fault, job: _Job, window: _Window, until: float) -> list[_Made]:
        if job.on_long == "error":
            raise TextTooLong(window.start + piece.owner, piece.tokens, self.tokens.max_tokens) from fault.error
        if len(piece.text) - len(job.prompt) < 2:
            return [_Made(piece, None, fault.error.message)]
        if job.on_long == "split":
            window.whole -= {piece.owner}
            window.split.add(piece.owner)
            return [one for half in halves(piece, job.prompt) for one in self._make([half], job, window, until)]
        for attempt in range(CUTS):
            piece = shorter(piece, job.prompt)
            result = self._ask([piece], job, window.meter, until)
            if isinstance(result, _Checked):
                made = [_Made(piece, result.vectors[0])]
                self._hand_over(made, job, window)
                return made
            if not result.too_long and attempt >= GUESSES:
                break
        self._blame(fault, job, window.meter, until)
        return [_Made(piece, None, fault.error.message)]

    def _blame(self, fault: Fault, job: _Job, meter: _Meter, until: float) -> None:
        """Raise unless it is the text that is refused: until something passed, it may be the whole set-up."""
        if self._answered:
            return
        plain = Piece(0, job.prompt + CANARY, 8)
        if isinstance(self._ask([plain], job, meter, until), Fault):
            raise fault.error

    # -- one request ----------------------------------------------------------------------------------------

    def _ask(self, batch: Sequence[Piece], job: _Job, meter: _Meter, until: float) -> _Checked | Fault:
        """The checked reply; or a fault, where a smaller or another request might pass. Retries until the deadline."""
        texts = [piece.text for piece in batch]
        request = self.api.request(texts, job.role)
        body = msgspec.json.encode({**request.body, **self.settings.extra_body})
        tokens = sum(piece.tokens for piece in batch)
        attempt = failures = 0
        while True:
            if not self._gate.enter(tokens, until, job.stopped.is_set):
                raise RateLimited(
                    f"{self.name}: no request was free within {self.settings.deadline:g} s.",
                    remedy="Raise deadline, requests_per_minute or tokens_per_minute.",
                )
            fault: Fault | None = None
            try:
                answer = self._send("POST", request.path, body, until)
                if isinstance(answer, Fault):
                    fault = answer
                    meter.add(1, 0)
                else:
                    reply = self._checked(answer[0], answer[1], len(texts))
                    meter.add(1, reply.tokens)
                    self._answered = True
                    return reply
            finally:
                self._gate.leave(busy=bool(fault and fault.busy), hold=fault.wait if fault and fault.busy else None)
            if fault.action == "split":
                return fault
            if fault.action == "stop" or job.stopped.is_set():
                raise fault.error
            attempt += 1
            pause = random.uniform(0, min(MAX_BACKOFF, BACKOFF * 2**attempt))  # full jitter
            if fault.wait is not None:
                pause = fault.wait + random.uniform(0, 0.1)
            failures += not isinstance(fault.error, RateLimited)
            if time.monotonic() + pause > until or failures > self.settings.retries:
                raise _given_up(fault, attempt, self.settings.deadline)
            job.stopped.wait(pause)

    def _send(
        self, method: str, path: str, body: bytes = b"", deadline: float = float("inf")
    ) -> tuple[bytes, Mapping[str, str]] | Fault:
        """Body and headers of a good answer. The whole body has to come within the timeout, drop by drop or not."""
        import httpx

        base, _, query = self.api.base_url().partition("?")
        url = base + path + (("&" if "?" in path else "?") + query if query else "")
        try:
            seconds = max(0.01, min(self.settings.timeout, deadline - time.monotonic()))
            headers = {"Content-Type": "application/json"} if body else {}
            headers |= dict(self.api.authorise(self._key)) | {k: expand(v, k) for k, v in self.settings.headers.items()}
            headers |= self.api.sign(url, body, self._key)
            until = time.monotonic() + seconds
            limit = httpx.Timeout(seconds, connect=min(10.0, seconds))
            with self._connected().stream(method, url, content=body or None, headers=headers, timeout=limit) as answer:
                received = bytearray()
                for part in answer.iter_bytes():
                    received += part
                    if time.monotonic() > until:
                        raise httpx.ReadTimeout("the answer came too slowly")
                    if len(received) > MAX_REPLY:
                        raise BadReply(f"{self.name}: the answer is longer than {MAX_REPLY:,} bytes.")
        except httpx.InvalidURL as error:
            raise RequestRefused(f"{self.name}: base_url is no address: {error}.", remedy="Check base_url.") from None
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
            raise RequestRefused(
                f"{self.name}: {self._hushed(str(error))}.", remedy="Check base_url and headers."
            ) from None
        except httpx.HTTPError as error:
            words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            down = ProviderDown(f"{self.name} at {_origin(url)} did not answer: {self._hushed(words)}.")
            return Fault(down, "retry", busy=isinstance(error, httpx.TimeoutException))
        except (ValueError, ImportError, OSError, RuntimeError) as error:  # of proxies, certificates, odd addresses
            words = self._hushed(f"{type(error).__name__}: {error}")
            raise ProviderDown(
                f"{self.name}: no request can be made: {words}.", remedy="Check base_url, headers and proxy settings."
            ) from None
        if answer.is_success:
            return bytes(received), answer.headers
        fault = read_fault(answer.status_code, answer.headers, bytes(received), self.name)
        hushed = type(fault.error)(self._hushed(fault.error.message), remedy=fault.error.remedy)
        return replace(fault, error=hushed)

    def _checked(self, body: bytes, headers: Mapping[str, str], count: int) -> _Checked:
        """The reply as float32 rows that can be vectors of this model. Raises BadReply."""
        import numpy as np

        try:
            reply = self.api.parse(body, headers, count)
            vectors = np.asarray(reply.vectors, np.float32)
        except BadReply as error:
            raise BadReply(f"{self.name}: {error.message}") from None
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
            start = self._hushed(body[:2000].decode("utf-8", "replace"))[:80]
            raise BadReply(f"{self.name}: the reply is not what its documentation says ({error}): {start!r}.") from None
        if vectors.ndim != 2 or len(vectors) != count:
            raise BadReply(f"{self.name}: the reply has {len(vectors)} vectors for {count} texts.")
        if not np.isfinite(vectors).all():
            raise BadReply(f"{self.name}: the reply holds NaN or infinity.")
        if not vectors.any(axis=1).all():
            raise BadReply(f"{self.name}: the reply holds a zero vector.")
        with self._lock:
            if self._dimensions is None:
                self._dimensions = vectors.shape[1]
        if self._is_unit:
            vectors = unit_rows(vectors)
        if vectors.shape[1] != self._dimensions:
            raise BadReply(
                f"{self.name}: the vectors have {vectors.shape[1]} dimensions, expected {self._dimensions}.",
                remedy="The service runs another model, or ignores dimensions.",
            )
        return _Checked(vectors, reply.tokens, reply.truncated)

    def _get(self, path: str) -> bytes:
        """Raises ProviderError. Asked again while the service is loading or cannot be reached."""
        until = time.monotonic() + min(self.settings.deadline, 30.0)
        attempt = 0
        while True:
            answer = self._send("GET", path)
            if not isinstance(answer, Fault):
                return answer[0]
            attempt += 1
            pause = (
                answer.wait if answer.wait is not None else random.uniform(0, min(MAX_BACKOFF, BACKOFF * 2**attempt))
            )
            if answer.action != "retry" or time.monotonic() + pause > until or attempt > 3:
                raise answer.error
            time.sleep(pause)

    def _connected(self) -> httpx.Client:
        import httpx

        with self._lock:
            if self._client is None:
                limits = httpx.Limits(max_connections=None, max_keepalive_connections=self.settings.concurrency)
                timeout = httpx.Timeout(self.settings.timeout, connect=min(10.0, self.settings.timeout))
                self._client = httpx.Client(timeout=timeout, limits=limits)
            return self._client

    def check_key(self) -> None:
        """Raises KeyMissing or ConfigError where there is none; nothing is sent."""
        _ = self._key

    @cached_property
    def _key(self) -> str:
        """Raises KeyMissing before anything is sent."""
        key = expand(self.settings.api_key, f"api_key of {self.name}") if self.settings.api_key else ""
        key = key or next((os.environ[name] for name in self.api.key_variables if os.environ.get(name)), "")
        if not key and self.api.needs_key():
            names = " or ".join(self.api.key_variables)
            raise KeyMissing(f"{self.name} needs a key.", remedy=f"export {names.split(' or ')[0]}=...")
        if not key.isascii() or any(c.isspace() or not c.isprintable() for c in key):
            raise KeyMissing(f"the key of {self.name} holds characters that no key has.", remedy="Set it again.")
        return key

    def _hushed(self, text: str) -> str:
        """Without keys and passwords: services and libraries repeat them in their messages."""
        for secret in self._secrets:
            for form in (secret, secret.replace("/", "\\/")):
                text = text.replace(form, "***")
        return text

    @cached_property
    def _secrets(self) -> list[str]:
        """Longest first, so that none is left in part."""
        found = [self._key, urlsplit(self.api.base_url()).password or ""]
        with suppress(ConfigError):
            found += [expand(text, name) for name, text in self.settings.headers.items()]
            found += [text.partition(" ")[2] for text in found]  # "Bearer ..."
        return sorted((secret for secret in found if len(secret) > 3), key=len, reverse=True)


def _given_up(fault: Fault, attempts: int, deadline: float) -> ProviderError:
    tries = f"{attempts} attempt{'s' if attempts > 1 else ''}"
    asked = f"; it asks to wait {fault.wait:.0f} s" if fault.wait is not None else ""
    return type(fault.error)(
        f"{fault.error.message} Given up after {tries}{asked}; the deadline is {deadline:g} s.",
        remedy=fault.error.remedy,
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
