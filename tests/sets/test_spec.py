"""What a set is made with: resolved before it is stored, and held against later wishes."""

import pytest

from embassay.embedders.texts.estimate import EstimatedTokens
from embassay.errors import UsageError
from embassay.sets import spec
from embassay.sets.spec import SetSpec, Wishes

TOKENS = EstimatedTokens(8000)
SMALL = EstimatedTokens(125)  # of which 100 are safe


def resolve(wishes, model, tokens, **rest):
    return spec.resolve(wishes, model, tokens, chunk_tokens=512, store="lance", language=lambda: "de", **rest)


def test_nothing_is_left_to_a_later_default():
    made = resolve(Wishes(), "m", TOKENS)
    assert made == SetSpec("m", "auto", 512, "de", "lance", 1)
    assert None not in made.to_dict().values()
    assert SetSpec.from_dict(made.to_dict()) == made


def test_a_chunk_is_no_longer_than_what_the_model_takes():
    assert resolve(Wishes(), "m", SMALL).chunk_tokens == 100
    assert resolve(Wishes(chunk_tokens=900), "m", SMALL).chunk_tokens == 100
    assert resolve(Wishes(chunk_tokens=50), "m", SMALL).chunk_tokens == 50


@pytest.mark.parametrize(
    "wishes", [{"chunk_tokens": 15}, {"chunk_tokens": -1}, {"precision": "f8"}, {"language": "tlh"}]
)
def test_wishes_that_no_set_can_have(wishes):
    with pytest.raises(UsageError):
        Wishes(**wishes)


def test_an_existing_set_keeps_what_it_was_made_with():
    made = resolve(Wishes(precision="int8", chunk_tokens=64), "m", TOKENS)
    for same in (Wishes(), Wishes(language="de"), Wishes(precision="int8"), Wishes(chunk_tokens=64)):
        same.check(made, "docs", TOKENS)
    for other in (Wishes(language="en"), Wishes(precision="f32"), Wishes(precision="auto"), Wishes(chunk_tokens=65)):
        with pytest.raises(UsageError, match="docs"):
            other.check(made, "docs", TOKENS)


def test_the_language_is_found_out_where_none_is_wished_for():
    assert resolve(Wishes(), "m", TOKENS).language == "de"
    assert resolve(Wishes(language="zh"), "m", TOKENS).language == "zh"


def test_a_set_of_an_earlier_format_was_bounded_by_the_model():
    """It stored 512 for a model that takes less: asking for what it really is, is no other wish."""
    spec = SetSpec("m", "auto", 512, "en", "lance")
    Wishes(chunk_tokens=100).check(spec, "docs", SMALL)
    Wishes(chunk_tokens=300).check(spec, "docs", SMALL)
    with pytest.raises(UsageError):
        Wishes(chunk_tokens=99).check(spec, "docs", SMALL)
