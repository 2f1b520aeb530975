"""Looks for everything that can be wrong with a set, and says what mends it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.canaries import SAME_SPACE, Anchor, least_likeness
from embassay.embedders.wrap.wrapper import uncached
from embassay.errors import ModelError, ProviderError, SpaceMismatch, StoreError
from embassay.remedy import NOTHING, Remedy
from embassay.sets.examine_sources import Level, Row, any_file, examine_sources, index_again
from embassay.sets.opened import OpenSets
from embassay.space import OLD_MODEL_OR_NEW_SET, Space
from embassay.stores.unmet import why_nothing
from embassay.stores.values import VECTOR
from embassay.types import Chunk
from embassay.vectors import comparable, likeness

if TYPE_CHECKING:
    from collections.abc import Callable

    from embassay.embedders.base import Embedder
    from embassay.sets.gc import Garbage
    from embassay.stores.base import Snapshot
    from embassay.types import Vectors

COMPARED_CHUNKS = 8
"""Stored chunks that are embedded again and compared."""
TRUNCATED_SHARE = 0.01
UNINDEXED_ROWS = 20_000
"""Fewer rows than this outside an index cost no noticeable time."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a set that its owner should know, and what mends it."""

    set: str
    check: str
    level: Level
    message: str
    remedy: Remedy = NOTHING

    def to_dict(self) -> dict[str, object]:
        """For a program: the remedy in words, and its actions as fields."""
        found = {name: getattr(self, name) for name in ("set", "check", "level", "message")}
        return found | {"remedy": str(self.remedy), "actions": [action.to_dict() for action in self.remedy.actions]}


@dataclass(slots=True)
class _Seen:
    """What one pass over the rows gathers."""

    keys: Counter[str] = field(default_factory=Counter)
    texts: Counter[str] = field(default_factory=Counter)
    paths: Counter[str] = field(default_factory=Counter)
    zero: int = 0
    broken: int = 0
    off_length: int = 0
    truncated: int = 0
    canaries: list[tuple[Chunk, Vectors]] = field(default_factory=list)


def examine(sets: OpenSets, name: str) -> list[Finding]:
    """What is wrong with one set, problems first; an empty list means that it is well. Raises SetNotFound."""
    content = sets.content(name)
    generation, own = content.generation, content.own
    found: list[Finding] = []

    def report(check: str, level: Level, message: str, mend: Remedy | str = NOTHING) -> None:
        found.append(Finding(name, check, level, message, remedy.say(mend)))

    try:
        with closing(content.store(sets.folder)) as store, store.snapshot() as snapshot:
            seen = _pass(snapshot, unit=generation.space.similarity == "cosine")
            unindexed = snapshot.stats().unindexed
            snapshot.fetch([s.ref for s in snapshot.lexical("probe of the index", 3)])
            if content.view and not seen.keys:
                report("view", "notice", " ".join(why_nothing(snapshot, None, name)))
    except StoreError as error:
        report("store", "problem", error.message, error.remedy or "Index again into a new set.")
        return found
    sources = content.sources(sets.state, sets.folder)
    if any(source.waits for source in sources):
        seen.zero = 0  # rows that wait have zeros; they are told as what they are
    for row in _rows(seen):
        report(*row)
    for row in examine_sources(sets.folder, own, sources, seen.paths):
        report(*row)
    anchor = sets.state.proofs.anchor(generation.id)
    for row in _space(lambda: sets.embedder(generation), anchor, seen):
        report(*row)
    for arm, rows in unindexed.items():
        if rows > UNINDEXED_ROWS:
            message = f"{rows:,} rows are outside the {arm} index, so that searches are slow."
            report("index", "problem", message, index_again(sets.folder, own, any_file(sources)))
    return sorted(found, key=lambda f: f.level != "problem")


def of_garbage(found: Iterable[Garbage], name: str | None = None) -> list[Finding]:
    """A notice for each set, or for `name` alone, of which something can be removed."""
    freed: Counter[str] = Counter()
    for one in found:
        if one.state == "removable" and name in (None, one.set):
            freed[one.set] += one.bytes
    mend = remedy.command("gc", apply=True, say="Remove it")
    return [
        Finding(of_set, "gc", "notice", f"{size:,} bytes are of generations that nobody needs any more.", mend)
        for of_set, size in sorted(freed.items())
    ]


def _pass(snapshot: Snapshot, *, unit: bool) -> _Seen:
    """`unit`: the rows are to have length 1."""
    import numpy as np

    seen = _Seen()
    for chunks, by_label in snapshot.scan():
        vectors = by_label[VECTOR]
        lengths = np.linalg.norm(vectors, axis=1)
        finite = np.isfinite(lengths)
        seen.broken += int((~finite).sum())
        seen.zero += int((lengths == 0).sum())
        seen.off_length += int((finite & (lengths > 0) & (np.abs(lengths - 1) > 0.01)).sum()) if unit else 0
        step = max(1, len(chunks) // COMPARED_CHUNKS)
        for at, chunk in enumerate(chunks):
            seen.keys[chunk.key] += 1
            seen.texts[chunk.indexed] += 1
            seen.paths[chunk.path] += 1
            seen.truncated += chunk.truncated
            if at % step == 0 and finite[at] and lengths[at] > 0:
                seen.canaries.append((chunk, vectors[at]))
    step = max(1, len(seen.canaries) // COMPARED_CHUNKS)
    seen.canaries = seen.canaries[::step][:COMPARED_CHUNKS]
    return seen


def _rows(seen: _Seen) -> Iterator[Row]:
    rows = sum(seen.keys.values())
    doubled = rows - len(seen.keys)
    repeated = sum(n - 1 for n in seen.texts.values()) - doubled
    rebuild = "Index into a new set and use that one."
    smaller = remedy.command(
        "index", "FOLDER", set="NAME", chunk_tokens="N", say="Index into another set, with smaller chunks: {}"
    )
    if seen.broken:
        yield "vectors", "problem", f"{seen.broken:,} vectors hold NaN or infinity.", rebuild
    if seen.zero:
        yield "vectors", "problem", f"{seen.zero:,} vectors are zero: they match nothing.", rebuild
    if seen.off_length:
        yield (
            "vectors",
            "problem",
            f"{seen.off_length:,} vectors do not have length 1: they come from elsewhere.",
            rebuild,
        )
    if doubled:
        yield "duplicates", "problem", f"{doubled:,} rows are stored twice under one key.", rebuild
    if repeated:
        yield "duplicates", "notice", f"{repeated:,} of {rows:,} chunks repeat the text of another.", ""
    if seen.truncated > TRUNCATED_SHARE * rows:
        share = seen.truncated / rows
        yield "truncation", "problem", f"{seen.truncated:,} chunks ({share:.1%}) exceed the token limit.", smaller


def _space(embedder: Callable[[], Embedder], anchor: Anchor | None, seen: _Seen) -> Iterator[Row]:
    """Embeds a few stored chunks and the canaries again: the proof that vectors and model belong together.

    It is asked past every cache: a vector that was kept says nothing of the model that answers now.
    """
    import numpy as np

    try:
        asked = uncached(embedder())
        space = asked.space
        if seen.canaries:
            texts, stored = [chunk.indexed for chunk, _ in seen.canaries], [vector for _, vector in seen.canaries]
            made = comparable(asked.embed(texts, "document").vectors, space)
            yield from _strange_rows(space, likeness(made, np.stack(stored), space.similarity).tolist())
        for role, expected in anchor.own.items() if anchor else ():
            cosine = least_likeness(asked.canaries(role), expected, space.similarity)
            if cosine < SAME_SPACE:
                message = (
                    f"as {role}, the model puts known texts elsewhere than when the set was made (cosine {cosine:.3f})."
                )
                yield "space", "problem", message, OLD_MODEL_OR_NEW_SET
    except SpaceMismatch as error:
        yield "space", "problem", error.message, error.remedy
    except (ModelError, ProviderError) as error:
        yield "space", "problem", f"the model of this set cannot be asked: {error.message}", error.remedy


def _strange_rows(space: Space, cosines: list[float]) -> Iterator[Row]:
    strange = sum(cosine < SAME_SPACE for cosine in cosines)
    if strange:
        message = (
            f"{strange} of {len(cosines)} stored vectors are not what {space} makes of their text "
            f"(least cosine {min(cosines):.3f})."
        )
        yield "space", "problem", message, "Spaces are mixed: index into a new set and use that one."


def problems(findings: list[Finding]) -> list[Finding]:
    """Those findings that keep a set from working as it should; notices are left out."""
    return [finding for finding in findings if finding.level == "problem"]
