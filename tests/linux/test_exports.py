"""What is declared for modules to use agrees with the kernel's own type information."""

from __future__ import annotations

import inspect
import lzma
from functools import cache
from pathlib import Path

import pytest

from sysfsd.image.image import KernelImage
from sysfsd.linux.exports import CType, Declaration, modelled, parameter_annotations, parse

PROTOTYPES = Path(__file__).parents[1] / "image" / "prototypes.txt.xz"
FUNCTIONS = sorted(name for name, export in modelled().items() if not export.variable)


@cache
def prototypes() -> dict[str, list[Declaration]]:
    """By name; what is written in assembler has none that says anything."""
    found: dict[str, list[Declaration]] = {}
    for line in lzma.decompress(PROTOTYPES.read_bytes()).decode().splitlines():
        try:
            declaration = parse(line)
        except ValueError:
            continue  # a variable, or a type that no model needs
        if line != f"void {declaration.name}(void)":
            found.setdefault(declaration.name, []).append(declaration)
    return found


@cache
def image() -> KernelImage:
    return KernelImage()


def agree(ours: CType, theirs: CType) -> bool:
    """Whether values of both types are passed alike; a pointer may be taken for what it leads to, or not."""
    pointers = ("pointer", "string", "struct", "va_list")
    if ours.kind in pointers and theirs.kind in pointers:
        return True
    if {ours.kind, theirs.kind} == {"int", "bool"}:
        return ours.size == theirs.size
    return (ours.kind, ours.size) == (theirs.kind, theirs.size)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_declaration_is_the_kernels(name: str) -> None:
    ours = parse(modelled()[name].declaration)
    assert ours.name == name
    candidates = prototypes().get(name)
    if candidates is None:
        return
    assert any(
        len(ours.params) == len(theirs.params)
        and all(agree(a, b) for a, b in zip(ours.params, theirs.params, strict=True))
        and agree(ours.returns, theirs.returns)
        for theirs in candidates
    ), candidates[0].text


@pytest.mark.parametrize("name", sorted(modelled()))
def test_what_is_modelled_is_exported(name: str) -> None:
    """A function that no module can import needs no model."""
    assert image().find_export(name) is not None or name in image().symbols


#: What may stand for a C type in Python, besides a structure: :func:`arrives`.
ANNOTATIONS = {
    "int": {"int"},
    "bool": {"bool"},
    "string": {"bytes", "bytes | None"},
    "pointer": {"int", "StructView | int"},
    "...": {"CallVaList", "CallVaList | MemoryVaList"},
    "va_list": {"MemoryVaList", "CallVaList | MemoryVaList"},
}


def arrives(param: CType) -> set[str]:
    """How a Python function may annotate what arrives in it for a C parameter."""
    if param.kind == "struct":
        return {"StructView", "StructView | int"} if param.struct in image().structs else {"int"}
    return ANNOTATIONS[param.kind]


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if modelled()[name].function is not None])
def test_a_function_takes_what_its_declaration_says(name: str) -> None:
    function = modelled()[name].function
    assert function is not None
    params, given = parse(modelled()[name].declaration).params, parameter_annotations(function)
    required = len(given) - len(function.__defaults__ or ())
    takes_more = function.__code__.co_flags & inspect.CO_VARARGS
    assert required <= len(params)
    assert takes_more or len(given) >= len(params)
    for param, annotation in zip(params, given, strict=False):
        assert annotation in arrives(param)
