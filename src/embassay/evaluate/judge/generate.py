"""Questions that a language model writes for passages: what that costs, what is kept, and going on after a stop."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path

from embassay import jsontext, remedy
from embassay.embedders.texts.estimate import EstimatedTokens
from embassay.errors import BadReply, RequestRefused
from embassay.evaluate.judge.chat import Chat
from embassay.evaluate.judge.draft import NOTHING, Existing, JudgedDraft, Query, query_id
from embassay.evaluate.judge.journal import Journal
from embassay.evaluate.judge.make import make_draft
from embassay.evaluate.judge.passages import Passage, Passages
from embassay.evaluate.judge.replies import questions_in
from embassay.evaluate.judge.workers import as_they_come
from embassay.words.analyser import count_words

JOURNAL = "generated.jsonl"
"""Stands in the folder of the judged set."""
LEAST_WORDS = 25
"""Words of a passage that is asked about, at least."""
REPLY_TOKENS = 40
"""Tokens of one question with its quotes, for estimates."""
FAILURES = 5
"""Unusable answers in a row, before any usable one, that end a run: the model cannot do it."""
TRIES = 2
"""How often a passage is asked about where nothing usable comes."""


@dataclass(frozen=True, slots=True)
class QuestionCost:
    """What a run will ask, at most."""

    passages: int
    """Passages to be asked about; those of an earlier run are not."""
    tokens_in: int
    tokens_out: int
    usd: float | None
    """None: no price is known."""


@dataclass(slots=True)
class Generated:
    """What a run made."""

    queries: list[Query]
    asked: int = 0
    unusable: int = 0
    """Answers without a question in them: prose, nothing, a refusal."""
    tokens_in: int = 0
    tokens_out: int = 0
    example: str = ""
    """How the first unusable answer began."""


@dataclass(slots=True)
class _Asked:
    """What came of asking about one passage, retries included."""

    questions: list[str] = field(default_factory=list)
    raw: str = ""
    tokens_in: int = 0
    tokens_out: int = 0


class Questions:
    """One judged set in the making. The same folder, documents and seed go on where an earlier run stopped."""

    def __init__(
        self,
        passages: Passages,
        folder: Path,
        chat: Chat,
        *,
        count: int,
        each: int = 1,
        prices: tuple[float, float] | None = None,
        seed: int = 0,
        existing: Existing = NOTHING,
    ) -> None:
        """Plan `count` queries, `each` for a passage; `prices` in USD per million tokens in and out."""
        self._passages, self._chat, self._each, self._count, self._prices = passages, chat, each, count, prices
        self._journal, self._existing = Journal(folder / JOURNAL), existing
        self._template = (files("embassay.evaluate.judge") / "prompts" / "questions.txt").read_text("utf-8")
        self._chosen = _chosen(passages, -(-count // max(1, each)) if count else 0, seed)
        self._answered = self._journal.read()

    @property
    def todo(self) -> list[Passage]:
        """The passages that are still to be asked about."""
        return [passage for passage in self._chosen if self._key(passage) not in self._answered]

    def estimate(self) -> QuestionCost:
        """What `draft` will cost at most; nothing is sent."""
        prompts = [self._prompt(passage) for passage in self.todo]
        tokens_in = sum(EstimatedTokens(1 << 20).count(prompts)) if prompts else 0
        tokens_out = len(prompts) * self._each * REPLY_TOKENS
        usd = None
        if self._prices:
            usd = (tokens_in * self._prices[0] + tokens_out * self._prices[1]) / 1e6
        return QuestionCost(len(prompts), tokens_in, tokens_out, usd)

    def draft(self, advance: Callable[[int], None] = lambda _: None) -> tuple[JudgedDraft, Generated]:
        """Ask about the passages that are left, and gather all that was ever answered.

        `advance` is told of each passage that was asked about. One process asks for a folder at a time: another one
        would pay for the same. Raises ProviderError; what was answered until then is kept.
        """
        from filelock import FileLock

        made = Generated([])
        self._journal.prepare()
        with FileLock(self._journal.file.with_name(".asking.lock")):
            self._answered = self._journal.read()
            for passage, answer in as_they_come(self.todo, self._ask, self._chat.settings.concurrency):
                self._count_in(passage, answer, made)
                advance(1)
        if made.asked and not self._answered:
            raise self._useless(made)
        made.queries = self._queries()
        corpus = make_draft(self._passages, 0, existing=self._existing).corpus
        return JudgedDraft(corpus, made.queries), made

    def _ask(self, passage: Passage) -> _Asked:
        """Ask again where nothing usable came. An answer is written down before anything else happens to it."""
        answer = _Asked()
        for _ in range(TRIES):
            try:
                said = self._chat.say(self._prompt(passage))
            except (RequestRefused, BadReply) as error:  # of this passage: another one may pass
                answer.raw = answer.raw or error.message
                break
            answer.tokens_in += said.tokens_in or 0
            answer.tokens_out += said.tokens_out or 0
            answer.raw = said.text or f"nothing ({said.reason or 'no reason given'})"
            answer.questions = questions_in(said.text)[: self._each]
            if answer.questions:
                about = {"passage": passage.id, "model": self._chat.settings.model_id}
                self._journal.append(self._key(passage), answer.questions, about)
                break
        return answer

    def _count_in(self, passage: Passage, answer: _Asked, made: Generated) -> None:
        made.asked += 1
        made.tokens_in += answer.tokens_in
        made.tokens_out += answer.tokens_out
        if answer.questions:
            self._answered[self._key(passage)] = answer.questions
            return
        made.unusable += 1
        made.example = made.example or answer.raw[:80]
        if made.unusable >= FAILURES and made.unusable == made.asked and not self._answered:
            raise self._useless(made)

    def _useless(self, made: Generated) -> BadReply:
        return BadReply(
            f"{self._chat.name}: none of its first {made.asked} answers holds a question; the first begins "
            f"{made.example!r}.",
            remedy=remedy.command("judge new", "FOLDER", out="DIR", say="Try a larger model, or without one"),
        )

    def _queries(self) -> list[Query]:
        found: dict[str, Query] = {}
        for passage in self._chosen:
            for question in self._answered.get(self._key(passage), [])[: self._each]:
                old = found.get(query_id(question))
                relevant = {**(old.relevant if old else {}), passage.id: 1}
                found[query_id(question)] = Query(old.text if old else question, relevant, "llm")
        return list(found.values())[: self._count]

    def _prompt(self, passage: Passage) -> str:
        noun = "query" if self._each == 1 else "queries"
        return self._template.format(count=self._each, noun=noun, title=passage.title or "(none)", text=passage.text)

    def _key(self, passage: Passage) -> str:
        """A hash of everything that was asked."""
        asked = jsontext.dumps([self._chat.settings.model_id, self._prompt(passage)], ascii_only=True)
        return blake2b(asked.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _chosen(passages: Passages, count: int, seed: int) -> list[Passage]:
    """Passages to ask about, in turns over documents: the first `count` stay the same when more are wanted."""
    chance = random.Random(f"{seed} llm")
    lists = [[p for p in group if count_words(p.text) >= LEAST_WORDS] for group in passages.of.values()]
    for group in lists:
        chance.shuffle(group)
    chance.shuffle(lists)
    turns: list[Passage] = []
    depth = 0
    while len(turns) < count and any(len(group) > depth for group in lists):
        turns += [group[depth] for group in lists if len(group) > depth]
        depth += 1
    return turns[:count]
