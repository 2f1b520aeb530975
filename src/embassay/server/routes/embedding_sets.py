"""Embedding sets: made, looked at, changed and removed.

A full set holds documents and their vectors. A filter set shows what of another one passes a filter, and has none of
its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from embassay.models.reference import parse_reference
from embassay.remedy import option
from embassay.server.asking import Dimensions
from embassay.server.call import Call
from embassay.server.own import PAGE, Limit, allow, failure, on_set, on_writing, unknown, visible_sets
from embassay.server.refusals import NameTaken, NotAllowed, RequestInvalid
from embassay.server.route import Route
from embassay.server.service import NEW_SETS

if TYPE_CHECKING:
    from embassay.embedding_set import EmbeddingSet
    from embassay.home import Home
    from embassay.sets.description import SetDescription

__all__ = ["ROUTES", "failure"]

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class AutoEmbedRules(msgspec.Struct, forbid_unknown_fields=True):
    """When documents get their vectors by themselves; those that do not are found by their words, and wait."""

    on_create: bool = True
    """As soon as they are added."""
    on_update: bool = True
    """As soon as they say something else."""


class SetRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: Name
    """For people. Without a `slug`, it names the set in paths, too."""
    slug: Name | None = None
    """What the set is called in paths and on the command line: no slash, and not dots alone."""
    set_type: Literal["full", "filter"] = "full"
    embedding_config_id: str | None = None
    """Of a full set: an id of `/api/v1/embedding-configs`; by default the server's default model."""
    truncate_dim: Dimensions | None = None
    """Cut vectors to so many dimensions, where the model was trained for that (Matryoshka)."""
    dtype: Literal["float32", "float16", "int8"] | None = None
    """What the numbers of vectors are kept as."""
    chunk_tokens: Annotated[int, msgspec.Meta(ge=16, le=1_000_000)] | None = None
    """Most tokens of a chunk."""
    language: str | None = None
    """By which words are told apart, as `de`; `mul` for several."""
    auto_embed_rules: AutoEmbedRules | None = None
    """By default both hold."""
    of: str | None = None
    """Of a filter set: the set that it shows a part of."""
    filter: str | None = None
    """Of a filter set: what a chunk has to pass, as `lang = "en"`."""


class SetChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: Name | None = None
    slug: Name | None = None
    """A new one: the old path ends."""
    auto_embed_rules: AutoEmbedRules | None = None
    fusion: str | msgspec.UnsetType | None = msgspec.UNSET
    """How hybrid searches of it join their arms, as `zscore(0.5)`; null: as those of every set do."""
    is_default: bool | None = None
    """Whether it is meant where a search names none."""


class SetObject(msgspec.Struct, kw_only=True):
    name: str
    slug: str
    set_type: Literal["full", "filter"]
    of: str | None
    filter: str | None
    embedding_config_id: str
    truncate_dim: int | None
    """The dimensions that its model's vectors are cut to; null where they are whole."""
    dimensions: int
    """Of its vectors."""
    space: str
    space_digest: str
    """Vectors of equal digests may be compared."""
    precision: str
    dtype: str
    chunk_tokens: int
    language: str
    auto_embed_rules: AutoEmbedRules
    fusion: str | None
    documents: int
    chunks: int
    waiting: int
    """Chunks that are found by words only, until the set is indexed."""
    quarantined: int
    """Files that could not be read, in whole or in part."""
    bytes: int
    is_default: bool
    created: str
    """Date and time, UTC."""
    written: float | None
    """Seconds since 1970; null where nothing was written yet."""


class SetList(msgspec.Struct):
    data: list[SetObject]
    next: str | None
    """The slug behind which the next page begins: pass it as `after`; null on the last page."""


class SetPage(msgspec.Struct):
    limit: Limit = PAGE
    after: str = ""


class Removal(msgspec.Struct):
    dry_run: bool = False
    """Only say what would go."""


class Removed(msgspec.Struct):
    slug: str
    documents: int
    chunks: int
    dry_run: bool


async def make(call: Call) -> SetObject:
    """A new set, with nothing in it."""
    asked: SetRequest = call.body
    slug = asked.slug or asked.name
    allow(call.principal, "write", slug)
    call.set = slug
    await call.service.in_worker(_check_free, call, slug)
    if asked.set_type == "filter":
        await call.service.in_worker(_make_view, call, asked, slug)
    else:
        await call.service.in_worker_for(NEW_SETS, _make_full, call, asked, slug)
    return await on_set(call, slug, "read", _described)


async def listed(call: Call) -> SetList:
    """The sets that the key sees."""
    asked: SetPage = call.query
    return await call.service.in_worker(_page, call, asked)


async def shown(call: Call) -> SetObject:
    """One of them."""
    return await on_set(call, call.path["slug"], "read", _described)


async def changed(call: Call) -> SetObject:
    """The set as it is then."""
    asked: SetChange = call.body
    old = call.path["slug"]
    new = asked.slug or old
    if new != old:
        allow(call.principal, "write", new)
    if asked.is_default is not None and call.principal.sets is not None:
        raise NotAllowed("which set is meant where none is named is for keys of all sets to say.")
    await on_writing(call, old, _change, call.service.home, asked)
    return await on_set(call, new, "read", _described)


async def removed(call: Call) -> Removed:
    """What went, or would go."""
    asked: Removal = call.query
    return await on_writing(call, call.path["slug"], _remove, call.service.home, asked.dry_run)


def _check_free(call: Call, slug: str) -> None:
    if call.service.home.holds(slug):
        raise NameTaken(f"there is a set {slug!r} already.", remedy="Choose another slug, or change that set.")


def _make_full(call: Call, asked: SetRequest, slug: str) -> None:
    for name in ("of", "filter"):
        if getattr(asked, name) is not None:
            raise RequestInvalid(f'{name} belongs to sets of the set_type "filter".', place=name)
    service = call.service
    model = service.models.find(asked.embedding_config_id or "", call.principal)
    rules = _named(asked.auto_embed_rules or AutoEmbedRules())
    service.home.create_set(
        slug,
        auto_embed=rules,
        model=model,
        truncate_dim=asked.truncate_dim,
        dtype=asked.dtype,
        chunk_tokens=asked.chunk_tokens,
        language=asked.language,
    )
    service.home.set(slug).entitle(asked.name)


def _make_view(call: Call, asked: SetRequest, slug: str) -> None:
    if asked.of is None or asked.filter is None:
        raise RequestInvalid("a filter set has a set that it shows a part of, and a filter.", remedy=_OF + _FILTER)
    own = ("embedding_config_id", "truncate_dim", "dtype", "chunk_tokens", "language", "auto_embed_rules")
    for name in own:
        if getattr(asked, name) is not None:
            raise RequestInvalid(f"a filter set has no {name} of its own: it is that of its parent.", place=name)
    home, principal = call.service.home, call.principal
    principal.check("read", set=asked.of)
    if not home.holds(asked.of):
        raise unknown(asked.of, visible_sets(home, principal))
    home.create_view(slug, of=asked.of, where=asked.filter)
    home.set(slug).entitle(asked.name)


_OF, _FILTER = option("of", "SLUG", say="Say {}"), option("filter", 'lang = "en"', say="and {}, for instance.")


def _page(call: Call, asked: SetPage) -> SetList:
    home = call.service.home
    names = [name for name in visible_sets(home, call.principal) if name > asked.after]
    shown = set(names[: asked.limit])
    # All are looked up at once, which is cheaper than each by itself; one that was removed meanwhile is left out.
    found = [one for one in home.describe_all() if one.set in shown] if shown else []
    return SetList([_object(one) for one in found], names[asked.limit - 1] if len(names) > asked.limit else None)


def _described(of_set: EmbeddingSet) -> SetObject:
    return _object(of_set.describe())


def _change(of_set: EmbeddingSet, home: Home, asked: SetChange) -> None:
    """One after the other, the new path last: until then the old one leads to it."""
    if asked.auto_embed_rules is not None:
        of_set.use_rules(_named(asked.auto_embed_rules))
    if asked.fusion is not msgspec.UNSET:
        of_set.use_fusion(asked.fusion)
    if asked.is_default is not None and asked.is_default != (home.default_set == of_set.name):
        home.default_set = of_set.name if asked.is_default else None
    if asked.name is not None:
        of_set.entitle(asked.name)
    if asked.slug is not None and asked.slug != of_set.name:
        home.rename_set(of_set.name, asked.slug)


def _remove(of_set: EmbeddingSet, home: Home, dry_run: bool) -> Removed:
    gone = home.delete_set(of_set.name, dry_run=dry_run)
    return Removed(gone.set, gone.documents, gone.chunks, dry_run)


def _named(rules: AutoEmbedRules) -> list[str]:
    return [name for name in ("on_create", "on_update") if getattr(rules, name)]


def _object(found: SetDescription) -> SetObject:
    reference = parse_reference(found.spec.model)
    dimensions = reference.options.get("dimensions")
    rules = ("on_create", "on_update") if found.auto_embed is None else found.auto_embed
    return SetObject(
        name=found.title,
        slug=found.set,
        set_type="filter" if found.view else "full",
        of=found.view.parent if found.view else None,
        filter=found.view.filter if found.view else None,
        embedding_config_id=reference.base,
        truncate_dim=dimensions if isinstance(dimensions, int) else None,
        dimensions=found.dimensions,
        space=found.space,
        space_digest=found.space_digest,
        precision=found.spec.precision,
        dtype=found.spec.dtype,
        chunk_tokens=found.spec.chunk_tokens,
        language=found.spec.language,
        auto_embed_rules=AutoEmbedRules("on_create" in rules, "on_update" in rules),
        fusion=found.fusion.fusion if found.fusion else None,
        documents=found.documents,
        chunks=found.chunks,
        waiting=found.waiting,
        quarantined=found.quarantined,
        bytes=found.bytes,
        is_default=found.is_default,
        created=found.created,
        written=found.written,
    )


SETS, ONE = "/api/v1/embedding-sets", "/api/v1/embedding-sets/{slug}"
EXAMPLES = {
    "a full set": {
        "name": "Handbook",
        "slug": "handbook",
        "set_type": "full",
        "auto_embed_rules": {"on_create": True, "on_update": True},
    },
    "what of it is in English": {
        "name": "Handbook in English",
        "slug": "handbook-en",
        "set_type": "filter",
        "of": "handbook",
        "filter": 'lang = "en"',
    },
}
CHANGES = {"embed later": {"auto_embed_rules": {"on_create": False, "on_update": False}}}

ROUTES = (
    Route("POST", SETS, make, "Make a set", SetRequest, None, SetObject, 201, "write", EXAMPLES),
    Route("GET", SETS, listed, "The sets", query=SetPage, reply=SetList),
    Route("GET", ONE, shown, "One set", reply=SetObject),
    Route("PATCH", ONE, changed, "Change a set", SetChange, None, SetObject, 200, "write", CHANGES),
    Route("DELETE", ONE, removed, "Remove a set, with all that is in it", None, Removal, Removed, 200, "write"),
)
