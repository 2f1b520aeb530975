"""What schemathesis makes of the OpenAPI document, in small; `benchmarks.fuzz_api` asks ten thousand times."""

from benchmarks import fuzz_api
from tests.server.conftest import running


def test_every_route_answers_as_its_document_says(tmp_path):
    with running(tmp_path / ".embassay") as found:
        found.home.set("default").upsert(fuzz_api.DOCUMENTS)
        told = fuzz_api.fuzzed(found.url, tmp_path, 2, phases="examples,fuzzing")
        failed = fuzz_api.server_errors(found.url)
    assert told["test_cases"]["generated"] > 100
    assert told["operations"]["tested"] == told["operations"]["total"] > 50
    assert (told["failures"], told["errors"], failed) == ([], [], 0), told["words"]
