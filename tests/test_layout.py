"""Where code lies: as in the Linux tree, and with imports that go one way."""

from __future__ import annotations

import ast
import importlib.util
import lzma
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final

import pytest

import sysfsd
from sysfsd.linux.exports import Export, modelled

ROOT: Final = Path(sysfsd.__file__).parent
#: What each package may import, besides itself.
FLOORS: Final = {
    "__main__": {"cli"},
    "cli": {"lab", "fuse", "host", "fs", "linux", "image"},
    "lab": {"fuse", "host", "fs", "linux", "image"},
    "fuse": {"host", "fs", "linux", "image"},
    "host": {"linux", "image"},
    "fs": {"linux", "image"},
    "linux": {"image"},
    "image": set(),
}
FILES: Final = sorted(ROOT.rglob("*.py"))


def name_of(path: Path) -> str:
    """A file's name as a module."""
    parts = ["sysfsd", *path.relative_to(ROOT).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, at_once: bool = False) -> Iterator[str]:
    """The modules of the package that *path* imports, but for those that only type checkers read.

    :param at_once: only those that are imported when it is
    """

    def walk(body: list[ast.stmt]) -> Iterator[ast.stmt]:
        for statement in body:
            if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.dump(statement.test):
                continue
            yield statement
            if not (at_once and isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef)):
                for field in ("body", "orelse", "finalbody", "handlers"):
                    yield from walk(getattr(statement, field, []))

    for statement in walk(ast.parse(path.read_bytes()).body):
        if isinstance(statement, ast.ImportFrom) and (statement.module or "").split(".")[0] == "sysfsd":
            module = statement.module or ""
            for alias in statement.names:
                inner = f"{module}.{alias.name}"
                yield inner if is_module(inner) else module
        elif isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names if alias.name.split(".")[0] == "sysfsd")


@cache
def is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_go_one_way(path: Path) -> None:
    floor = [*name_of(path).split("."), "cli"][1]
    wanted = {module.split(".")[1] for module in imports(path) if "." in module} - {floor}
    assert wanted <= FLOORS[floor]


def test_no_two_modules_import_each_other() -> None:
    graph = {name_of(path): set(imports(path, at_once=True)) for path in FILES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


FUNCTIONS: Final = [export for export in modelled().values() if not export.variable]
PLACES: Final = lzma.decompress((Path(__file__).parent / "image" / "defined-in.txt.xz").read_bytes()).decode()
#: The file of the Linux tree that defines a function.
DEFINED_IN: Final = dict(line.split() for line in PLACES.splitlines())
#: The modules that declare areas, by the area.
AREAS: Final = {
    id(module.export): name
    for name, module in sys.modules.items()
    if name.startswith("sysfsd.linux.") and name.endswith("_exports")
}


@pytest.mark.parametrize("export", FUNCTIONS, ids=lambda export: export.name)
def test_a_function_lies_where_linux_has_it(export: Export) -> None:
    assert export.name in DEFINED_IN, "say in which file of the Linux tree it is defined"
    source = DEFINED_IN[export.name]
    assert source in export.area.sources
    folder = Path(*AREAS[id(export.area)].split(".")[2:-1])
    assert Path(source).is_relative_to(folder)
    assert folder.parts[0] == source.split("/")[0]
