"""Each rule of `tools.shape` finds what it is for, in packages made up here, and nothing where there is nothing."""

from pathlib import Path

import pytest

from tools import shape
from tools.contract import contract, every_public_function
from tools.source import Package, cycles


@pytest.fixture
def make(tmp_path):
    """A package called `house` of these files; folders get their ``__init__.py``."""

    def write(files: dict[str, str]) -> Package:
        root = tmp_path / "house"
        for name, text in {"__init__.py": "", **files}.items():
            file = root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            for folder in file.relative_to(root).parents:
                (root / folder / "__init__.py").touch()
            file.write_text(text)
        return Package(root)

    return write


PLUGINS = {
    "loading.py": "from house import plugins\nDOORS = 'house.doors'\nplugins.load(DOORS, 'oak')\n",
    "plugins.py": "",
}


@pytest.mark.parametrize(
    "text",
    [
        "from house.b import x\n",
        "def later():\n    from house.b import x\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.b import x\n",
        "from . import b\n",
        "from .b import x\n",
        "import house.b\n",
        "from importlib import import_module\nimport_module('house.b')\n",
    ],
)
def test_a_circle_of_imports_is_found_however_it_is_written(make, text):
    package = make({"a.py": text, "b.py": "from house.c import y\n", "c.py": "from house import a\n"})
    assert shape.import_cycles(package).places == ["house.a <-> house.b <-> house.c"]


def test_imports_in_one_direction_are_no_circle(make):
    package = make(
        {"a.py": "from house.b import x\nfrom house.c import x\n", "b.py": "from house.c import x\n", "c.py": ""}
    )
    assert shape.import_cycles(package).figure == 0


def test_two_circles_are_two():
    assert cycles({"a": {"b"}, "b": {"a", "c"}, "c": {"d"}, "d": {"c"}, "e": {"a"}}) == [["c", "d"], ["a", "b"]]


def test_a_private_name_of_another_module_is_found(make):
    package = make(
        {
            "a.py": "from house.b import _hidden\nfrom house import b\nb._more()\n",
            "b.py": "def _hidden(): ...\ndef _more(): ...\n",
            "c.py": "from house.inner._shared import x\n",
            "inner/_shared.py": "x = 1\n",
            "inner/near.py": "from house.inner._shared import x\nfrom house.b import __doc__\n",
        }
    )
    assert shape.private_names(package).places == [
        "house.a:1 house.b _hidden",
        "house.a:3 b._more",
        "house.c:1 house.inner._shared x",
    ]


def test_a_long_function_is_found_but_in_commands(make):
    function = "def {}():\n" + "    x = 1\n" * 59
    package = make(
        {
            "a.py": function.format("short") + function.format("long") + "    x = 1\n",
            "cli/commands/index.py": function.format("command") + "    x = 1\n",
        }
    )
    assert shape.long_functions(package).places == ["house.a:long 61"]


def test_a_long_file_is_found(make):
    package = make({"a.py": "x = 1\n" * 350, "b.py": "x = 1\n" * 351})
    assert shape.long_files(package).places == ["house.b 351"]


def test_what_users_and_plugins_call_needs_a_docstring(make):
    package = make(
        {
            "__init__.py": "from house.rooms import Room as Room\n__all__ = ['Room']\n",
            "rooms.py": (
                "from __future__ import annotations\nfrom house.later import Lamp, Unused\n"
                "class Room:\n    def light(self) -> Lamp: ...\n    def _own(self) -> Unused: ...\n"
                "def helper(): ...\n"
            ),
            "later.py": "class Lamp:\n    def on(self): ...\nclass Unused:\n    def gone(self): ...\n",
            "doors/base.py": "def knock(): ...\n",
        }
    )
    assert shape.undocumented_contract(package).places == [
        "house.doors.base:knock",
        "house.later:Lamp.on",
        "house.rooms:Room.light",
    ]


def test_a_docstring_may_stand_at_the_base_class_or_in_the_contract_of_a_plugin(make):
    package = make(
        PLUGINS
        | {
            "doors/__init__.py": "",
            "base.py": "class Door:\n    def open(self):\n        'Open it.'\n    def shut(self):\n        'Shut it.'\n"
            "def hang():\n    'Hang it.'\n",
            "doors/oak.py": "from house.base import Door\nclass Oak(Door):\n    def open(self): ...\n"
            "    def creak(self): ...\ndef hang() -> Oak: ...\ndef paint(): ...\n",
        }
    )
    assert shape.undocumented_contract(package).places == ["house.doors.oak:Oak.creak", "house.doors.oak:paint"]
    assert {f.where for f in contract(package) if f.documented and not f.own} == {
        "house.doors.oak:Oak.open",
        "house.doors.oak:hang",
    }


def test_the_share_without_docstring_is_of_all_public_functions(make):
    package = make(
        {
            "a.py": "def told():\n    'So.'\ndef untold(): ...\ndef _own(): ...\nclass A:\n    def b(self): ...\n"
            "class Base:\n    def c(self):\n        'So.'\nclass Child(Base):\n    def c(self): ...\n"
        }
    )
    assert len(every_public_function(package)) == 5
    found = shape.undocumented_share(package)
    assert found.figure == pytest.approx(100 * 2 / 5) and found.places == ["house.a:untold", "house.a:A.b"]


def test_any_is_counted_by_thousand_lines(make):
    package = make({"a.py": "import typing\nfrom typing import Any\nx: Any = 1\ny: 'list[int]' = 1\nz: typing.Any\n"})
    assert shape.untyped(package).figure == 1000 * 2 / 5


def test_a_plugin_that_imports_another_is_found(make):
    package = make(
        PLUGINS
        | {
            "doors/oak.py": "from house.doors._wood import grain\n",
            "doors/_wood.py": "grain = 1\n",
            "doors/pine.py": "def later():\n    from house.doors.oak import x\n",
        }
    )
    assert package.plugin_folders == {"house.doors"}
    assert shape.plugins_apart(package).places == ["house.doors.pine:2 house.doors.oak"]
    assert shape.plugins_named(package).figure == 0


def test_generic_code_that_imports_a_plugin_is_found_but_in_commands(make):
    text = "from house.doors.oak import x\n"
    package = make(PLUGINS | {"doors/oak.py": "x = 1\n", "a.py": text, "cli/a.py": text, "testing/a.py": text})
    assert shape.plugins_named(package).places == ["house.a:1 house.doors.oak"]


def test_class_names_that_exist_twice_are_found_but_those_that_a_contract_asks_of_plugins(make):
    package = make(
        PLUGINS
        | {
            "a.py": "class Bar: ...\nclass _Own: ...\nclass Settings: ...\nclass Hinge: ...\n",
            "b.py": "class Bar: ...\nclass _Own: ...\n",
            "doors/oak.py": "class Settings: ...\nclass Hinge: ...\n",
            "doors/pine.py": "class Settings: ...\n",
        }
    )
    assert shape.double_names(package).places == ["Bar: house.a, house.b", "Hinge: house.a, house.doors.oak"]


def test_a_flag_in_a_librarys_message_is_found_but_not_in_docstrings_or_the_command_line(make):
    package = make(
        {
            "a.py": "'''See --set.'''\nraise ValueError(f'{1}: use --set NAME or --all')\nx = 'a--b ---- a -- b'\n",
            "cli/a.py": "x = '--set'\n",
        }
    )
    assert shape.flags(package).places == ["house.a:2 --set", "house.a:2 --all"]


def test_the_exit_code_says_whether_a_bar_is_broken(make, capsys):
    found = {"import cycles": shape.Found(1, ["house.a <-> house.b"]), "files over 350 lines": shape.Found(0)}
    assert shape.report(found, {"import cycles": 0, "files over 350 lines": 0}) == 1
    printed = capsys.readouterr().out
    assert "beyond" in printed and "house.a <-> house.b" in printed
    assert shape.report(found, {"import cycles": 1, "files over 350 lines": 0}) == 0
    assert "house.a" not in capsys.readouterr().out


def test_every_rule_has_a_bar():
    assert shape.BARS.keys() == shape.RULES.keys()


def test_the_plugin_folders_of_this_project_are_found():
    package = Package(Path(shape.__file__).parents[1] / "src" / "embassay")
    assert {
        "embassay.embedders.providers",
        "embassay.stores.backends",
        "embassay.ingest.readers",
    } <= package.plugin_folders
