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


def test_words_are_marked_in_every_script():
    for text, query, language, expected in (
        ("当备份服务器磁盘已满时", "备份服务器", "zh", ["备份", "服务", "器"]),
        ("비밀번호를 잊어버린 경우", "비밀번호", "ko", ["비밀번호를"]),
        ("Die Häuser am Rhein", "Haus", "de", ["Häuser"]),
        ("KO\u0308LN am Rhein", "Köln", "de", ["KO\u0308LN"]),
        ("şehirlerimizden gelenler", "şehir", "tr", ["şehirlerimizden"]),
        ("เซิร์ฟเวอร์สำรองข้อมูล", "ข้อมูล", "th", ["ข้อมูล"]),
    ):
        assert [piece for piece, hit in highlight(text, query, language) if hit] == expected


def test_words_that_say_nothing_are_marked_where_nothing_else_is_asked_for():
    assert [piece for piece, hit in highlight("To be, or not: the IT of it", "IT") if hit] == ["IT", "it"]
    assert [piece for piece, hit in highlight("To be, or not: the IT of it", "the it or") if hit] == [
        "or",
        "the",
        "IT",
        "it",
    ]
    assert not any(hit for _, hit in highlight("Ask the IT of it", "the lamp"))


def test_a_snippet_without_spaces_is_cut_at_words():
    text = "管理员需要先清理旧快照。" * 40 + "当备份服务器磁盘已满时，夜间任务会停止。" + "员工应当填写申请表。" * 40
    shown = snippet(text, "备份服务器", 60, "zh")
    assert "备份服务器" in shown and shown.startswith("… ") and shown.endswith(" …") and 40 <= len(shown) <= 64
    assert snippet("ก" * 5000, "ข้อมูล", 100, "th").strip("… ")
