"""The functions that a user or a plugin calls, found from the source, and those of them without a docstring.

They are, closed over everything that their signatures name:

- the names of the package's ``__all__``, with the public methods of its classes;
- every public name of the contract files: `CONTRACT_FILES` in any folder, and whole `CONTRACT_FOLDERS`;
- the public functions at the top of each plugin.

"Closed" means: a class of this package that a public signature, a public field or a base class names is itself reached,
and so are its public methods. A method counts as documented where a base class of this package documents it, as
``inspect.getdoc`` and `help` see it; a function or method of a plugin, where the contract of its folder (`base.py` or
`api.py` in the folder or above it) documents one of that name: that is where its caller looks.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tools.source import Function, Package

CONTRACT_FILES = {"base", "api", "errors", "events", "remedy", "session", "home", "space", "types"}
CONTRACT_FOLDERS = {"testing", "stages"}


@dataclass(frozen=True)
class Public:
    """One public function: where it stands, and whether it has a docstring of its own or an inherited one."""

    where: str
    own: bool
    documented: bool


def contract(package: Package) -> list[Public]:
    """Every function that a user or a plugin calls."""
    reached: set[tuple[str, str]] = set()
    waiting = [*_exported(package), *_contract_files(package), *_plugins(package)]
    while waiting:
        at = waiting.pop()
        if at not in reached:
            reached.add(at)
            waiting += _named_by(package, *at)
    return [function for at in sorted(reached) for function in _functions(package, *at)]


def every_public_function(package: Package) -> list[Public]:
    """Public functions and methods of the whole package, commands included, without those inside of functions."""
    return [
        function
        for name, module in package.modules.items()
        for top in module.top
        if not top.startswith("_")
        for function in _functions(package, name, top)
    ]


def _exported(package: Package) -> Iterator[tuple[str, str]]:
    for node in package.modules[package.name].tree.body:
        if isinstance(node, ast.Assign) and [ast.unparse(t) for t in node.targets] == ["__all__"]:
            for name in ast.literal_eval(node.value):
                if found := package.resolve(package.name, name):
                    yield found


def _contract_files(package: Package) -> Iterator[tuple[str, str]]:
    for name, module in package.modules.items():
        *folders, file = name.split(".")
        if file in CONTRACT_FILES or CONTRACT_FOLDERS & {*folders, file}:
            yield from ((name, top) for top in module.top if not top.startswith("_"))


def _plugins(package: Package) -> Iterator[tuple[str, str]]:
    for name, module in package.modules.items():
        if package.plugin_of(name) == name:
            for top, node in module.top.items():
                if isinstance(node, Function) and not top.startswith("_"):
                    yield name, top


def _named_by(package: Package, module: str, name: str) -> Iterator[tuple[str, str]]:
    """Classes of the package in the public signatures, fields and bases of a function or class."""
    node = package.modules[module].top[name]
    for annotation in _annotations(node):
        for part in ast.walk(annotation):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                part = _quoted(part.value)
            if isinstance(part, ast.Name) and not part.id.startswith("_"):
                found = package.resolve(module, part.id)
                if found and isinstance(package.modules[found[0]].top[found[1]], ast.ClassDef):
                    yield found


def _annotations(node: Function | ast.ClassDef) -> Iterator[ast.expr]:
    if isinstance(node, ast.ClassDef):
        yield from node.bases
        for part in node.body:
            if isinstance(part, ast.AnnAssign) and not ast.unparse(part.target).startswith("_"):
                yield part.annotation
            elif isinstance(part, Function) and (not part.name.startswith("_") or part.name == "__init__"):
                yield from _annotations(part)
    else:
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        yield from (a.annotation for a in arguments if a.annotation)
        if node.returns:
            yield node.returns


def _quoted(text: str) -> ast.AST:
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError:
        return ast.Constant(None)


def _functions(package: Package, module: str, name: str) -> Iterator[Public]:
    node = package.modules[module].top[name]
    if isinstance(node, Function):
        own = ast.get_docstring(node) is not None
        yield Public(f"{module}:{name}", own, own or name in _in_contract(package, module))
        return
    for part in node.body:
        if isinstance(part, Function) and not part.name.startswith("_") and not _is_repeated(part):
            own = ast.get_docstring(part) is not None
            told = own or part.name in _in_contract(package, module) or _inherits(package, module, node, part.name)
            yield Public(f"{module}:{name}.{part.name}", own, told)


def _is_repeated(node: Function) -> bool:
    """An overload or the setter of a property: its docstring stands at the other definition."""
    return any(ast.unparse(d).split(".")[-1] in ("overload", "setter", "deleter") for d in node.decorator_list)


@cache
def _in_contract(package: Package, module: str) -> frozenset[str]:
    """Names of functions and methods that the contract of a plugin's folder documents; none for other modules."""
    if not package.plugin_of(module):
        return frozenset()
    folder = module.rpartition(".")[0]
    found = set()
    while folder:
        for name in ("base", "api"):
            if contract_file := package.modules.get(f"{folder}.{name}"):
                found |= {node.name for node in contract_file.functions() if ast.get_docstring(node)}
        folder = folder.rpartition(".")[0]
    return frozenset(found)


def _inherits(package: Package, module: str, node: ast.ClassDef, method: str) -> bool:
    for base in node.bases:
        expression = base.value if isinstance(base, ast.Subscript) else base
        found = package.resolve(module, expression.id) if isinstance(expression, ast.Name) else None
        parent = package.modules[found[0]].top[found[1]] if found else None
        if found and isinstance(parent, ast.ClassDef):
            for part in parent.body:
                if isinstance(part, Function) and part.name == method and ast.get_docstring(part):
                    return True
            if _inherits(package, found[0], parent, method):
                return True
    return False
