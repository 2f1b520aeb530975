"""Every route of the server, asked by schemathesis with what its OpenAPI document allows and with what it does not.

All of its checks, in every phase: the examples, the borders of each value, what is made up, and calls in a row.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

import embassay
from benchmarks.common import ROOT, Row, arguments, at_least, at_most, report
from benchmarks.load import served

EXAMPLES, CASES = 150, 10_000
CONFIG = ROOT / "benchmarks" / "schemathesis.toml"
_SERVER_ERROR = re.compile(r'embassay_requests_total\{.*status="5')
DOCUMENTS: list[Mapping[str, Any]] = [
    {"id": "keys", "text": "Keys are rotated on Mondays.", "metadata": {"lang": "en"}},
    {"id": "otters", "text": "Otters sleep afloat."},
]


def main() -> None:
    chosen = arguments(__doc__)
    with TemporaryDirectory() as folder:
        home = Path(folder) / ".embassay"
        with embassay.open(home) as made:
            for name in ("default", "handbook"):  # the first is searched where nobody names one
                made.set(name).upsert(DOCUMENTS)
        with served(home) as target:
            told = fuzzed(target.url, Path(folder), EXAMPLES)
            rows = rows_of(told, server_errors(target.url))
    report("fuzz_api", rows, chosen.json)


def fuzzed(url: str, folder: Path, examples: int, *, phases: str = "examples,coverage,fuzzing,stateful") -> Any:
    """What schemathesis reports of the server at `url`; so many made-up cases of each operation and kind."""
    told = folder / "fuzzed.json"
    command = [str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(CONFIG), "run"]
    command += [f"{url}/openapi.json", "--checks=all", f"--max-examples={examples}", f"--phases={phases}"]
    command += [
        "--continue-on-failure",
        "--request-timeout=120",
        "--no-shrink",
        "--seed=1",
        "--report=json",
        f"--report-json-path={told}",
    ]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    if not told.exists():
        raise RuntimeError(ran.stdout[-2000:] + ran.stderr[-2000:])
    return json.loads(told.read_text()) | {"words": ran.stdout}


def rows_of(told: Any, failed: float) -> list[Row]:
    """How much was asked, and what was wrong; `failed`: answers of 5xx, as the server itself counted them."""
    for failure in told["failures"]:
        print(failure["code"], failure["title"], failure["operations"], file=sys.stderr)
    cases = told["test_cases"]
    return [
        at_least("cases", cases["generated"], CASES),
        at_most("failures", cases["unique_failures"] + cases["errored"], 0),
        at_most("answers of 5xx", failed, 0),
        Row("operations", told["operations"]["tested"], None, None, "", "reported", None),
    ]


def server_errors(url: str) -> float:
    """Answers of 5xx so far."""
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if _SERVER_ERROR.match(line))


if __name__ == "__main__":
    main()
