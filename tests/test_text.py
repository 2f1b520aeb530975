"""Words about names: which one is meant, and how long ones are shortened."""

from embassay.text import composed, did_you_mean, encodable, nearest_name, short_names

KNOWN = ["BAAI/bge-small-en-v1.5", "openai/text-embedding-3-small"]


def last_part(name: str) -> str:
    return name.rsplit("/", 1)[-1].lower()


def test_the_nearest_name():
    assert nearest_name("lexcial", ["dense", "lexical", "hybrid"]) == "lexical"
    assert nearest_name("nothing like it", ["dense", "lexical"]) is None
    assert nearest_name("bge-small", KNOWN, cutoff=0.5) == KNOWN[0]
    assert nearest_name("bge-small", KNOWN, cutoff=0.9) is None


def test_a_name_by_what_people_remember_of_it():
    assert nearest_name("BGE-SMALL-EN-V1.5", KNOWN, key=last_part) == KNOWN[0]
    assert did_you_mean("BGE-SMALL-EN-V1.5", KNOWN, key=last_part) == f"Did you mean {KNOWN[0]!r}?"


def test_what_is_said_where_nothing_is_alike():
    assert did_you_mean("xyz", ["b", "a"]) == "There are: a, b."
    assert did_you_mean("xyz", ["b", "a"], otherwise="See the list.") == "See the list."


def test_long_names_are_shortened_if_they_stay_apart():
    long = "sentence-transformers/all-MiniLM-L6-v2"
    assert short_names([long, "a/b"]) == {long: "all-MiniLM-L6-v2", "a/b": "a/b"}
    other = "another-organisation/all-MiniLM-L6-v2"
    assert short_names([long, other]) == {long: long, other: other}


def test_text_that_has_an_encoding():
    assert encodable("\ud83d\ude00") == "😀" and encodable("a\ud800b") == "a�b"


def test_letters_in_parts_are_composed():
    assert composed("Ko\u0308ln") == "Köln" and composed("plain") == "plain"
    assert composed("\u1112\u1161\u11a8") == "학"
