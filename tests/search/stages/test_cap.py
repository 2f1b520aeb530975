import pytest

from embassay.errors import UsageError
from embassay.search.parse import parse_pipeline
from embassay.search.run import run
from tests.search.stored import on, opened, row
from tests.search.test_diversity import turned


def test_so_many_of_a_document_and_the_rest_behind_the_last_of_them():
    chunks = [row(at, document="a.md") for at in range(4)] + [row(4, document="b.md")]
    with opened(chunks, [turned(at * 10) for at in range(5)]) as version:
        found = run(parse_pipeline("dense(5) >> cap(2) >> top(3)"), on(version))
    assert [hit.chunk.key for hit in found.hits] == ["key-0", "key-1", "key-4"]
    assert [[one.chunk.key for one in hit.more] for hit in found.hits] == [[], ["key-2", "key-3"], []]


def test_records_of_a_file_count_as_one_by_path():
    chunks = [row(at, document=f"a.md#{at}") for at in range(3)]
    with opened(chunks, [turned(at * 10) for at in range(3)]) as version:
        assert len(run(parse_pipeline("dense(5) >> cap(1) >> top(3)"), on(version)).hits) == 3
        assert len(run(parse_pipeline('dense(5) >> cap(1, "path") >> top(3)'), on(version)).hits) == 1
    with pytest.raises(UsageError, match=r"hits cannot be capped by 'paths'. Did you mean 'path'"):
        parse_pipeline('dense(5) >> cap(1, "paths") >> top(3)')
