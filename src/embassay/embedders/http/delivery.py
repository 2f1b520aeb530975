"""Brings a batch to the provider by whatever division it takes.

A refused batch is halved until the one bad text is alone. A text that is refused as too long is cut or split, as the
caller asked. What is refused all the same is named, and does not stop the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from embassay.embedders.http.exchange import CheckedReply, Meter
from embassay.embedders.http.faults import FailedAttempt
from embassay.embedders.http.watch import Watch
from embassay.embedders.http.window import Call, Made, Window
from embassay.embedders.texts.blocks import PLAIN
from embassay.embedders.texts.longtext import TextPart, halves, shorter
from embassay.errors import TextTooLong

if TYPE_CHECKING:
    from embassay.types import Counts

CUTS = 12
"""How often one text is made shorter before it counts as refused."""
GUESSES = 2
"""Cuts of a text that may be too long, where the provider does not say so."""

Arrived = Callable[[Call, Window, Sequence[Made]], None]
"""Told of the vectors of whole texts as they come, in the thread that received them."""


class Delivery:
    """All requests of one call. Threads may share it."""

    def __init__(self, service: Watch, call: Call, tokens: Counts, deadline: float, arrived: Arrived) -> None:
        """`deadline`: seconds for one batch with all its divisions and retries."""
        self._service, self._call, self._tokens = service, call, tokens
        self._deadline, self._arrived = deadline, arrived

    def make(self, batch: Sequence[TextPart], window: Window, until: float | None = None) -> list[Made]:
        """Vectors of a batch, or of its divisions, all of it by the moment `until` (monotonic).

        Raises ProviderError, and TextTooLong under ``on_long="error"``.
        """
        until = until or time.monotonic() + self._deadline
        result = self._ask(batch, window.meter, until)
        if isinstance(result, CheckedReply):
            cut = result.truncated or [False] * len(batch)
            made = [
                Made(p if not c else TextPart(p.owner, p.text, p.tokens, truncated=True), v)
                for p, v, c in zip(batch, result.vectors, cut, strict=True)
            ]
            return self._handed_over(made, window)
        if len(batch) > 1:
            middle = len(batch) // 2
            return self.make(batch[:middle], window, until) + self.make(batch[middle:], window, until)
        perhaps = self._call.on_long != "error" and batch[0].tokens > self._tokens.safe_tokens  # whatever it says
        if result.too_long or perhaps:
            return self._made_to_fit(batch[0], result, window, until)
        return self._refused(batch[0], result, window, until)

    def _made_to_fit(self, part: TextPart, fault: FailedAttempt, window: Window, until: float) -> list[Made]:
        call = self._call
        if call.on_long == "error":
            raise TextTooLong(window.start + part.owner, part.tokens, self._tokens.max_tokens) from fault.error
        if len(part.text) - len(call.prompt) < 2:
            return [Made(part, None, fault.error.message)]
        if call.on_long == "split":
            window.whole -= {part.owner}
            window.split.add(part.owner)
            return [one for half in halves(part, call.prompt) for one in self.make([half], window, until)]
        for attempt in range(CUTS):
            part = shorter(part, call.prompt)
            result = self._ask([part], window.meter, until)
            if isinstance(result, CheckedReply):
                return self._handed_over([Made(part, result.vectors[0])], window)
            if not result.too_long and attempt >= GUESSES:
                break
        return self._refused(part, fault, window, until)

    def _refused(self, part: TextPart, fault: FailedAttempt, window: Window, until: float) -> list[Made]:
        """The part without a vector. Raises instead while it may be the set-up that is refused, and not the text."""
        if not self._service.answered:
            plain = TextPart(0, self._call.prompt + PLAIN, 8)
            if isinstance(self._ask([plain], window.meter, until), FailedAttempt):
                raise fault.error
        return [Made(part, None, fault.error.message)]

    def _handed_over(self, made: list[Made], window: Window) -> list[Made]:
        """Tell whoever keeps vectors at once: what is paid for survives whatever happens to the rest of the call."""
        self._arrived(self._call, window, [one for one in made if one.part.owner in window.whole])
        self._service.bill.check()
        return made

    def _ask(self, batch: Sequence[TextPart], meter: Meter, until: float) -> CheckedReply | FailedAttempt:
        texts, tokens = [part.text for part in batch], sum(part.tokens for part in batch)
        return self._service.ask(texts, self._call.role, tokens, until, meter, self._call.stopped)
