"""Questions that a language model writes for passages: what that costs, what is kept, and going on after a stop.

It is asked for questions of several kinds, and then whether the passage holds the answer of each.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path

from embassay import jsontext, remedy
from embassay.chat.client import Chat
from embassay.embedders.texts.estimate import EstimatedTokens
from embassay.errors import BadReply, RequestRefused
from embassay.evaluate.judge.draft import NOTHING, Existing, JudgedDraft, Query, query_id
from embassay.evaluate.judge.journal import Journal
from embassay.evaluate.judge.make import make_draft
from embassay.evaluate.judge.passages import Passage, Passages
from embassay.evaluate.judge.replies import answered_in, of_kinds
from embassay.evaluate.judge.workers import as_they_come
from embassay.words.analyser import count_words

JOURNAL = "generated.jsonl"
"""Stands in the folder of the judged set."""
LEAST_WORDS = 25
"""Words of a passage that is asked about, at least."""
KINDS = {
    "how-to": "a question how to reach a goal",
    "keyword": "two to five words, as typed into a search box; no sentence",
    "symptom": "what somebody sees go wrong, or does not understand, who does not know its cause or its name",
    "paraphrase": "a question in words that the passage does not use",
}
"""What people type, in the order in which they are asked for: passages take turns."""
REPLY_TOKENS, CHECK_TOKENS = 50, 8
"""Tokens of one question with its kind, and of what is said of one, for estimates."""
FAILURES = 5
"""Unusable answers in a row, before any usable one, that end a run: the model cannot do it."""
TRIES = 2
"""How often a passage is asked about where nothing usable comes."""


@dataclass(frozen=True, slots=True)
class QuestionCost:
    """What a run will ask, at most."""

    passages: int
    """Passages to be asked about; those of an earlier run are not."""
    messages: int
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
    thrown_out: int = 0
    """Questions of which the model says that their passage does not answer them."""
    unchecked: int = 0
    """Questions of which it said nothing that could be read. They are kept."""


@dataclass(slots=True)
class _Asked:
    """What came of asking about one passage, retries included."""

    questions: list[str] = field(default_factory=list)
    """One of each kind that was asked for; empty where none came."""
    held: list[str] | None = None
    """The same without those that the passage does not answer; None where that was not said."""
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
        check: bool = True,
    ) -> None:
        """Plan `count` queries, `each` for a passage; `prices` in USD per million tokens in and out.

        With `check` the model is asked about each passage once more: which of the questions it answers.
        """
        self._passages, self._chat, self._each, self._count, self._prices = passages, chat, each, count, prices
        self._journal, self._existing = Journal(folder / JOURNAL), existing
        prompts = files("embassay.evaluate.judge") / "prompts"
        self._template, self._checking = (
            (prompts / f"{name}.txt").read_text("utf-8") for name in ("questions", "check")
        )
        self._check = check
        self._chosen = _chosen(passages, -(-count // max(1, each)) if count else 0, seed)
        names = [*KINDS]
        self._kinds = {
            passage.id: [names[(at * each + one) % len(names)] for one in range(each)]
            for at, passage in enumerate(self._chosen)
        }
        self._answered = self._journal.read()

    @property
    def todo(self) -> list[Passage]:
        """The passages that are still to be asked about."""
        return [passage for passage in self._chosen if self._is_open(passage)]

    def estimate(self) -> QuestionCost:
        """What `draft` will cost at most; nothing is sent."""
        todo = self.todo
        first = [passage for passage in todo if self._written(passage) is None]
        second = todo if self._check else []
        prompts = [self._prompt(one) for one in first]
        prompts += [self._check_prompt(one, self._written(one) or [""] * self._each) for one in second]
        tokens_in = sum(EstimatedTokens(1 << 20).count(prompts)) if prompts else 0
        tokens_in += sum(self._each * REPLY_TOKENS for one in second if self._written(one) is None)
        tokens_out = len(first) * self._each * REPLY_TOKENS + len(second) * self._each * CHECK_TOKENS
        usd = None
        if self._prices:
            usd = (tokens_in * self._prices[0] + tokens_out * self._prices[1]) / 1e6
        return QuestionCost(len(todo), len(prompts), tokens_in, tokens_out, usd)

    def _is_open(self, passage: Passage) -> bool:
        """Whether something is still to be asked of a passage."""
        written = self._written(passage)
        return written is None or (self._check and self._kept(passage, written) is None)

    def _written(self, passage: Passage) -> list[str] | None:
        """What was written for a passage, a question of each kind; None where that was not answered yet."""
        return self._answered.get(self._key(self._prompt(passage)))

    def _kept(self, passage: Passage, written: Sequence[str]) -> list[str] | None:
        """The same without what its check has thrown out; None where that was not answered yet."""
        return self._answered.get(self._key(self._check_prompt(passage, written)))

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
        made.queries = self._queries(made)
        corpus = make_draft(self._passages, 0, existing=self._existing).corpus
        return JudgedDraft(corpus, made.queries), made

    def _ask(self, passage: Passage) -> _Asked:
        """The questions of a passage, and which of them it answers; what an earlier run was told is not asked again."""
        answer = _Asked()
        kinds, known = self._kinds[passage.id], self._written(passage)
        if known is None:
            prompt = self._prompt(passage)
            known = self._said(prompt, passage, answer, lambda text: of_kinds(text, kinds))
        answer.questions = known or []
        if self._check and any(answer.questions):
            prompt = self._check_prompt(passage, answer.questions)
            answer.held = self._said(prompt, passage, answer, lambda text: _held(text, answer.questions))
        return answer

    def _said(
        self, prompt: str, passage: Passage, answer: _Asked, read: Callable[[str], list[str] | None]
    ) -> list[str] | None:
        """What `read` makes of an answer; None where nothing usable came, although it was asked again.

        An answer is written down before anything else happens to it.
        """
        for _ in range(TRIES):
            try:
                said = self._chat.say(prompt)
            except (RequestRefused, BadReply) as error:  # of this passage: another one may pass
                answer.raw = answer.raw or error.message
                return None
            answer.tokens_in += said.tokens_in or 0
            answer.tokens_out += said.tokens_out or 0
            answer.raw = said.text or f"nothing ({said.reason or 'no reason given'})"
            found = read(said.text)
            if found is not None and (any(found) or answer.questions):
                about = {"passage": passage.id, "model": self._chat.settings.model_id}
                self._journal.append(self._key(prompt), found, about)
                return found
        return None

    def _count_in(self, passage: Passage, answer: _Asked, made: Generated) -> None:
        made.asked += 1
        made.tokens_in += answer.tokens_in
        made.tokens_out += answer.tokens_out
        if any(answer.questions):
            self._answered[self._key(self._prompt(passage))] = answer.questions
            if answer.held is not None:
                self._answered[self._key(self._check_prompt(passage, answer.questions))] = answer.held
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

    def _queries(self, made: Generated) -> list[Query]:
        """All that was ever written and is answered by its passage; `made` is told how many are not."""
        found: dict[str, Query] = {}
        for passage in self._chosen:
            written = self._written(passage) or []
            held = self._kept(passage, written) if self._check else written
            made.unchecked += sum(map(bool, written)) if held is None else 0
            for kind, question, kept in zip(self._kinds[passage.id], written, held or written, strict=False):
                made.thrown_out += bool(question and not kept)
                if kept:
                    old = found.get(query_id(question), Query(question, {}, "llm", kind=kind))
                    found[old.id] = replace(old, relevant={**old.relevant, passage.id: 1})
        return list(found.values())[: self._count]

    def _prompt(self, passage: Passage) -> str:
        kinds = self._kinds[passage.id]
        asked = "\n".join(f"- {kind}: {KINDS[kind]}" for kind in kinds)
        shape = ", ".join(f'{{"kind": "{kind}", "question": "..."}}' for kind in kinds)
        return self._template.format(kinds=asked, shape=shape, title=passage.title or "(none)", text=passage.text)

    def _check_prompt(self, passage: Passage, questions: Sequence[str]) -> str:
        asked = [question for question in questions if question] or [""]
        listed = "\n".join(f"{at}. {question}" for at, question in enumerate(asked, 1))
        shape = ", ".join("..." for _ in asked)
        return self._checking.format(queries=listed, shape=shape, title=passage.title or "(none)", text=passage.text)

    def _key(self, prompt: str) -> str:
        """A hash of everything that was asked."""
        asked = jsontext.dumps([self._chat.settings.model_id, prompt], ascii_only=True)
        return blake2b(asked.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _held(text: str, questions: Sequence[str]) -> list[str] | None:
    """The questions without those of which an answer says that they are not answered; None where it cannot be read."""
    said = answered_in(text, sum(map(bool, questions)))
    if said is None:
        return None
    left = iter(said)
    return [question if question and next(left) else "" for question in questions]


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
