"""Questions that a language model writes for passages: what it costs, what is kept, and going on after a stop."""

from __future__ import annotations

import json
import random
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path
from queue import Empty, Queue, SimpleQueue
from typing import Any

from embassay.embedders.texts.estimate import EstimatedTokens
from embassay.errors import BadReply, HomeNotWritable, RequestRefused
from embassay.evaluate.judge.chat import Chat
from embassay.evaluate.judge.make import NOTHING, Draft, Existing, Query, draft, query_id
from embassay.evaluate.judge.makers import is_printable
from embassay.evaluate.judge.passages import Passage, Passages

JOURNAL = "generated.jsonl"
"""In the folder of the judged set: what was answered for each passage. An answer is paid for once."""
LEAST_WORDS = 25
"""Of a passage that is asked about."""
REPLY_TOKENS = 40
"""Of one question with its quotes, for estimates."""
FAILURES = 5
"""Unusable answers in a row, before any usable one, that end a run: the model cannot do it."""
_OBJECT = re.compile(r"\{.*\}|\[.*\]", re.DOTALL)
_FENCE = re.compile(r"^```\w*\s*|```\s*$", re.MULTILINE)
_BULLET = re.compile(r"^\s*(?:[-*•]|\(?\d+[.):])\s*")


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will ask, at most."""

    passages: int
    """To be asked about; those of an earlier run are not."""
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
class _Answer:
    """To one passage, retries included."""

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
        """`count` queries, `each` for a passage; `prices` in USD per million tokens in and out."""
        self._passages, self._chat, self._each, self._count, self._prices = passages, chat, each, count, prices
        self._journal, self._existing = folder / JOURNAL, existing
        self._template = (files("embassay.evaluate.judge") / "prompts" / "questions.txt").read_text("utf-8")
        self._chosen = _chosen(passages, -(-count // max(1, each)) if count else 0, seed)
        self._answered = self._read()
        self._writing = threading.Lock()

    @property
    def todo(self) -> list[Passage]:
        return [passage for passage in self._chosen if self._key(passage) not in self._answered]

    def estimate(self) -> Estimate:
        """Before anything is sent."""
        prompts = [self._prompt(passage) for passage in self.todo]
        tokens_in = sum(EstimatedTokens(1 << 20).count(prompts)) if prompts else 0
        tokens_out = len(prompts) * self._each * REPLY_TOKENS
        usd = None
        if self._prices:
            usd = (tokens_in * self._prices[0] + tokens_out * self._prices[1]) / 1e6
        return Estimate(len(prompts), tokens_in, tokens_out, usd)

    def draft(self, advance: Callable[[int], None] = lambda _: None) -> tuple[Draft, Generated]:
        """Ask about what is left and gather all. Raises ProviderError; what was answered until then is kept.

        One process asks for a folder at a time: another one would pay for the same.
        """
        from filelock import FileLock

        made = Generated([])
        self._check_writable()
        with FileLock(self._journal.with_name(".asking.lock")):
            self._answered = self._read()
            for passage, answer in self._answers():
                self._count_in(passage, answer, made)
                advance(1)
        if made.asked and not self._answered:
            raise self._useless(made)
        made.queries = self._queries()
        corpus = draft(self._passages, 0, existing=self._existing).corpus
        return Draft(corpus, made.queries), made

    def _answers(self) -> Iterator[tuple[Passage, _Answer]]:
        """As they come. Workers are daemons: a server that hangs must not keep a stopped process alive."""
        todo: SimpleQueue[Passage] = SimpleQueue()
        done: Queue[tuple[Passage, _Answer | Exception]] = Queue()
        stopped = threading.Event()
        passages = self.todo
        for passage in passages:
            todo.put(passage)

        def work() -> None:
            with suppress(Empty):
                while not stopped.is_set():
                    passage = todo.get_nowait()
                    try:
                        done.put((passage, self._ask(passage)))
                    except Exception as error:
                        stopped.set()
                        done.put((passage, error))

        workers = [
            threading.Thread(target=work, daemon=True)
            for _ in range(min(self._chat.settings.concurrency, len(passages)))
        ]
        for worker in workers:
            worker.start()
        failed: Exception | None = None
        try:
            while any(worker.is_alive() for worker in workers) or not done.empty():
                try:
                    passage, answer = done.get(timeout=0.05)
                except Empty:
                    continue
                if isinstance(answer, Exception):
                    failed = failed or answer
                else:
                    yield passage, answer
        finally:
            stopped.set()
        if failed:
            raise failed

    def _ask(self, passage: Passage) -> _Answer:
        """Asked twice where nothing usable came. An answer is written down before anything else happens to it."""
        answer = _Answer()
        for _ in range(2):
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
                self._append(passage, answer.questions)
                break
        return answer

    def _count_in(self, passage: Passage, answer: _Answer, made: Generated) -> None:
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
            remedy="Try a larger model, or without one: embassay judge new FOLDER --out DIR",
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
        """Of everything that was asked."""
        asked = json.dumps([self._chat.settings.model_id, self._prompt(passage)])
        return blake2b(asked.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()

    def _read(self) -> dict[str, list[str]]:
        """A line that a kill cut short is passed over, and asked again."""
        found: dict[str, list[str]] = {}
        for line in _lines(self._journal):
            try:
                row: dict[str, Any] = json.loads(line)
                found[str(row["key"])] = [str(question) for question in row["questions"]]
            except (ValueError, LookupError, TypeError):
                continue
        return found

    def _check_writable(self) -> None:
        try:
            self._journal.parent.mkdir(parents=True, exist_ok=True)
            with self._journal.open("ab") as stream:
                if stream.tell() and not self._journal.read_bytes().endswith(b"\n"):
                    stream.write(b"\n")
        except OSError as error:
            raise HomeNotWritable(f"{self._journal} cannot be written: {error.strerror}.") from error

    def _append(self, passage: Passage, questions: list[str]) -> None:
        row = {"key": self._key(passage), "passage": passage.id, "model": self._chat.settings.model_id}
        try:
            with self._writing, self._journal.open("a", encoding="utf-8", errors="replace") as stream:
                stream.write(json.dumps(row | {"questions": questions}, ensure_ascii=False) + "\n")
        except OSError as error:
            raise HomeNotWritable(f"{self._journal} cannot be written: {error.strerror}.") from error


def questions_in(text: str) -> list[str]:
    """The questions of an answer: JSON, also in a fence or within prose, else the lines that end in a question mark."""
    text = _FENCE.sub("", text).strip()
    found: list[str] = []
    match = _OBJECT.search(text)
    for candidate in (text, match[0] if match else ""):
        try:
            found = _strings(json.loads(candidate))
        except (ValueError, RecursionError):
            continue
        break
    else:
        lines = [_BULLET.sub("", line).strip().strip('"') for line in text.splitlines()]
        found = [line for line in lines if line.endswith(("?", "？", "؟"))]
    clean = (" ".join(question.split()) for question in found)
    return list(dict.fromkeys(question for question in clean if _is_query(question)))


def _is_query(text: str) -> bool:
    """Three words, or as many characters as three words have where a script does without spaces."""
    words = len(text.split())
    return 8 <= len(text) <= 300 and is_printable(text) and (words >= 3 or not text.isascii())


def _strings(value: Any) -> list[str]:
    """Every text of a list, of ``{"questions": [...]}``, or of objects that hold one question each."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        chosen = next((value[key] for key in ("questions", "queries") if key in value), None)
        single = next((value[key] for key in ("question", "query", "text") if isinstance(value.get(key), str)), None)
        return _strings(chosen) if chosen is not None else [single] if single else []
    return [text for item in value for text in _strings(item)] if isinstance(value, list) else []


def _chosen(passages: Passages, count: int, seed: int) -> list[Passage]:
    """Passages to ask about, in turns over documents: the first `count` stay the same when more are wanted."""
    chance = random.Random(f"{seed} llm")
    lists = [[p for p in group if len(p.text.split()) >= LEAST_WORDS] for group in passages.of.values()]
    for group in lists:
        chance.shuffle(group)
    chance.shuffle(lists)
    turns: list[Passage] = []
    depth = 0
    while len(turns) < count and any(len(group) > depth for group in lists):
        turns += [group[depth] for group in lists if len(group) > depth]
        depth += 1
    return turns[:count]


def _lines(file: Path) -> Iterator[str]:
    try:
        with file.open(encoding="utf-8", errors="replace") as stream:
            yield from stream
    except FileNotFoundError:
        return
    except OSError as error:
        raise HomeNotWritable(f"{file} cannot be read: {error.strerror}.") from error
