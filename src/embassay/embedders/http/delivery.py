"""Brings a batch to the provider by whatever division it takes.

A refused batch is halved until the one bad text is alone. A text that is refused as too long is cut or split, as the
caller asked. What is refused all the same is named, and does not stop the others. Where a reply has no vector for some
of its texts, the others are kept, and only those are asked for again.

A failure that may lie in a text as well as in the service is held against a text that every model takes. Where that
fails too it is the service, which is waited for as long as its retries last, and no text is blamed. So a bad text costs
two requests for each halving of its batch, its own retries, and a few of a text that takes little.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from embassay.embedders.http.attempts import Tries
from embassay.embedders.http.checking import CheckedReply
from embassay.embedders.http.exchange import Inquiry, Meter
from embassay.embedders.http.faults import FailedAttempt
from embassay.embedders.http.watch import Watch
from embassay.embedders.http.window import Made, Shared, Window
from embassay.embedders.texts.blocks import PLAIN
from embassay.embedders.texts.longtext import TextPart, halves, shorter
from embassay.errors import TextTooLong

if TYPE_CHECKING:
    from embassay.types import Counts

CUTS = 12
"""How often one text is made shorter before it counts as refused."""
GUESSES = 2
"""Cuts of a text that may be too long, where the provider does not say so."""

FEW, ONCE = Tries(2), Tries(1)
"""Before a text is tried that every model takes, and where it has just been taken."""

Arrived = Callable[[Shared, Window, Sequence[Made]], None]
"""Told of the vectors of whole texts as they come, in the thread that received them."""


class Delivery:
    """All requests of one call. Threads may share it."""

    def __init__(self, service: Watch, call: Shared, tokens: Counts, deadline: float, arrived: Arrived) -> None:
        """`deadline`: seconds for one batch with all its divisions and retries."""
        self._service, self._call, self._tokens = service, call, tokens
        self._deadline, self._arrived = deadline, arrived

    def make(self, batch: Sequence[TextPart], window: Window, until: float | None = None) -> list[Made]:
        """Vectors of a batch, or of its divisions, all of it by the moment `until` (monotonic).

        Texts that fail while the service is well are given time of their own. Raises ProviderError, and TextTooLong
        under ``on_long="error"``.
        """
        until = until or time.monotonic() + self._deadline
        result = self._ask(batch, window.meter, until, FEW)
        if isinstance(result, FailedAttempt) and result.doubtful:
            if self._is_well(PLAIN, window, until):
                return self._suspects(_halves(batch), window)
            result = self._waited_for(batch, result, window, until)
        return self._outcome(batch, result, window, until)

    def _outcome(
        self,
        batch: Sequence[TextPart],
        result: CheckedReply | FailedAttempt,
        window: Window,
        until: float,
        *,
        suspected: bool = False,
    ) -> list[Made]:
        """What becomes of a batch of which it is known what is wrong with it, if anything is."""
        if isinstance(result, CheckedReply):
            return self._taken(batch, result, window, suspected=suspected)
        if len(batch) > 1:
            return [one for half in _halves(batch) for one in self.make(half, window, until)]
        return self._alone(batch[0], result, window, until)

    def _suspects(self, groups: Sequence[Sequence[TextPart]], window: Window) -> list[Made]:
        """Texts of which at least one failed while the service was well."""
        return [one for group in groups for one in self._suspected(group, window)]

    def _suspected(self, batch: Sequence[TextPart], window: Window) -> list[Made]:
        """Together they are asked for once, alone with all retries."""
        until = time.monotonic() + self._deadline
        result = self._ask(batch, window.meter, until, ONCE if len(batch) > 1 else Tries())
        if len(batch) > 1 and isinstance(result, FailedAttempt) and result.doubtful:
            return self._suspects(_halves(batch), window)
        if isinstance(result, FailedAttempt) and result.doubtful:
            result = self._judged(batch[0], result, window, until)
        return self._outcome(batch, result, window, until, suspected=True)

    def _judged(
        self, part: TextPart, fault: FailedAttempt, window: Window, until: float
    ) -> CheckedReply | FailedAttempt:
        """What is wrong with a text that failed alone: itself, its length, or the service meanwhile.

        Raises ProviderError in the last case, unless the service comes back.
        """
        count = max(1, part.tokens // self._tokens.count([PLAIN])[0])
        if self._is_well(" ".join([PLAIN] * count), window, until):
            return fault
        if count == 1 or not self._is_well(PLAIN, window, until):
            return self._waited_for([part], fault, window, until)
        return fault if self._call.on_long == "error" else replace(fault, too_long=True)

    def _is_well(self, text: str, window: Window, until: float) -> bool:
        """Whether the service takes a text that every model takes."""
        whole = self._call.prompt + text
        plain = TextPart(0, whole, self._tokens.count([whole])[0])
        result = self._ask([plain], window.meter, until, ONCE)
        return isinstance(result, CheckedReply) and not result.faults

    def _waited_for(
        self, batch: Sequence[TextPart], fault: FailedAttempt, window: Window, until: float
    ) -> CheckedReply | FailedAttempt:
        """The answer of a service that failed on everything, with the retries that are left. Raises ProviderError."""
        if fault.action != "retry":
            raise fault.error
        result = self._ask(batch, window.meter, until, Tries(hands_back=False, used=FEW.most))
        if isinstance(result, FailedAttempt) and result.doubtful:
            raise result.error
        return result

    def _taken(self, batch: Sequence[TextPart], reply: CheckedReply, window: Window, *, suspected: bool) -> list[Made]:
        """The vectors of a reply, and whatever becomes of the texts for which it had none."""
        cut = reply.truncated or [False] * len(batch)
        parts = [replace(part, truncated=part.truncated or short) for part, short in zip(batch, cut, strict=True)]
        good = [Made(part, reply.vectors[at]) for at, part in enumerate(parts) if at not in reply.faults]
        made = self._handed_over(good, window)
        bad = [batch[at] for at in reply.faults]
        if suspected and len(batch) == 1:
            return made + [Made(part, None, reply.faults[0]) for part in bad]
        return made + self._suspects([[part] for part in bad], window)

    def _alone(self, part: TextPart, fault: FailedAttempt, window: Window, until: float) -> list[Made]:
        """What becomes of one text that failed."""
        perhaps = self._call.on_long != "error" and part.tokens > self._tokens.safe_tokens  # whatever it says
        if fault.too_long or perhaps:
            return self._made_to_fit(part, fault, window, until)
        return self._refused(part, fault, window, until)

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
            result = self._ask([part], window.meter, until, ONCE)
            if isinstance(result, CheckedReply) and not result.faults:
                return self._handed_over([Made(part, result.vectors[0])], window)
            said = isinstance(result, FailedAttempt) and (result.too_long or (result.doubtful and fault.too_long))
            if not said and attempt >= GUESSES:
                break
        return self._refused(part, fault, window, until)

    def _refused(self, part: TextPart, fault: FailedAttempt, window: Window, until: float) -> list[Made]:
        """The part without a vector. Raises instead while it may be the set-up that is refused, and not the text."""
        if not self._service.answered and not self._is_well(PLAIN, window, until):
            raise fault.error
        return [Made(part, None, fault.error.message)]

    def _handed_over(self, made: list[Made], window: Window) -> list[Made]:
        """Tell whoever keeps vectors at once: what is paid for survives whatever happens to the rest of the call."""
        self._arrived(self._call, window, [one for one in made if one.part.owner in window.whole])
        self._service.bill.check()
        return made

    def _ask(self, batch: Sequence[TextPart], meter: Meter, until: float, tries: Tries) -> CheckedReply | FailedAttempt:
        texts, tokens = [part.text for part in batch], sum(part.tokens for part in batch)
        return self._service.ask(Inquiry(texts, self._call.role, tokens, until, meter, self._call.stopped, tries))


def _halves(batch: Sequence[TextPart]) -> Sequence[Sequence[TextPart]]:
    """Both halves of a batch; one text as it is."""
    middle = len(batch) // 2
    return [part for part in (batch[:middle], batch[middle:]) if part]
