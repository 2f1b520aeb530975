import pytest
from hypothesis import given
from hypothesis import strategies as st

from embassay.search.display import as_read


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("## Recap { #recap }\n\nUse  it.", "## Recap Use it."),
        ("Like this:\n\n{* ../../docs_src/x.py hl[9] *}\n\nDone.", "Like this: Done."),
        ("{!../docs_src/x.py!}\nDone.", "Done."),
        ("```rust\n{{#rustdoc_include ../a/b.rs:here}}\n```\nDone.", "Done."),
        ("/// note | Technical Details\n\nIt is so.\n\n///", "Technical Details It is so."),
        ("/// tip\nTry it.\n///", "Try it."),
        ("::: fastapi.FastAPI\nText.", "Text."),
        ("--8<-- 'a.md'\nText.", "Text."),
        (".. literalinclude:: a.py\nText.", "Text."),
        ('{{< figure src="a.png" >}} Text {{ name }}.', "Text {{ name }}."),
        ("---\ntitle: A\n---\nText.", "Text."),
        ('<!-- Old headings. -->\n<a id="old"></a>\n## New', "## New"),
        ("在这里：\n{* a.py *}\n完成。", "在这里： 完成。"),
    ],
)
def test_what_only_a_generator_reads_is_not_shown(text, shown):
    assert as_read(text) == shown


def test_code_keeps_its_lines():
    text = "Call it:\n\n```python\ndef f(x):\n    return x\n```\n\nand\nwait."
    assert as_read(text) == "Call it:\ndef f(x):\n    return x\nand wait."
    source = "/// Adds one.\nfn f() {\n    1\n}\n"
    assert as_read(source, code=True) == source.rstrip()
    assert "/// Adds one." in as_read(f"```rust\n{source}```"), "a comment of Rust is no mark"


@given(st.text(max_size=300))
def test_no_word_of_prose_is_lost(text):
    plain = "".join(letter for letter in text if letter.isalnum() or letter.isspace())
    assert as_read(plain).split() == plain.split()
