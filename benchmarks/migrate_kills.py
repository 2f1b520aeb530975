"""Moves of a set that are killed in every phase and gone on with elsewhere, held against an undisturbed move."""

from __future__ import annotations

import math
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import embassay
from benchmarks.common import Row, at_least, at_most, passages
from benchmarks.processes import asked_for, children, digest, gone, lost_seconds, noted, start
from embassay.errors import StoreError
from embassay.models.ledger import Term
from embassay.stores.values import VECTOR

if TYPE_CHECKING:
    from embassay.sets.state import Generation
    from embassay.types import Vectors
    from tests.servers import Answer, Received

SET, OLD, NEW = "docs", "hash/64", "minilm"
WORDS = 90
"""Of each text."""
OF_A_FILE = 10
"""Texts that one file holds: a kill falls between chunks of one document as well."""
WORKING = ("backfilling", "catching-up", "verifying")
MOVED = ("planning", "backfilling", "backfilling", "verifying", "writing", "switching", "rollback")
CAUGHT_UP = ("catching-up", "verifying", "writing", "switching", "rollback")
"""A kill while it is caught up: one whose backfill was killed before has little to catch up with."""
GIVEN_UP = ("backfilling", "abort", "abort", "abort")
HOSTED = ("planning", "backfilling", "backfilling", "backfilling", "verifying")
CLOSER = 0.8
"""Where a process had ended before its kill, the next one is killed so much sooner."""
COMMANDS = {
    "writing": ("index", "--set", SET),
    "switching": ("switch", SET),
    "rollback": ("rollback", SET),
    "abort": ("migrate", SET, "--abort"),
}
"""What is killed where it is not the move. What is written while a set is ready is brought along by whoever writes."""
LATE = 0.4
"""Commands that are short spend this part of their time on being loaded: they are killed behind it."""
OLD_SECONDS = 7200.0
"""A collection that nobody knows is removed once nothing was written to it for a while."""
LOOKED_FOR = 5
"""Texts that each generation has to find by their own words and vectors."""
TRIES = 5
ALIKE = 0.9999
"""Cosine of one text's vectors from two runs: batches differ, and with them the last digits of bf16."""
CONCURRENCY, BATCH, REPLY_SECONDS = 2, 8, 0.1
ARRIVED_SECONDS = 0.25
"""A reply that was sent so long before a kill has arrived, and been kept."""
SERVED = """
embeddings:
  models:
    served: {{provider: openai, model_id: m, api_key: k, base_url: "{url}/v1", max_tokens: 512,
              concurrency: {concurrency}, batch_size: {batch}, usd_per_million_tokens: {price}}}
"""
PRICE = 10.0
LEEWAY = 0.02
"""Share of the bill by which the ledger may be below it."""

Rows = tuple[list[tuple[object, ...]], "Vectors"]


@dataclass
class Tally:
    """What came of all kills."""

    phases: Counter[str] = field(default_factory=Counter)
    ended: int = 0
    """Processes that ended before they were killed, which are no kills."""
    again: int = 0
    """Texts that were stored, and that a model was asked for again."""
    lost: float = 0.0
    """Seconds of computing that one kill cost at most."""
    differing: int = 0
    """Looks at which the rows of a generation are not those of the undisturbed move."""
    apart: float = 1.0
    """The lowest cosine of a text's vector to that of the undisturbed move."""
    wrong: list[str] = field(default_factory=list)
    """What else was not as it has to be."""

    @property
    def kills(self) -> int:
        return self.phases.total()


@dataclass(frozen=True)
class World:
    """What every move begins from, and what an undisturbed one came to."""

    folder: Path
    model: str
    config: Path | None
    texts: Sequence[str]
    durations: dict[str, float] = field(default_factory=dict)
    """Seconds that each phase took undisturbed."""
    rows: dict[str, Rows] = field(default_factory=dict)
    """Of both generations after it, by model."""


def killed(folder: Path, kills: int, texts: int, seed: int) -> list[Row]:
    """Kill so many processes that move, switch, roll back or give up a set of about so many texts."""
    tally, rng = Tally(), random.Random(seed)
    world = prepared(folder, texts, NEW)
    moves = 0
    while tally.kills < kills:
        phases = (MOVED, CAUGHT_UP, GIVEN_UP)[moves % 3]
        with Move(world, folder / "move", tally, rng) as move:
            move.through(phases[: kills - tally.kills])
        moves += 1
    fell = ", ".join(f"{phase} {count}" for phase, count in sorted(tally.phases.items()))
    print(f"kills in each phase: {fell}; {tally.ended} processes had ended before; {moves} moves", flush=True)
    for one in tally.wrong:
        print(f"wrong: {one}")
    return [
        at_most(f"generations whose rows differ, after {tally.kills} kills", tally.differing, 0, "looks"),
        Row("lowest cosine to a vector of the undisturbed move", tally.apart, None, None, "", "reported", None),
        at_most("stored texts that were embedded again", tally.again, 0, "texts"),
        at_most("work that one kill cost, most", tally.lost, 3, "s"),
        at_most("states, searches and processes that were wrong", len(tally.wrong), 0, ""),
    ]


def prepared(folder: Path, texts: int, model: str, config: Path | None = None) -> World:
    """A home with a set of files and records, and what an undisturbed move of it comes to."""
    folder.mkdir(parents=True, exist_ok=True)
    world = World(folder / "origin", model, config, passages(WORDS, texts + 100))
    files = world.folder / "files"
    files.mkdir(parents=True)
    half = texts // 2
    for at in range(half // OF_A_FILE):
        write_file(files / f"{at}.md", world.texts[at * OF_A_FILE : (at + 1) * OF_A_FILE])
    with embassay.open(world.folder / ".embassay") as home:
        home.set(SET).index([files], model=OLD)
        home.set(SET).upsert([record(at, world.texts[at]) for at in range(half, texts)])
    with Move(world, folder / "undisturbed", Tally(), random.Random(0)) as move:
        move.undisturbed()
    return world


def write_file(file: Path, texts: Sequence[str]) -> None:
    file.write_text("".join(f"## Part {at}\n\n{text}\n\n" for at, text in enumerate(texts)), "utf-8")


def record(at: int, text: str) -> dict[str, object]:
    return {"id": f"r{at}", "text": text, "metadata": {"at": at}}


class Move:
    """One home whose set is moved, by processes that are killed."""

    def __init__(self, world: World, folder: Path, tally: Tally, rng: random.Random) -> None:
        self.world, self.folder, self.tally, self.rng = world, folder, tally, rng
        shutil.copytree(world.folder, folder)
        self._notes = folder / "notes"
        self._due: dict[str, Callable[[], None]] = {"backfilling": self._write_much, "verifying": self._write_little}
        self._number = 0
        self.killed_at: list[float] = []
        """The moment of each kill."""

    def __enter__(self) -> Move:
        return self

    def __exit__(self, *_: object) -> None:
        self.home.close()
        shutil.rmtree(self.folder)

    @cached_property
    def home(self) -> embassay.Home:
        return embassay.open(self.folder / ".embassay")

    @property
    def _migrate(self) -> Sequence[str]:
        return "migrate", SET, "--to", self.world.model

    # -- moves ------------------------------------------------------------------------------------------------

    def undisturbed(self) -> None:
        """The move as it is where nobody kills it: how long each phase takes, and what comes of it."""
        durations, began, phase = self.world.durations, time.monotonic(), "planning"
        process = self._start(self._migrate)
        while process.poll() is None:
            now = self.state
            if now in WORKING and now != phase:
                durations[phase] = time.monotonic() - began
                began, phase = time.monotonic(), now
                self._write(now)
            time.sleep(0.002)
        durations[phase] = time.monotonic() - began
        assert self.state == "ready", f"an undisturbed move is {self.state}"
        self._write_file()
        durations["writing"] = self._timed(*COMMANDS["writing"])
        durations["switching"] = self._timed("switch", SET)
        self.world.rows.update(self._rows_of_both())
        durations["abort"] = durations["rollback"] = self._timed("rollback", SET)

    def through(self, phases: Sequence[str]) -> None:
        """Kill it once in each of these phases, going on with it in between; then let it end, and look at it."""
        for phase in phases:
            if phase in ("writing", "switching", "rollback"):
                self._ready_for(phase)
            if phase == "writing":
                self._write("backfilling")
                self._write("verifying")
                self._write_file()
            self.through_one(phase)
        if "abort" in phases:
            self._give_up()
        else:
            self.finished(rolled_back="rollback" in phases)

    def ready(self) -> float:
        """Let it come as far as a switch; what the ledger then has as spent or reserved, in USD."""
        self._ready_for("switching")
        return sum(self.home.session.models.ledger.used(Term()))

    def finished(self, *, rolled_back: bool) -> None:
        """Let it end, and hold the rows of both generations against those of the undisturbed move."""
        self._ready_for("rollback")
        self._compare("after the switch")
        if rolled_back and self._live == self.world.model:
            self._end("rollback", SET)
        if rolled_back:
            self._compare("after the rollback")
        self._swept()

    def _ready_for(self, phase: str) -> None:
        """Bring it as far as it has to be for a switch, or behind it."""
        for _ in range(TRIES):
            if self.state in ("ready", "switched", "rolled-back"):
                break
            self._end(*self._migrate)
        if self.state == "ready" and phase != "writing":
            self._write_all()
        if self.state == "ready" and phase == "rollback":
            self._end("switch", SET)
            self._wrong(self._live != self.world.model, "a switch that ended has not switched")

    def _give_up(self) -> None:
        """Have it given up for good: nothing is left of it."""
        if self.home._sets.state.migrations.open(SET):
            self._end("migrate", SET, "--abort")
        self._swept()
        self._wrong(self.home._sets.state.set(SET).building is not None, "what was given up has a generation still")
        self._write_all()
        self._look()
        self._compare("after it was given up")

    def _swept(self) -> None:
        """Have removed what nobody needs: nothing is left of generations that no set has."""
        vectors = self.folder / ".embassay" / "vectors"
        state = self.home._sets.state
        for one in vectors.glob("*.lance"):
            for place in [*one.rglob("*"), one] if one.stem not in state.collections() else ():
                os.utime(place, (time.time() - OLD_SECONDS,) * 2)
        self._end("gc", "--apply")
        self._wrong(bool(state.roster.leftovers()), "rows of a generation that no set has are left")
        left = {one.stem for one in vectors.glob("*.lance")} - {*state.collections()}
        self._wrong(bool(left), f"collections that are left: {left}")

    # -- kills ------------------------------------------------------------------------------------------------

    def through_one(self, phase: str) -> None:
        """Kill it once in this phase, if it still comes there."""
        for _ in range(TRIES):
            if self._killed(phase):
                return
            self.tally.ended += 1
            self.world.durations[phase] *= CLOSER
            if phase in COMMANDS or self.state not in WORKING:
                return  # it is done: there is nothing to kill

    def _killed(self, phase: str) -> bool:
        resumed = ("migrate", SET, "--resume")
        under_way = self.home._sets.state.migrations.open(SET)
        moved = resumed if under_way and self.rng.random() < 0.5 else self._migrate
        before = self._stored()
        process = self._start(COMMANDS.get(phase, moved))
        if phase in WORKING:
            self._wait_for(phase, process)
        self._sleep(phase, process)
        started = children(process.pid)
        process.send_signal(signal.SIGKILL)
        self.killed_at.append(time.monotonic())
        killed = process.wait() == -signal.SIGKILL
        if killed:
            found = self.state
            self.tally.phases[found if found in WORKING and phase in (*WORKING, "planning") else phase] += 1
        self._wrong(not gone(started), f"a process that was started stayed behind a kill in {phase}")
        self._count(before, lost=killed and phase in WORKING)
        self._look()
        return killed

    def _wait_for(self, phase: str, process: subprocess.Popen[bytes]) -> None:
        while process.poll() is None and (now := self.state) != phase:
            if now in WORKING:
                self._write(now)
                if WORKING.index(now) > WORKING.index(phase):
                    return
            time.sleep(0.002)
        if process.poll() is None:
            self._write(phase)

    def _sleep(self, phase: str, process: subprocess.Popen[bytes]) -> None:
        longest = self.world.durations[phase]
        least = longest * LATE if phase in COMMANDS else 0.0
        try:
            process.wait(self.rng.uniform(least, longest))
        except subprocess.TimeoutExpired:
            return

    def _start(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        self._number += 1
        self._notes = self.folder / f"notes-{self._number}"
        return start(*command, "--home", str(self.home.folder), config=self.world.config, notes=self._notes)

    def _end(self, *command: str) -> None:
        before = self._stored()
        self._start(command).wait()
        self._count(before, lost=False)

    def _timed(self, *command: str) -> float:
        began = time.monotonic()
        self._end(*command)
        return time.monotonic() - began

    # -- looks ------------------------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """Of the last migration; empty where there is none yet."""
        found = self.home._sets.state.migrations.of(SET)
        return found[0].state if found else ""

    @property
    def _live(self) -> str:
        return self.home._sets.live(SET).spec.model

    def _wrong(self, found: bool, what: str) -> None:
        if found:
            self.tally.wrong.append(f"kill {self.tally.kills}: {what}")

    def _stored(self) -> set[bytes]:
        """Digests of the texts that the generation in the new space has."""
        of_set = self.home._sets.state.set(SET)
        for identity in (of_set.building, of_set.live, of_set.previous):
            if identity is not None and (one := self.home._sets.state.generation(identity)).spec.model != OLD:
                space = one.space.digest
                try:
                    with closing(self.home._sets.folder.store(one)) as store, store.snapshot() as version:
                        return {digest(chunk.indexed, space) for chunks, _ in version.scan(()) for chunk in chunks}
                except StoreError:  # it is being removed
                    break
        return set()

    def _count(self, before: set[bytes], *, lost: bool) -> None:
        asked = asked_for(self._notes)
        self.tally.again += sum(text in before for text in asked)
        if lost and (computed := noted(self._notes)):
            kept = len({*asked} & self._stored())
            self.tally.lost = max(self.tally.lost, lost_seconds(computed, kept))

    def _look(self) -> None:
        """Whatever moment it was killed at, the set is searched, and what to do next is said."""
        if self.world.config and self._live != OLD:
            return
        docs = self.home.set(SET)
        try:
            self._wrong(not docs.search("how is a key rotated", k=5, mode="dense").hits, "a search finds nothing")
            if self.home._sets.state.migrations.of(SET):
                self._wrong(not docs.migration().next.actions, f"nothing is next of a migration that is {self.state}")
        except Exception as error:
            self._wrong(True, f"a set whose move was killed fails: {error!r}")

    def _compare(self, when: str) -> None:
        """Both generations, or the one that there is, against what they are where nobody kills."""
        for model, (said, vectors) in self._rows_of_both().items():
            expected, others = self.world.rows[model]
            if said != expected:
                self.tally.differing += 1
                differing = [*({*said} ^ {*expected})]
                self._wrong(True, f"{when}, {model}: {len(differing)} rows differ, as {differing[:2]}")
                continue
            cosines = np.einsum("ij,ij->i", vectors, others)
            self.tally.differing += bool(cosines.min() < ALIKE)
            self.tally.apart = min(self.tally.apart, float(cosines.min()))
        self._finds(when)

    def _finds(self, when: str) -> None:
        """By its own text each document is found, in words and in vectors: the indexes know what was written."""
        if self._live == "served":  # its configuration is that of the processes
            return
        said, _ = self.world.rows[self._live]
        for row in self.rng.sample(said, min(LOOKED_FOR, len(said))):
            document, text = str(row[1]), str(row[5])
            for mode in ("dense", "lexical"):
                hits = self.home.set(SET).search(text, k=10, mode=mode).hits
                found = [hit.chunk.document for hit in hits]
                self._wrong(document not in found, f"{when}: {mode} finds {found} for the text of {document}")

    def _rows_of_both(self) -> dict[str, Rows]:
        of_set = self.home._sets.state.set(SET)
        both = [one for one in (of_set.live, of_set.previous) if one is not None]
        return {one.spec.model: self._rows(one) for one in map(self.home._sets.state.generation, both)}

    def _rows(self, generation: Generation) -> Rows:
        with closing(self.home._sets.folder.store(generation)) as store, store.snapshot() as version:
            blocks = [*version.scan()]
        vectors = np.concatenate([by_label[VECTOR] for _, by_label in blocks])
        said = [
            (c.key, c.document, c.path, c.section, c.lines, c.indexed, tuple(sorted(c.metadata.items())))
            for chunks, _ in blocks
            for c in chunks
        ]
        order = sorted(range(len(said)), key=lambda at: said[at])
        return [said[at] for at in order], vectors[order]

    # -- what is written meanwhile ----------------------------------------------------------------------------

    def _write(self, phase: str) -> None:
        """What is due in this phase, once: more than a switch may bring while it is backfilled, a little later."""
        due = self._due.pop(phase, None)
        if due:
            due()

    def _write_all(self) -> None:
        """Everything that is not written yet, so that what a set holds in the end does not depend on kills.

        Before a switch: the new generation may cut files in another way.
        """
        self._write("backfilling")
        self._write("verifying")
        self._write_file()
        self._end(*COMMANDS["writing"])

    def _write_file(self) -> None:
        """One that the set does not know yet as it is now."""
        texts = self.world.texts
        write_file(self.folder / "files" / "2.md", [*texts[20:24], *texts[-30:-26], *texts[26:30]])

    def _write_much(self) -> None:
        docs, texts = self.home.set(SET), self.world.texts
        first = len(texts) - 100
        docs.upsert([record(first - 1 - at, texts[first + at]) for at in range(12)])
        docs.upsert([record(first + at, texts[first + 20 + at]) for at in range(8)])
        docs.delete(ids=[f"r{first - 30 - at}" for at in range(5)])
        files = self.folder / "files"
        write_file(files / "0.md", [*texts[:3], *texts[first + 40 : first + 45], *texts[5:8]])
        (files / "1.md").unlink()
        docs.index([files])

    def _write_little(self) -> None:
        docs, texts = self.home.set(SET), self.world.texts
        first = len(texts) - 100
        docs.upsert([record(first + 10 + at, texts[first + 60 + at]) for at in range(3)])
        docs.delete(ids=[f"r{first - 40}"])


# -- a service ----------------------------------------------------------------------------------------------------


class Counted:
    """A service that keeps when it was sent each text and when it replied, texts of verification apart."""

    def __init__(self, answer: Callable[[Received], Answer]) -> None:
        self._answer, self._lock = answer, threading.Lock()
        self.phase: Callable[[], str] = lambda: ""
        self.clear()

    def clear(self) -> None:
        """Forget what was sent so far."""
        self.sent: dict[str, list[float]] = {}
        """When each text of a chunk was sent."""
        self.replied: dict[str, list[float]] = {}
        """When each was replied to."""
        self.tokens = 0
        """That were billed, those of verification and of canaries included."""

    def __call__(self, request: Received) -> Answer:
        texts = request.json["input"]
        if self.phase() == "verifying":
            return self._replied(request)
        with self._lock:
            for text in texts:
                self.sent.setdefault(text, []).append(request.at)
        answer = self._replied(request)
        with self._lock:
            for text in texts:
                self.replied.setdefault(text, []).append(time.monotonic())
        return answer

    def _replied(self, request: Received) -> Answer:
        time.sleep(REPLY_SECONDS)
        answer = self._answer(request)
        with self._lock:
            self.tokens += answer.body["usage"]["total_tokens"]
        return answer


@contextmanager
def service(folder: Path) -> Iterator[tuple[Counted, Path]]:
    """A priced service on loopback, and the configuration that names it."""
    from tests.servers import hash_openai, serving

    counted = Counted(hash_openai(96))
    with serving(counted) as server:
        config = folder / "served.yaml"
        config.write_text(
            SERVED.format(url=server.url, concurrency=CONCURRENCY, batch=BATCH, price=PRICE), encoding="utf-8"
        )
        yield counted, config


def hosted(folder: Path, kills: int, texts: int, seed: int) -> list[Row]:
    """The same where a service embeds: how many texts it is sent again."""
    tally, rng = Tally(), random.Random(seed)
    folder.mkdir(parents=True)
    most, arrived, moves = 0, 0, 0
    said = billed = 0.0
    with service(folder) as (counted, config):
        world = prepared(folder, texts, "served", config)
        while tally.kills < kills:
            with Move(world, folder / "move", tally, rng) as move:
                counted.clear()
                counted.phase = lambda: move.state
                phases = (HOSTED, CAUGHT_UP[:2])[moves % 2]
                for phase in phases[: kills - tally.kills]:
                    move.through_one(phase)
                said, billed = said + move.ready(), billed + counted.tokens * PRICE / 1e6
                move.finished(rolled_back=False)
                counted.phase = lambda: ""
            of_one_kill, after_reply = again(counted, move.killed_at)
            most, arrived, moves = max(most, of_one_kill), arrived + after_reply, moves + 1
    for one in tally.wrong:
        print(f"wrong: {one}")
    fell = ", ".join(f"{phase} {count}" for phase, count in sorted(tally.phases.items()))
    print(f"hosted, kills in each phase: {fell}; {moves} moves", flush=True)
    window = CONCURRENCY * BATCH
    return [
        at_most(f"hosted: texts sent again whose reply had arrived, {tally.kills} kills", arrived, 0, "texts"),
        at_most("hosted: texts that one kill had sent again, most", most, window, "texts"),
        at_least("hosted: money in the ledger / billed", said / billed, 1 - LEEWAY, "x"),
        at_most("hosted: generations whose rows differ", tally.differing, 0, "looks"),
        at_most("hosted: states and searches that were wrong", len(tally.wrong), 0, ""),
    ]


def again(counted: Counted, kills: Sequence[float]) -> tuple[int, int]:
    """(texts that the worst kill had sent again, texts sent again whose reply had arrived before it)."""
    from embassay.canaries import CANARY_TEXTS

    of_kill: Counter[float] = Counter()
    arrived = 0
    for text, moments in counted.sent.items():
        for sent, replied in zip(moments[:-1], counted.replied[text], strict=False):
            if text not in CANARY_TEXTS:
                kill = min((one for one in kills if one > sent), default=math.inf)
                of_kill[kill] += 1
                arrived += replied + ARRIVED_SECONDS < kill
    return max(of_kill.values(), default=0), arrived
