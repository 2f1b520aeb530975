import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embassay.ingest.chunk import CONTEXT_TOKENS, Chunker
from embassay.ingest.spans import chunk_key
from embassay.types import Document

PROSE = "Rotate the key before Friday. The proxy server answers requests. "
blocks = st.sampled_from(
    ["# Title\n\n", "## Section\n\n", "### Sub *section* {#anchor}\n\n", PROSE * 3, "- item one\n- item two\n\n", "\n\n", "naïve 日本語 🎉 ",
     "```python\n# not a heading\ndef f():\n    return 1\n```\n\n", "Setext\n------\n\n", "x" * 300 + "\n", "word " * 2500 + "\n", "y" * 9000 + "\n", "| a | b |\n|---|---|\n| 1 | 2 |\n\n", "\t", " \n"]
)  # fmt: skip
markdown = st.lists(blocks, max_size=60).map("".join)
kinds = st.sampled_from(["markdown", "text", "rst", "code:python", "code:unknown"])


def check(chunker, document, chunks, limit):
    """What holds for every cut: within the limit, in order, nothing lost, lines and spans true."""
    end = 0
    for chunk in chunks:
        start, stop = chunk.span
        assert document.text[start:stop] == chunk.text
        assert not document.text[end:start].strip(), "text was lost between chunks"
        assert chunk.tokens <= limit or chunk.truncated
        assert chunk.lines[0] == document.text.count("\n", 0, start) + 1
        assert chunk.lines[1] == document.text.count("\n", 0, stop - 1) + 1
        end = stop
    assert not document.text[end:].strip(), "text was lost at the end"
    assert len({chunk.key for chunk in chunks}) == len(chunks)


@settings(max_examples=150)
@given(text=markdown, kind=kinds, limit=st.integers(48, 256))
def test_chunks_hold_everything_within_the_limit(minilm, text, kind, limit):
    document = Document("d", "d", text, kind)
    chunker = Chunker(minilm.tokens, limit)
    (chunks,) = chunker.chunk([document])
    check(chunker, document, chunks, limit)
    counts = minilm.tokens.count([chunk.indexed for chunk in chunks])
    assert [chunk.tokens for chunk in chunks] == counts, "token counts are exact"


def cut(minilm, text, kind="markdown", limit=64, **fields):
    (chunks,) = Chunker(minilm.tokens, limit).chunk([Document("d.md", "d.md", text, kind, **fields)])
    return chunks


def test_sections_are_the_headings_above(minilm):
    text = f"# Guide\n\n{PROSE * 4}\n\n## Keys\n\n{PROSE * 4}\n\n```\n# no heading\n```\n\n### Deep\n\n{PROSE * 4}\n\n## Proxies\n\n{PROSE * 4}"
    sections = {chunk.section for chunk in cut(minilm, text)}
    assert sections == {"Guide", "Guide > Keys", "Guide > Keys > Deep", "Guide > Proxies"}


def test_context_carries_the_headings_that_the_body_lacks(minilm):
    text = f"# Guide\n\n## Keys\n\n{PROSE * 12}"
    first, *rest = cut(minilm, text)
    assert first.indexed == first.text and first.text.startswith("# Guide")
    assert rest and all(chunk.indexed == f"Guide > Keys\n{chunk.text}" for chunk in rest)


def test_long_headings_lose_their_outermost_part(minilm):
    long = "word " * 40
    text = f"# {long}\n\n## Inner\n\n{PROSE * 12}"
    last = cut(minilm, text, limit=128)[-1]
    assert last.indexed.startswith("Inner\n")
    assert minilm.tokens.count([last.indexed[: last.body_at]])[0] <= CONTEXT_TOKENS + 2


def test_a_lone_heading_joins_what_follows(minilm):
    text = f"# Guide\n\n{PROSE * 6}\n\n## Keys\n\n---\n\n### Rotation\n\n{PROSE * 3}"
    assert all(re.search(r"Rotate", chunk.text) for chunk in cut(minilm, text, limit=96))


def test_a_document_that_fits_stays_whole(minilm):
    (chunk,) = cut(minilm, "\n\n# A\n\ntext\n\n# B\n\ntext\n", limit=256)
    assert chunk.lines == (3, 9) and chunk.section == "A"


def test_code_is_cut_between_functions(minilm):
    source = "".join(f'def f{i}(x):\n    """Do {i}."""\n    value = x + {i}\n    return value\n\n\n' for i in range(20))
    chunks = cut(minilm, source, "code:python", 160)
    assert len(chunks) > 3
    assert all(chunk.text.startswith("def ") and chunk.text.endswith("return value") for chunk in chunks)
    assert chunks[0].section.startswith("d > f0") or chunks[0].section == "f0"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("code:javascript", "function f() {" * 200 + "}" * 200),
        ("code:python", "x = " + "(" * 200 + "1" + ")" * 200),
        ("markdown", "".join("  " * i + f"- item {i}\n" for i in range(200))),
        ("text", "a" * 100_000),
        ("text", "1.5 " * 20_000 + "\n"),
    ],
)
def test_what_made_the_splitter_crawl(minilm, kind, text):
    document = Document("d", "d", text, kind)
    (chunks,) = Chunker(minilm.tokens).chunk([document])
    check(Chunker(minilm.tokens), document, chunks, 256)
    assert kind != "text" or max(len(chunk.text) for chunk in chunks) <= 8_000


def test_a_small_tail_stays_in_its_section(minilm):
    text = f"# A\n\n{PROSE * 6}\n\nTail.\n\n# B\n\n{PROSE * 2}"
    for chunk in cut(minilm, text, limit=80):
        assert not ("Tail." in chunk.text and "# B" in chunk.text)


def test_empty_documents_have_no_chunks(minilm):
    assert cut(minilm, "") == [] and cut(minilm, " \n\t\n") == []


def test_keys_come_from_content_alone():
    assert chunk_key("d", "text", 1) == chunk_key("d", "text", 1)
    assert (
        len({chunk_key("d", "text", 1), chunk_key("d", "text", 2), chunk_key("e", "text", 1), chunk_key("d", "t", 1)})
        == 4
    )


def test_inserting_text_above_keeps_the_keys_below(minilm):
    sections = "".join(f"# Part {i}\n\n{PROSE * 5}{i}\n\n" for i in range(8))
    before = {chunk.key: chunk for chunk in cut(minilm, sections, limit=96)}
    after = {chunk.key: chunk for chunk in cut(minilm, f"# New\n\n{PROSE * 5}new\n\n{sections}", limit=96)}
    assert len(before.keys() & after.keys()) >= len(before) - 1
    for key in before.keys() & after.keys():
        assert after[key].lines != before[key].lines


def test_prompt_tokens_are_counted(minilm):
    text = PROSE * 40
    plain = Chunker(minilm.tokens, 128).chunk([Document("d", "d", text)])[0]
    prompted = Chunker(minilm.tokens, 128, prompt="passage: " * 20).chunk([Document("d", "d", text)])[0]
    assert max(c.tokens for c in prompted) <= 128 - 40 < max(c.tokens for c in plain)


@pytest.mark.parametrize("folder", ["docs/httpx", "docs/fastapi"])
def test_real_documents(minilm, shared, folder):
    chunker = Chunker(minilm.tokens)
    for file in sorted((shared / folder).rglob("*.md"))[:40]:
        document = Document(file.name, file.name, file.read_text(), "markdown")
        (chunks,) = chunker.chunk([document])
        check(chunker, document, chunks, 256)
        assert not any(chunk.truncated for chunk in chunks)
