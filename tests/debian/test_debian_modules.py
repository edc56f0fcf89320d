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
from sysfsd.kernel.cred import INIT_CRED
from sysfsd.kernel.image import DEFAULT_RELEASE
from sysfsd.kernel.kernel import Kernel

HERE: Final = Path(__file__).parent
LIB_MODULES: Final = HERE.parents[1] / f"build/linux-image-{DEFAULT_RELEASE}/lib/modules/{DEFAULT_RELEASE}"

#: Parameters that a module's own code sets when it starts, or shows.
SET_BY_CODE: Final = {
    "fuse.max_user_bgreq",
    "fuse.max_user_congthresh",
    "nf_conntrack_irc.ports",
    "nf_conntrack_sane.ports",
    "nf_conntrack_sip.ports",
    "nf_conntrack_tftp.ports",
}
SHOWN_BY_CODE: Final = {
    "crc64_rocksoft.transform",
    "libceph.supported_features",
    "ocfs2_dlmfs.capabilities",
    "overlay.check_copy_up",
    "psmouse.proto",
    "sunrpc.auth_hashtable_size",
    "sunrpc.pool_mode",
}
#: References that modules' own code takes when they start.
REFERENCED_BY_INIT: Final = 9


@pytest.fixture(scope="module")
def files() -> Tree:
    """The files over a kernel that has loaded all of them."""
    kernel = Kernel()
    files = tree(kernel)
    paths = {path.stem.replace("-", "_"): path for path in LIB_MODULES.rglob("*.ko")}
    for name in (HERE / "load-order.txt").read_text().split():
        kernel.init_module(paths[name].read_bytes())
    return files


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


def test_each_has_the_directory_that_it_has_on_the_real_kernel(files: Tree) -> None:
    """But for drivers/, where a module's code shows the drivers that it registers."""
    for record in records():
        shown = {path: describe(node) for path, node in walk(files.lookup(f"sys/module/{record.name}"))}
        assert shown == {p: n for p, n in record.nodes.items() if p.split("/")[0] != "drivers"}, record.name


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
    """But for those that are up to a module's code."""
    differ = {
        f"{record.name}.{name}"
        for record in records()
        for name, value in record.parameters.items()
        if "Permission denied" not in value
        and read(files.lookup(f"sys/module/{record.name}/parameters/{name}")) != value
    }
    assert differ == SET_BY_CODE | SHOWN_BY_CODE


def test_proc_modules_is_the_real_kernels(files: Tree) -> None:
    """Line by line, in its order; only the references that modules take on themselves when they start are missing."""
    node = files.lookup("proc/modules")
    assert isinstance(node, File)
    text = node.open(OpenContext(INIT_CRED)).read(1 << 22, 0).decode("latin-1")
    lines = re.sub(r"0xffff[0-9a-f]{12}", "ADDR", text).splitlines()
    recorded = (HERE / "proc-modules.txt").read_text().splitlines()

    def without_count(line: str) -> list[str]:
        name, size, _count, *rest = line.split()
        return [name, size, *rest]

    wanted = {line.split()[0] for line in recorded}
    shown = [line for line in lines if line.split()[0] in wanted]
    assert [without_count(line) for line in shown] == [without_count(line) for line in recorded]
    assert sum(a.rstrip() != b.rstrip() for a, b in zip(shown, recorded, strict=True)) == REFERENCED_BY_INIT
