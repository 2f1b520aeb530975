"""What a term is in each script, and what meets what."""

import subprocess
import sys
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embassay.errors import UsageError
from embassay.words.analyser import LONGEST, LONGEST_CUT, QUERY_TERMS, Analyser, analyser, stop_words
from embassay.words.languages import LANGUAGES

EN = analyser("en")


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "Köln", "Ko\u0308ln"),
        ("en", "Köln", "koln"),
        ("en", "rotating keys", "ROTATE Key"),
        ("en", "Ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
        ("en", "ﬁne ﬂow", "fine flow"),
        ("en", "so\u00adft joi\u200dner", "soft joiner"),
        ("en", "٣٤ ३४", "34 34"),
        ("en", "Łódź Ærø", "lodz aero"),
        ("de", "STRASSE", "Straße"),
        ("de", "Häuser", "haus"),
        ("tr", "İSTANBUL IŞIK", "istanbul ışık"),
        ("ar", "الكِتَابُ", "الكتاب"),
        ("ar", "كتـــاب", "كتاب"),
        ("hi", "हिन्दी ज़रूरत हाँ", "हिंदी जरूरत हां"),
        ("zh", "㈱ ㍿ №", "(株) 株式会社 no"),
        ("fa", "كتاب", "کتاب"),
        ("he", "שָׁלוֹם", "שלום"),
        ("ru", "ёлка", "елка"),
        ("el", "ΟΔΌΣ", "οδος"),
        ("ja", "ﾊﾟｿｺﾝ", "パソコン"),
        ("ko", unicodedata.normalize("NFD", "학점인정"), "학점인정"),
        ("hi", "क़लम", "क\u093cलम"),
    ],
)
def test_two_ways_to_write_a_word_are_one(language, one, other):
    found = analyser(language).terms(one)
    assert found == analyser(language).terms(other) and found


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("当备份服务器磁盘已满时", "备份服务器"),
        ("员工的年假制度说明", "年假"),
        ("出張の交通費は領収書を", "交通費"),
        ("サーバーのバックアップ", "バックアップ"),
        ("비밀번호를 잊어버린", "비밀번호"),
        ("물을 마신다", "물"),
        ("การสำรองข้อมูลเซิร์ฟเวอร์", "ข้อมูล"),
        ("ການສຳຮອງຂໍ້ມູນ", "ຂໍ້ມູນ"),
        ("ကွန်ပျူတာစနစ်", "ကွန်ပျူတာ"),
        ("iPhone手机壳", "手机"),
        ("PDF를 여십시오", "pdf"),
        ("the 备份 server", "备份"),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh", "mul"])
def test_a_word_is_found_in_a_sentence_of_its_script_in_every_set(language, text, query):
    asked = Analyser(language).query(query)
    assert asked and set(asked) <= set(Analyser(language).terms(text))


def test_identifiers_are_found_whole_and_by_their_parts():
    assert EN.terms("ERR_CONN_4711") == ["err_conn_4711", "err", "conn", "4711"]
    assert EN.terms("getUserName") == ["getusernam", "get", "user", "name"]
    assert EN.terms("HTTPServer2") == ["httpserver2", "http", "server", "2"]
    assert EN.terms("p53 __init__ plain Title") == ["p53", "init", "plain", "titl"]
    digest = "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08"
    assert EN.terms(digest) == [digest.lower()]


def test_long_words_are_whole_up_to_a_length():
    compound = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz"
    assert (
        analyser("de").terms(compound)[0].startswith("rindfleischetikettierungsuberwachungsaufgabenubertragungsgesetz")
    )
    assert len(EN.terms("x" * 100_000)[0]) == LONGEST
    assert len(analyser("mul").terms("x" * (LONGEST_CUT + 1))) == 1, "noise is not cut into parts"


def test_marks_by_the_hundred_thousand_are_cut_as_few_are():
    few, many = ("a" + "\u0316\u0301" * n + " key" for n in (5_000, 200_000))
    assert EN.terms(many) == EN.terms(few) and EN.terms(many)[-1] == "key"


def test_stop_words_are_not_asked_for_as_the_language_has_them():
    assert EN.query("the key of the house") == ["key", "hous"]
    assert analyser("de").query("die Lampe und the key") == ["lamp", "the", "key"]
    assert analyser("zh").query("the key") == ["key"], "Latin words of a Chinese set are English"
    assert analyser("mul").query("die") == ["die"]


@pytest.mark.parametrize(
    ("language", "query", "text"),
    [
        ("en", "to be or not to be", "To be, or not to be, that is the question."),
        ("en", "IT", "Ask the IT department."),
        ("de", "die", "Die Lampe"),
        ("ru", "кто", "Кто не с нами"),
        ("el", "ειναι", "ΕΊΝΑΙ ἐδῶ"),
        ("mul", "и", "и так"),
    ],
)
def test_a_query_of_nothing_but_stop_words_is_asked_as_it_is(language, query, text):
    asked = analyser(language).query(query)
    assert asked and set(asked) <= set(analyser(language).terms(text))


def test_parts_of_a_persian_word_are_found_however_they_are_joined():
    cut = analyser("fa")
    written = [cut.terms(word) for word in ("کتاب\u200cخانه", "کتابخانه", "کتاب خانه")]
    assert set(written[1]) <= set(written[0]) and set(written[2]) <= set(written[0])


@pytest.mark.parametrize(
    ("language", "word", "typed"),
    [
        *(("es", "alemán", "aleman"), ("es", "anunció", "anuncio"), ("ro", "activează", "activeaza")),
        *(("fr", "préférés", "preferes"), ("hu", "házból", "hazbol"), ("en", "příliš", "prilis")),
    ],
)
def test_a_word_is_found_as_it_is_typed_without_accents(language, word, typed):
    cut = analyser(language)
    assert set(cut.query(typed)) <= set(cut.terms(word)) and set(cut.query(word)) & set(cut.terms(typed))


def test_names_with_marks_of_punctuation_are_told_from_others():
    assert EN.query("C++") == ["c", "c++"] and EN.query("c#.") == ["c", "c#"] and EN.query("F") == ["f"]
    assert EN.query("v. 1.2.3") == ["v", "1", "2", "3", "1.2.3"] and EN.query("3.14") == ["3", "14"]
    plain, hyphens = "550e8400e29b41d4a716446655440000", "550E8400-e29b-41d4-a716-446655440000"
    assert EN.query(plain) == [plain] and plain in EN.query(hyphens)
    assert EN.query("# Title ## a--b C+++ issue#4") == EN.query("Title a b C issue 4")


def test_a_query_asks_for_each_term_once_and_for_so_many():
    assert EN.query("key keys KEY lock") == ["key", "lock"]
    assert len(EN.query(" ".join(f"word{i}x" for i in range(1000)))) == QUERY_TERMS


def test_vietnamese_is_found_with_its_tones_or_without_any():
    cut = analyser("vi")
    text = set(cut.terms("Thủ đô Hà Nội"))
    assert set(cut.query("Hà Nội")) <= text and set(cut.query("ha noi")) <= text
    assert not set(cut.query("hạ")) & text, "another tone is another word"


@pytest.mark.parametrize("language", ["ar", "en", "mul", "th", "tr", "vi", "zh"])
@given(text=st.text(max_size=300))
def test_any_text_has_terms_that_an_index_can_hold(language, text):
    cut = analyser(language)
    terms = cut.terms(text)
    assert all(term and not any(c.isspace() for c in term) and len(term) <= LONGEST for term in terms)
    assert terms == cut.terms(text)
    words = list(cut.words(text))
    assert all(0 <= word.start < word.end <= len(text) for word in words)
    assert all(one.end <= two.start for one, two in pairwise(words))


@given(st.text(alphabet=st.characters(categories=["L", "N", "M"]), min_size=1, max_size=30))
def test_both_normal_forms_have_the_same_terms(text):
    for language in ("en", "zh", "mul"):
        forms = {form: analyser(language).terms(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")}
        assert forms["NFC"] == forms["NFD"]


def test_words_are_those_that_a_person_would_point_at():
    text = "The key备份服务器😀 rotates 비밀번호를 การศึกษา"
    assert [text[w.start : w.end] for w in EN.words(text)] == [
        *("The", "key", "备份", "服务", "器", "rotates", "비밀번호를", "การ", "ศึกษา")
    ]
    assert [word.terms for word in EN.words("the keys")] == [(), ("key",)]


def test_an_unknown_language_is_refused_with_those_that_are_known():
    with pytest.raises(UsageError, match="'tlh' is not known") as error:
        analyser("tlh")
    assert "de (German)" in str(error.value.remedy)


def test_every_list_of_stop_words_belongs_to_a_language():
    from embassay.words import analyser as module

    names = {file.stem for file in (module.STOP_WORDS).glob("*.txt")}
    assert names <= set(LANGUAGES) and all(stop_words(name) for name in names)


def test_latin_text_needs_no_dictionary():
    """ICU is loaded when the first text needs it, so that most searches start without it."""
    code = (
        "import sys; from embassay.words.analyser import analyser; analyser('de').terms('Häuser und Straßen'); "
        "analyser('zh').terms('备份'); print([m for m in ('icu4py', 'py3langid') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
