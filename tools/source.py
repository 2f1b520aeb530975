"""The source of a package as values: its modules, what they import and what they define. Nothing of it is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Import:
    """One imported name. `name` is empty where a whole module is imported; `module` is always one of the package."""

    module: str
    name: str
    line: int


class Module:
    """One file, parsed."""

    def __init__(self, name: str, file: Path) -> None:
        self.name = name
        self.file = file
        self.text = file.read_text("utf-8")
        self.tree = ast.parse(self.text)
        self.is_package = file.name == "__init__.py"

    @property
    def lines(self) -> int:
        return self.text.count("\n")

    @property
    def folder(self) -> str:
        """The dotted name of the package that the file lies in."""
        return self.name if self.is_package else self.name.rpartition(".")[0]

    def functions(self) -> Iterator[Function]:
        """Every function and method, nested ones included."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    @cached_property
    def top(self) -> dict[str, Function | ast.ClassDef]:
        """Functions and classes at the top of the module, by name."""
        return {node.name: node for node in self.tree.body if isinstance(node, Function | ast.ClassDef)}

    @cached_property
    def constants(self) -> dict[str, str]:
        """Names at the top of the module that stand for a string."""
        found: dict[str, str] = {}
        for node in self.tree.body:
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            ):
                found |= {target.id: node.value.value for target in node.targets if isinstance(target, ast.Name)}
        return found

    def strings(self) -> Iterator[ast.Constant]:
        """Strings that the program uses: no docstrings and no notes below a field."""
        notes = {id(node.value) for node in ast.walk(self.tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in notes:
                yield node


class Package:
    """A folder of source with an ``__init__.py``."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.name = self.root.name
        self.modules: dict[str, Module] = {}
        for file in sorted(self.root.rglob("*.py")):
            parts = file.relative_to(self.root).with_suffix("").parts
            name = ".".join((self.name, *parts)).removesuffix(".__init__")
            self.modules[name] = Module(name, file)
        self._imports = {name: list(self._imports_of(module)) for name, module in self.modules.items()}

    @property
    def lines(self) -> int:
        return sum(module.lines for module in self.modules.values())

    def imports(self, module: str) -> Sequence[Import]:
        """What a module imports from this package, at its top, inside of functions and for type checkers alike."""
        return self._imports[module]

    def edges(self) -> dict[str, set[str]]:
        """Which modules each module imports."""
        return {name: {i.module for i in found} - {name} for name, found in self._imports.items()}

    def resolve(self, module: str, name: str) -> tuple[str, str] | None:
        """The module that defines what `module` calls `name`, and its name there; None if it is not of the package."""
        seen: set[tuple[str, str]] = set()
        while (module, name) not in seen and module in self.modules:
            seen.add((module, name))
            if name in self.modules[module].top:
                return module, name
            for node in ast.walk(self.modules[module].tree):
                if isinstance(node, ast.ImportFrom) and node.module:
                    for alias in node.names:
                        if (alias.asname or alias.name) == name:
                            module, name = self._absolute(self.modules[module], node), alias.name
                            break
                    else:
                        continue
                    break
        return None

    @cached_property
    def plugin_folders(self) -> frozenset[str]:
        """Folders whose modules are looked up by name: the first argument of ``plugins.load`` and its like."""
        constants = {name: text for module in self.modules.values() for name, text in module.constants.items()}
        found = set()
        for module in self.modules.values():
            for node in ast.walk(module.tree):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
                    continue
                if isinstance(node.func.value, ast.Name) and node.func.value.id == "plugins":
                    match node.args[0]:
                        case ast.Constant(value=str(folder)):
                            found.add(folder)
                        case ast.Name(id=name) if name in constants:
                            found.add(constants[name])
        return frozenset(folder for folder in found if folder in self.modules)

    def plugin_of(self, module: str) -> str | None:
        """The plugin that a module is, or is a part of; None for other modules and for a plugin folder's helpers."""
        for folder in self.plugin_folders:
            if module.startswith(f"{folder}."):
                first = module.removeprefix(f"{folder}.").split(".")[0]
                return None if first.startswith("_") else f"{folder}.{first}"
        return None

    def _imports_of(self, module: Module) -> Iterator[Import]:
        for node in ast.walk(module.tree):
            match node:
                case ast.Import(names=aliases):
                    yield from (Import(a.name, "", node.lineno) for a in aliases if a.name in self.modules)
                case ast.ImportFrom(names=aliases):
                    source = self._absolute(module, node)
                    for alias in aliases:
                        inner = f"{source}.{alias.name}"
                        if inner in self.modules:
                            yield Import(inner, "", node.lineno)
                        elif source in self.modules:
                            yield Import(source, alias.name, node.lineno)
                case ast.Call(args=[ast.Constant(value=str(name)), *_]) if name in self.modules:
                    if ast.unparse(node.func).endswith("import_module"):
                        yield Import(name, "", node.lineno)

    def _absolute(self, module: Module, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = module.folder.split(".")
        base = parts[: len(parts) - node.level + 1]
        return ".".join([*base, *([node.module] if node.module else [])])


def cycles(edges: dict[str, set[str]]) -> list[list[str]]:
    """Groups of nodes that reach one another (Tarjan's strongly connected components of more than one node)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(edges.get(node, ())):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                found.append(sorted(group))

    for node in sorted(edges):
        if node not in index:
            visit(node)
    return found
