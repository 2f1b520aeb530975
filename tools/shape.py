"""The shape of the package, held by `make check`: what was found, against a bar, for each rule.

    python -m tools.shape [FOLDER]          default: src/embassay

Exits with 1 if a figure is beyond its bar, and then names every place of that rule. The source is parsed, never run.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.contract import contract, every_public_function
from tools.source import Package, cycles

BARS: dict[str, float] = {
    "import cycles": 0,
    "private names of other modules": 0,
    "functions over 60 lines, commands apart": 0,
    "files over 350 lines": 0,
    "called by users or plugins, without docstring": 0,
    "public functions without docstring, %": 0,
    "Any per 1,000 lines": 4,
    "plugins that import another plugin": 0,
    "generic code that imports a plugin": 0,
    "class names that exist twice": 0,
    "command-line flags in library code": 0,
}
"""The most that is allowed of each."""

LONGEST_FUNCTION = 60
LONGEST_FILE = 350
COMMAND_LINE = "cli"
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]+")


@dataclass(frozen=True)
class Found:
    """What a rule found: the figure, and the places that make it up."""

    figure: float
    places: Sequence[str] = ()


def import_cycles(package: Package) -> Found:
    """Modules that import one another in a circle; imports inside functions and for type checkers count."""
    return _each(" <-> ".join(group) for group in cycles(package.edges()))


def private_names(package: Package) -> Found:
    """Imports of a `_name` of another module, of a `_module` whole, and of anything in a `_module` of another folder."""
    places = []
    for name, module in package.modules.items():
        for found in package.imports(name):
            folder, _, last = found.module.rpartition(".")
            hidden = last.startswith("_") and (folder != module.folder or not found.name)
            if found.module != name and (hidden or _is_private(found.name)):
                places.append(f"{name}:{found.line} {found.module} {found.name}".rstrip())
        places += [f"{name}:{line} {text}" for line, text in _private_attributes(package, name)]
    return Found(len(places), places)


def _private_attributes(package: Package, name: str) -> list[tuple[int, str]]:
    """``module._name``, where `module` is an imported module of the package."""
    modules = {i.module.rpartition(".")[2] for i in package.imports(name) if not i.name}
    return [
        (node.lineno, ast.unparse(node))
        for node in ast.walk(package.modules[name].tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in modules
        and _is_private(node.attr)
    ]


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def long_functions(package: Package) -> Found:
    commands = f"{package.name}.{COMMAND_LINE}.commands"
    return _each(
        f"{name}:{node.name} {length}"
        for name, module in package.modules.items()
        if not name.startswith(commands)
        for node in module.functions()
        if (length := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
    )


def long_files(package: Package) -> Found:
    return _each(f"{name} {m.lines}" for name, m in package.modules.items() if m.lines > LONGEST_FILE)


def undocumented_contract(package: Package) -> Found:
    """See `tools.contract` for which functions these are."""
    return _each(function.where for function in contract(package) if not function.documented)


def undocumented_share(package: Package) -> Found:
    """Of all public functions, those without a docstring of their own and without one that they inherit."""
    every = every_public_function(package)
    without = [function.where for function in every if not function.documented]
    return Found(100 * len(without) / max(1, len(every)), without)


def untyped(package: Package) -> Found:
    """Uses of `Any` in 1,000 lines; the import of the name is none."""
    places = [
        f"{name}:{node.lineno}"
        for name, module in package.modules.items()
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.Name) and node.id == "Any") or (isinstance(node, ast.Attribute) and node.attr == "Any")
    ]
    return Found(1000 * len(places) / max(1, package.lines), places)


def plugins_apart(package: Package) -> Found:
    """A plugin imports no other plugin, of whatever folder."""
    return _each(
        f"{name}:{found.line} {other}"
        for name in package.modules
        if (own := package.plugin_of(name))
        for found in package.imports(name)
        if (other := package.plugin_of(found.module)) and other != own
    )


def plugins_named(package: Package) -> Found:
    """Code outside of plugin folders, of the command line and of the tests' kit that imports a plugin by its name."""
    apart = (f"{package.name}.{COMMAND_LINE}", f"{package.name}.testing")
    return _each(
        f"{name}:{found.line} {other}"
        for name in package.modules
        if not package.plugin_of(name) and not name.startswith(apart)
        for found in package.imports(name)
        if (other := package.plugin_of(found.module))
    )


def double_names(package: Package) -> Found:
    """Public classes of equal name. A name that several plugins of a folder define is their contract's, and is none."""
    where = defaultdict(list)
    for name, module in package.modules.items():
        for top, node in module.top.items():
            if isinstance(node, ast.ClassDef) and not top.startswith("_"):
                where[top].append(name)
    places = []
    for name, modules in sorted(where.items()):
        folders = Counter(m.rpartition(".")[0] for m in modules if package.plugin_of(m))
        others = [m for m in modules if not package.plugin_of(m) or folders[m.rpartition(".")[0]] == 1]
        if len(others) > 1:
            places.append(f"{name}: {', '.join(others)}")
    return _each(places)


def flags(package: Package) -> Found:
    """``--flag`` in a string that is no docstring, outside of the command line: a library has other users."""
    return _each(
        f"{name}:{node.lineno} {flag}"
        for name, module in package.modules.items()
        if not name.startswith(f"{package.name}.{COMMAND_LINE}")
        for node in module.strings()
        for flag in FLAG.findall(str(node.value))
    )


def _each(places: Iterable[str]) -> Found:
    listed = list(dict.fromkeys(places))
    return Found(len(listed), listed)


RULES: dict[str, Callable[[Package], Found]] = dict(
    zip(
        BARS,
        (
            import_cycles,
            private_names,
            long_functions,
            long_files,
            undocumented_contract,
            undocumented_share,
            untyped,
            plugins_apart,
            plugins_named,
            double_names,
            flags,
        ),
        strict=True,
    )
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parents[1] / "src" / "embassay")
    parser.add_argument("--places", action="store_true", help="name the places of every rule")
    chosen = parser.parse_args(arguments)
    found = {name: rule(package) for package in [Package(chosen.folder)] for name, rule in RULES.items()}
    return report(found, BARS, every_place=chosen.places)


def report(found: dict[str, Found], bars: dict[str, float], *, every_place: bool = False) -> int:
    """Print the table; 1 if a figure is beyond its bar."""
    print(f"{'shape':<48}{'found':>8}{'bar':>8}")
    beyond = []
    for name, result in found.items():
        if result.figure > bars[name]:
            beyond.append(name)
        print(f"{name:<48}{result.figure:>8.3g}{f'<= {bars[name]:g}':>8}{'  beyond' if name in beyond else ''}")
    for name, result in found.items():
        if result.places and (every_place or name in beyond):
            print(f"\n{name}:", *result.places, sep="\n  ")
    return 1 if beyond else 0


if __name__ == "__main__":
    sys.exit(main())
