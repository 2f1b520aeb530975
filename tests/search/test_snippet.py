from hypothesis import given
from hypothesis import strategies as st

from embassay.search.snippet import highlight, snippet


@given(st.text(max_size=2000), st.text(max_size=50))
def test_highlight_loses_nothing(text, query):
    assert "".join(piece for piece, _ in highlight(text, query)) == text


def test_words_of_one_stem_are_marked():
    marked = [
        piece for piece, hit in highlight("Rotating keys: rotate a key, the monkey.", "how do I rotate keys") if hit
    ]
    assert marked == ["Rotating", "keys", "rotate", "key"]


def test_snippet_shows_where_the_words_are():
    text = "filler " * 200 + "rotate the key here " + "filler " * 200
    shown = snippet(text, "rotate key", 120)
    assert "rotate the key" in shown and shown.startswith("… ") and shown.endswith(" …") and len(shown) < 130


@given(st.text(max_size=3000), st.text(max_size=30))
def test_snippet_is_short(text, query):
    assert len(snippet(text, query, 100)) <= 104
