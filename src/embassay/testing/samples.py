"""Rows to try a store with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.stores.values import WeightedTexts
from embassay.types import Chunk

if TYPE_CHECKING:
    from embassay.space import Similarity
    from embassay.stores.base import Store
    from embassay.stores.values import Collection
    from embassay.types import Value, Vectors

WORDS = "key rotate proxy server index vector search cache token model query document chunk space graph layer".split()
INFLECTED = {
    "da": ("biler kørte på vejen", "bil", "på"),
    "de": ("die Lampen brannten und", "lampe", "und"),
    "el": ("οι νέοι κανόνες", "κανόνας", "οι"),
    "en": ("the keys rotated", "rotating", "the"),
    "es": ("los gatos cantan", "gato", "los"),
    "fi": ("talot ja kadut", "talon", "ja"),
    "fr": ("les chansons pour elle", "chanson", "pour"),
    "hu": ("a házak és kertek", "házat", "és"),
    "it": ("i gatti della casa", "gatto", "della"),
    "nl": ("de lampen en de tafel", "lamp", "de"),
    "no": ("biler kjørte og", "bil", "og"),
    "pl": ("nowe książki i", "książka", "i"),
    "pt": ("os livros de", "livro", "os"),
    "ru": ("новые книги и", "книга", "и"),
    "sv": ("bilar och vägen", "bil", "och"),
    "tr": ("evlerimizden ve", "evler", "ve"),
}
"""By language: a text, another form of one of its words, and one of its stop words."""
WRITTEN = (
    ("当备份服务器磁盘已满时，夜间任务会停止。", ("备份服务器", "磁盘", "任务")),
    ("出張の交通費は領収書を添付してください。", ("交通費", "領収書", "ください")),
    ("비밀번호를 잊어버린 경우 재설정 버튼을 누르십시오.", ("비밀번호", "버튼", "재설정을")),
    ("การตั้งค่าเครื่องพิมพ์ใหม่", ("เครื่องพิมพ์", "ตั้งค่า")),
    ("ការកំណត់ពាក្យសម្ងាត់", ("ពាក្យសម្ងាត់",)),
    ("يُرسَلُ الكِتابُ إلى المكتبة", ("كتاب", "الكتاب", "مكتبة")),
    ("שָׁלוֹם עולם", ("שלום",)),
    ("किताबें पढ़ना", ("किताब", "पढ़ना")),
    ("Die Rindfleischetikettierungsüberwachungsaufgabenübertragung", (
        "rindfleischetikettierungsu\u0308berwachungsaufgabenübertragung",
    )),
    ("image sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", (
        "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08",
    )),
    ("error ERR_CONN_4711 in AbstractSingletonProxyFactoryBeanConfigurationHolder", (
        "err_conn_4711", "4711", "abstractsingletonproxyfactorybeanconfigurationholder", "ProxyFactory",
    )),
    ("Ko\u0308ln am Rhein, Ｆｕｌｌｗｉｄｔｈ, \ufb01ne", ("Köln", "koln", "fullwidth", "fine")),
)  # fmt: skip
"""Texts as people write them, and what each is found by in a set of whatever language."""
FILTERS = (
    'path ~ "docs/*.md"',
    'path ~ "**/a?.md"',
    'lang = "de"',
    'lang != "de"',
    'not lang = "de"',
    "year >= 2020",
    "year < 2019.5 and draft = true",
    'lang in ("de", "it\'s") or year = 2021',
    'year in (2018, 2021, "2019")',
    'not (path ~ "docs/**" or draft = false)',
    'missing = "x"',
    'not missing = "x"',
    'section = "Top > Sub \\"quoted\\""',
    'meta.path = "inner"',
    'lang > "d"',
    'tags = "x"',
    'not tags = "x"',
    'tags != "x"',
    'tags in ("t1", "t2", 2019)',
    'tags ~ "t*" and not tags ~ "y/*"',
    'tags = ""',
    "tags >= 2019",
    "scores >= 3",
    "scores < 0.001",
    "scores in (1.5, 2) or scores != 3.5",
    "mixed = true",
    "mixed.deep = 1",
    'author.name = "Ann"',
    'author.since >= "2015" and published < "2024-05-01"',
    'authors.name in ("Bo", "it\'s")',
    'authors.name ~ "*b"',
    'a.b = "nested"',
    "a.b = 1",
    "`a.it's $1.\\`c\\`` > 3",
    "author exists and not scores exists",
    "a.b exists or authors exists",
    "tags > 1e15 or tags < -1e15",
)
STRANGE = ("", " ", "\0", '"unclosed', "a AND (b", "key:value^2", "*", "'; DROP TABLE", "日本", "zzzznothing", "\ud800")
"""Queries that are no syntax errors, since there is no syntax."""
ASKED = ("rotate key", WeightedTexts({"rotate key": 1.0, "unique7": 2.5, "the": 0.5, "vector rotate": 0.25}))
"""A plain query, and words of which some count more than others, one of them in two texts."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Chunks and, under each label of a collection, their vectors (len(chunks), dimensions).

    Vectors that are compared by cosine have length 1; others have lengths from a tenth to ten.
    """

    chunks: Sequence[Chunk]
    vectors: dict[str, Vectors]

    def part(self, start: int, end: int) -> Rows:
        """The rows from number `start` to before `end`."""
        return Rows(self.chunks[start:end], {label: rows[start:end] for label, rows in self.vectors.items()})

    def put_into(self, store: Store) -> None:
        """Upsert all rows into `store`."""
        store.upsert(self.chunks, self.vectors)


def sample_rows(collection: Collection, count: int) -> Rows:
    """`count` rows for `collection`, always the same ones."""
    vectors = {
        label: sample_chunks(count, spec.dimensions, seed)[1] * _lengths(count, spec.similarity, seed)
        for seed, (label, spec) in enumerate(collection.vectors.items())
    }
    return Rows(sample_chunks(count, 1)[0], vectors)


def _lengths(count: int, similarity: Similarity, seed: int) -> Vectors:
    """float32 (count, 1): so different where lengths count that a store which ignores them ranks otherwise."""
    import numpy as np

    if similarity == "cosine":
        return np.ones((count, 1), np.float32)
    exponents = np.random.default_rng([seed, 1]).uniform(-1, 1, (count, 1))
    return np.power(10, exponents).astype(np.float32)


def _nested(i: int) -> dict[str, Value]:
    """Metadata with lists, nested values, dates, and names and texts that some language might take for its own."""
    names = ("Ann", "Bo", "it's", "日本", 'a"b')
    return {
        "tags": [("x", "y/z", "2019", "", "it's")[i % 5], f"t{i % 9}"][: i % 4],
        "scores": [i % 6, i % 4 + 0.5, 1.5e-7][: i % 5],
        "mixed": [i % 3 == 1, "true", None, {"deep": [i % 2, [str(i % 4)]]}],
        "author": {"name": names[i % 5], "since": f"20{10 + i % 12}-0{1 + i % 9}-15"},
        "authors": [{"name": name} for name in names[: i % 4]],
        "published": f"2024-0{1 + i % 9}-01T10:00:00",
        "a.b": i % 2 if i % 4 else None,
        "a": {"b": "nested", "it's $1.`c`": i % 7},
    }


def sample_chunks(count: int, dimensions: int, seed: int = 0) -> tuple[list[Chunk], Vectors]:
    """Chunks with words, paths and metadata of all kinds, and unit vectors (count, dimensions)."""
    import numpy as np

    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, dimensions)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    chunks = []
    for i in range(count):
        body = " ".join(rng.choice(WORDS, size=int(rng.integers(3, 30)))) + f" unique{i}"
        folder = ("docs", "docs/deep", "notes", "it's")[i % 4]
        metadata: dict[str, Value] = {"year": 2015 + i % 8, "draft": i % 3 == 0}
        if i % 5:
            metadata["lang"] = ("de", "en", "it's", "日本")[i % 4]
        if i % 7 == 0:
            metadata["path"] = "inner"
        if i % 3:
            metadata |= _nested(i)
        chunks.append(
            Chunk(
                key=f"{i:032x}",
                document=f"{folder}/a{i % 12}.md",
                path=f"{folder}/a{i % 12}.md",
                section='Top > Sub "quoted"' if i % 2 else "",
                indexed=f"Context\n{body}",
                body_at=8,
                lines=(i, i + 2),
                span=(10 * i, 10 * i + len(body)),
                tokens=len(body.split()),
                truncated=i % 11 == 0,
                metadata=metadata,
            )
        )
    return chunks, vectors
