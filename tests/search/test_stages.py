"""A stage is one file: it is found by its name, prints and is parsed by itself, and other packages bring their own."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from embassay.errors import PluginError
from embassay.search import stages
from embassay.search.arguments import arguments
from embassay.search.base import Arm, Inner, Last
from embassay.search.stages import stage_class, stage_names


def test_every_file_is_a_stage():
    files = {file.stem for file in Path(stages.__file__).parent.glob("*.py")} - {"__init__"}
    assert stage_names() == tuple(sorted(name.replace("_", "-") for name in files)) and len(files) > 10


@pytest.mark.parametrize("name", stage_names())
def test_a_stage_keeps_the_contract(name):
    made = stage_class(name)()
    assert made.name == name and str(made).partition("(")[0] == name and isinstance(made, (Arm, Inner, Last))
    assert made == dataclasses.replace(made) and hash(made) == hash(dataclasses.replace(made))
    assert made.run.__doc__ and type(made).__doc__ and sys.modules[type(made).__module__].__doc__
    for one in arguments(type(made)):
        assert one.accepts(getattr(made, one.name))


def test_a_stage_nobody_knows():
    with pytest.raises(PluginError, match=r"no stage is called 'dens'\. Did you mean 'dense'"):
        stage_class("dens")


PLUGIN = '''
"""``swap(2)``: the second hit first."""

from dataclasses import dataclass, replace

from embassay.search.base import Inner


@dataclass(frozen=True)
class Swap(Inner):
    """Changes the places of the first and another hit."""

    other: int = 2
    really: bool = True
    why: str = "for fun"

    def run(self, context, candidates):
        """The same candidates."""
        ranking = list(candidates.ranking)
        ranking[0], ranking[self.other - 1] = ranking[self.other - 1], ranking[0]
        return replace(candidates, ranking=ranking)


STAGE = Swap
'''
PROGRAM = """
from embassay.search.parse import parse_pipeline
from embassay.search.run import run
from tests.search.fakes import context

made = parse_pipeline('dense >> swap(3, why="so \\\\"it\\\\" is") >> top(2)')
print(made)
print([hit.chunk.key for hit in run(made, context()).hits])
assert parse_pipeline(str(made)) == made
"""


def test_another_package_brings_a_stage(tmp_path):
    (tmp_path / "swap.py").write_text(PLUGIN)
    info = tmp_path / "swapping-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: swapping\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[embassay.stages]\nswap = swap\n")
    code = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, *{[p for p in sys.path if p]!r}]\n{PROGRAM}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    printed, hits = done.stdout.splitlines()
    assert printed == r'dense(100) >> swap(3, why="so \"it\" is") >> top(2)' and hits == "['c', 'b']"
