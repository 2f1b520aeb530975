"""Places in files, and which of them are about the same."""

import pytest

from embassay.evaluate.data.places import Place, covering


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("docs/a.md#L10-40", ("docs/a.md", 10, 40)),
        ("docs/a.md#L10-L40", ("docs/a.md", 10, 40)),
        ("docs/a.md#L7", ("docs/a.md", 7, 7)),
        ("docs/a.md#L40-10", ("docs/a.md", 10, 40)),
        ("docs/a.md#L10-10.2", ("docs/a.md", 10, 10)),
        ("data.jsonl#3#L4-4", ("data.jsonl#3", 4, 4)),
        ("docs/a.md", ("docs/a.md", None, None)),
        ("4983", ("4983", None, None)),
    ],
)
def test_places(text, place):
    found = Place.parse(text)
    assert (found.path, found.first, found.last) == place and str(found) == text


def test_which_places_are_about_the_same():
    places = [Place.parse(text) for text in ("a.md#L1-10", "a.md#L11-20", "a.md#L21-30", "b.md#L1-10")]
    assert [str(p) for p in covering(Place("a.md", 12, 18), places)] == ["a.md#L11-20"]
    assert [str(p) for p in covering(Place("a.md", 6, 30), places)] == ["a.md#L11-20", "a.md#L21-30", "a.md#L1-10"]
    assert covering(Place("a.md", 28, 40), places) == [], "less than half of each"
    assert len(covering(Place("a.md"), places)) == 3
