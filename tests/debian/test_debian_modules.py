"""Debian's own modules, and what the real kernel showed when it had loaded them.

``load-order.txt``: the order in which 1,380 of them went into a kernel; ``trees.txt.xz``: what /sys/module/NAME held
then for 577 of them; ``proc-modules.txt``: half of the lines of /proc/modules.
"""

from __future__ import annotations

import lzma
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from sysfsd.fs.kernfs import Directory, File, Node, OpenContext, Symlink, Tree
from sysfsd.fs.tree import tree
from sysfsd.image.image import DEFAULT_RELEASE
from sysfsd.linux.arch.x86.traps import TaskKilled
from sysfsd.linux.kernel.cred import INIT_CRED
from sysfsd.linux.kernel.module.elf import Elf
from sysfsd.linux.kernel.sched.core import Identity
from sysfsd.linux.system import Kernel

HERE: Final = Path(__file__).parent
LIB_MODULES: Final = HERE.parents[1] / f"build/linux-image-{DEFAULT_RELEASE}/lib/modules/{DEFAULT_RELEASE}"

#: Modules that do not load here: the processor is an older one, or their init needs what is not modelled yet.
NOT_LOADED: Final = {
    "crc32_pclmul",
    "crc32c_intel",
    "crct10dif_pclmul",
    "dccp_ipv4",
    "dccp_ipv6",
}
#: Parameters whose values depend on how much memory there is.
OTHER_VALUES: Final = {"fuse.max_user_bgreq", "fuse.max_user_congthresh"}
#: Modules that hold, or are held by, a reference less or more: by those that do not load, or do not get far enough.
OTHER_REFERENCES: Final = {
    "aes_ti",
    "bluetooth",
    "configfs",
    "crc32c_generic",
    "crct10dif_common",
    "crct10dif_generic",
    "dccp",
    "fcrypt",
    "sctp",
}


class Loaded(NamedTuple):
    """The files over a kernel that has loaded the modules, and which of them it has not."""

    files: Tree
    missing: set[str]


def depends(image: bytes) -> list[str]:
    elf = Elf(image, print)
    strings = elf.data(elf.find_sec(".modinfo")).split(b"\0")
    needed = next((text.removeprefix(b"depends=") for text in strings if text.startswith(b"depends=")), b"")
    return needed.decode().replace("-", "_").split(",")


@pytest.fixture(scope="module")
def loaded() -> Iterator[Loaded]:
    kernel = Kernel()
    files = tree(kernel)
    missing: set[str] = set()
    paths = {path.stem.replace("-", "_"): path for path in LIB_MODULES.rglob("*.ko")}
    for name in (HERE / "load-order.txt").read_text().split():
        image = paths[name].read_bytes()
        if not missing.isdisjoint(depends(image)):
            missing.add(name)
            continue
        try:
            with kernel.sched.enter(INIT_CRED, lambda: Identity(1, 1, "modprobe")):
                kernel.init_module(image)
        except (OSError, TaskKilled):
            missing.add(name)
    yield Loaded(files, missing)
    kernel.stop()


@pytest.fixture
def files(loaded: Loaded) -> Tree:
    return loaded.files


class Record(NamedTuple):
    """What was recorded of one module's directory."""

    name: str
    #: By path: mode, size, type, link.
    nodes: dict[str, tuple[int, int, str, str]]
    attributes: dict[str, str]
    parameters: dict[str, str]
    #: Offsets from .text.
    sections: dict[str, int]


def records() -> Iterator[Record]:
    text = lzma.decompress((HERE / "trees.txt.xz").read_bytes()).decode("utf-8", "replace")
    for block in re.split(r"(?m)^# ", text)[1:]:
        name, *lines = block.rstrip("\n").split("\n")
        if name in NOT_LOADED:
            continue
        record = Record(name, {}, {}, {}, {})
        for line in lines:
            if line.startswith("param ") and "=" in line:
                parameter, value = line.removeprefix("param ").split("=", 1)
                record.parameters[parameter] = value
            elif line.startswith("section "):
                _, section, offset = line.split()
                record.sections[section] = int(offset)
            elif match := re.fullmatch(r"(.*?) ?(\d{4}) (\d+) ([dfl]) (.*)", line):
                path, mode, size, kind, link = match.groups()
                record.nodes[path] = int(mode, 8), int(size), kind, link
            elif match := re.fullmatch(r"(\w+)=(.*)", line):
                record.attributes[match[1]] = match[2]
        yield record


def read(node: Node) -> str:
    assert isinstance(node, File)
    return node.open(OpenContext(INIT_CRED)).read(4096, 0).decode("latin-1").rstrip("\n")


def walk(node: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    yield path, node
    if isinstance(node, Directory):
        for name in node.names():
            yield from walk(node.children[name], f"{path}/{name}".lstrip("/"))


KINDS: Final = {stat.S_IFDIR: "d", stat.S_IFREG: "f", stat.S_IFLNK: "l"}


def describe(node: Node) -> tuple[int, int, str, str]:
    return node.mode, node.size, KINDS[node.type], node.target if isinstance(node, Symlink) else ""


def test_all_but_a_few_load(loaded: Loaded) -> None:
    assert loaded.missing == NOT_LOADED


def test_each_has_the_directory_that_it_has_on_the_real_kernel(files: Tree) -> None:
    """Its drivers and its holders included."""

    def there(record: Record, path: str) -> bool:
        top, _, name = path.partition("/")
        return not (top == "holders" and name in NOT_LOADED)

    for record in records():
        shown = {path: describe(node) for path, node in walk(files.lookup(f"sys/module/{record.name}"))}
        assert shown == {path: node for path, node in record.nodes.items() if there(record, path)}, record.name


def test_each_has_the_size_taints_and_version_that_it_has_on_the_real_kernel(files: Tree) -> None:
    for record in records():
        known = {name: value for name, value in record.attributes.items() if name != "refcnt"}
        assert {name: read(files.lookup(f"sys/module/{record.name}/{name}")) for name in known} == known, record.name


def test_each_section_lies_where_the_real_kernel_put_it(files: Tree) -> None:
    """But for those of the init region, which the real kernel places where it finds room."""
    for record in records():
        core = int(record.attributes["coresize"])
        kept = {name: offset for name, offset in record.sections.items() if 0 <= offset < core}
        if kept:
            at = {name: int(read(files.lookup(f"sys/module/{record.name}/sections/{name}")), 16) for name in kept}
            assert {name: address - at[".text"] for name, address in at.items()} == kept, record.name


def test_parameters_have_the_values_that_they_have_on_the_real_kernel(files: Tree) -> None:
    """Those that a module's code sets or shows included."""
    differ = {
        f"{record.name}.{name}"
        for record in records()
        for name, value in record.parameters.items()
        if "Permission denied" not in value
        and read(files.lookup(f"sys/module/{record.name}/parameters/{name}")) != value
    }
    assert differ == OTHER_VALUES


def test_proc_modules_is_the_real_kernels(files: Tree) -> None:
    """Line by line, in its order."""
    node = files.lookup("proc/modules")
    assert isinstance(node, File)
    text = node.open(OpenContext(INIT_CRED)).read(1 << 22, 0).decode("latin-1")
    lines = re.sub(r"0xffff[0-9a-f]{12}", "ADDR", text).splitlines()
    recorded = (HERE / "proc-modules.txt").read_text().splitlines()
    recorded = [line for line in recorded if line.split()[0] not in NOT_LOADED]

    def without_references(line: str) -> list[str]:
        """Less the count and the names of holders."""
        name, size, _count, _holders, *rest = line.split()
        return [name, size, *rest]

    wanted = {line.split()[0] for line in recorded}
    shown = [line for line in lines if line.split()[0] in wanted]
    assert [without_references(line) for line in shown] == [without_references(line) for line in recorded]
    differ = {a.split()[0] for a, b in zip(shown, recorded, strict=True) if a.rstrip() != b.rstrip()}
    assert differ == OTHER_REFERENCES
