import pytest

from embassay.errors import UsageError
from embassay.search.base import Candidates
from embassay.search.pipeline import Pipeline
from embassay.search.stages.dense import Dense
from embassay.search.stages.top import Top
from tests.search.fakes import DENSE, context, found


def test_it_keeps_the_first():
    made = Top(2).run(context(), Candidates(found(), DENSE))
    assert list(made.ranking) == DENSE[:2] and made.found == found(), "what the arms found is kept whole"
    assert list(Top(9).run(context(), Candidates(found(), DENSE)).ranking) == DENSE


def test_it_ends_a_pipeline():
    assert Dense(3) >> Top(2) == Pipeline((Dense(3),), (Top(2),))
    assert Top(2).deepened(7) == Top(7)


@pytest.mark.parametrize("k", [0, -1, 2_000_000])
def test_a_number_of_hits_is_in_its_range(k):
    with pytest.raises(UsageError, match="top: k is"):
        Top(k)
