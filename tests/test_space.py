from dataclasses import FrozenInstanceError, fields, replace

import pytest

from embassay import Space, describe_difference
from embassay.space import compared_by

SPACE = Space("sentence-transformers/all-MiniLM-L6-v2", "53aa51" + "0" * 58, 384)


def test_prints_as_people_say_it():
    assert str(SPACE) == "all-MiniLM-L6-v2@e67777:384"
    cut = replace(SPACE, transform="cut256", dimensions=256)
    assert str(cut) == f"all-MiniLM-L6-v2@{cut.digest[:6]}:256+cut256"


def test_spaces_that_differ_in_anything_print_differently():
    """Vectors that somebody stores elsewhere are told apart by what `embed --json` prints."""
    hosted = Space("http/m", "hosted:one", 64)
    others = [replace(hosted, weights="hosted:two"), replace(hosted, query_prompt="q: "), replace(hosted, max_tokens=9)]
    assert len({str(space) for space in (hosted, *others)}) == 4


def test_a_field_that_came_later_leaves_the_digest_of_spaces_without_it():
    before = SPACE.to_dict()
    for name in ("encoder", "tokenizer", "layers", "max_tokens", "truncation", "similarity"):
        del before[name]
    assert Space.from_dict(before) == SPACE and Space.from_dict(before).digest == SPACE.digest


def test_vectors_of_length_1_are_compared_by_cosine_whatever_is_declared():
    assert compared_by("dot", normalised=False) == "dot"
    assert {compared_by("dot", normalised=True), compared_by("", normalised=False)} == {"cosine"}


def test_digest_is_stable_across_versions():
    assert SPACE.digest == "e67777b7bc25", "a changed digest makes every stored generation foreign"


@pytest.mark.parametrize("field", [f.name for f in fields(Space)])
def test_every_field_is_identity(field):
    value = getattr(SPACE, field)
    other = replace(SPACE, **{field: not value if isinstance(value, bool) else value * 2 or "x"})
    assert other != SPACE and other.digest != SPACE.digest
    assert describe_difference(SPACE, other)


def test_equal_spaces_do_not_differ():
    assert describe_difference(SPACE, replace(SPACE)) == ""


def test_difference_in_words():
    other = replace(SPACE, query_prompt="query: ")
    assert describe_difference(SPACE, other) == f"the query prompt is '' in {SPACE} and 'query: ' in {other}"


def test_round_trip_and_frozen():
    assert Space.from_dict(SPACE.to_dict()) == SPACE
    with pytest.raises(FrozenInstanceError):
        SPACE.model = "other"
