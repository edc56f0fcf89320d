"""Nodes of synthetic file systems: fs/kernfs/, fs/seq_file.c."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import pytest

from sysfsd.fs.kernfs import Attribute, BinAttribute, Directory, OpenContext, SeqFile, Symlink, Tree
from sysfsd.linux.kernel.cred import INIT_CRED

READ = OpenContext(INIT_CRED, os.O_RDONLY)
WRITE = OpenContext(INIT_CRED, os.O_WRONLY)
BOTH = OpenContext(INIT_CRED, os.O_RDWR)


@contextmanager
def refusal(code: int) -> Iterator[None]:
    with pytest.raises(OSError) as caught:
        yield
    assert caught.value.errno == code


def in_tree(attribute: Attribute | BinAttribute) -> Tree:
    return Tree({"d": Directory({"a": attribute})})


# Names


def test_a_path_is_looked_up_name_by_name() -> None:
    leaf = Symlink("x")
    tree = Tree({"a": Directory({"b": Directory({"c": leaf})})})
    assert tree.lookup("/a/b/c") is leaf
    assert tree.lookup("a//b/") is tree.lookup("/a/b")
    assert tree.lookup("/") is tree
    assert leaf.path() == "/a/b/c"


@pytest.mark.parametrize(("path", "code"), [("/x", errno.ENOENT), ("/a/x", errno.ENOENT), ("/l/x", errno.ENOTDIR)])
def test_a_path_that_leads_nowhere(path: str, code: int) -> None:
    tree = Tree({"a": Directory(), "l": Symlink("a")})
    with refusal(code):
        tree.lookup(path)


def test_watchers_are_told_of_names_that_come_and_go() -> None:
    inner = Directory()
    tree = Tree({"d": inner})
    seen: list[tuple[str, str]] = []
    tree.watchers.append(lambda directory, name, removed: seen.append((directory.path(), name)))
    inner.add("x", Symlink("y"))
    inner.remove("x")
    assert seen == [("/d", "x"), ("/d", "x")]


def test_a_directory_counts_its_subdirectories() -> None:
    directory = Directory({"a": Directory(), "b": Symlink("a")})
    assert directory.nlink == 3
    directory.add("c", Directory())
    directory.remove("a")
    directory.remove("b")
    assert directory.nlink == 3


def test_children_are_made_when_they_are_asked_for() -> None:
    made: list[int] = []

    def children() -> dict[str, Directory]:
        made.append(1)
        return {"a": Directory()}

    directory = Directory(children)
    assert made == []
    assert directory.names() == ["a"]
    assert set(directory.children) == {"a"}
    assert made == [1]


def test_names_that_come_appear_in_the_list() -> None:
    directory = Directory({"a": Directory()})
    assert directory.names() == ["a"]
    directory.add("b", Directory())
    assert set(directory.names()) == {"a", "b"}


def test_a_node_that_was_taken_out_is_not_active() -> None:
    attribute = Attribute(0o644)
    tree = in_tree(attribute)
    assert attribute.active
    tree.remove("d")
    assert not attribute.active


# Attributes


@pytest.mark.parametrize(
    ("mode", "context", "code"),
    [
        (0o644, READ, None),
        (0o644, BOTH, None),
        (0o444, WRITE, errno.EACCES),
        (0o444, BOTH, errno.EACCES),
        (0o200, READ, errno.EACCES),
        (0o200, WRITE, None),
        (0o000, READ, errno.EACCES),
        (0o040, READ, None),
        (0o002, WRITE, None),
    ],
)
def test_not_even_root_gets_past_the_mode(mode: int, context: OpenContext, code: int | None) -> None:
    attribute = Attribute(mode, lambda: b"x")
    tree = in_tree(attribute)
    if code is None:
        attribute.open(context)
    else:
        with refusal(code):
            attribute.open(context)
    assert tree.lookup("/d/a") is attribute


def test_an_attribute_is_a_page_long_by_its_size() -> None:
    attribute = Attribute(0o644)
    assert (attribute.size, attribute.type) == (4096, stat.S_IFREG)


def test_a_text_is_made_once_and_handed_out_from_there_on() -> None:
    values = iter([b"first\n", b"second\n"])
    attribute = Attribute(0o444, lambda: next(values))
    tree = in_tree(attribute)
    opened = attribute.open(READ)
    assert [opened.read(3, 0), opened.read(100, 3), opened.read(100, 6)] == [b"fir", b"st\n", b""]
    assert opened.read(100, 0) == b"second\n"
    assert tree.nlink


def test_reading_behind_the_end_gives_nothing() -> None:
    attribute = Attribute(0o444, lambda: b"x\n")
    tree = in_tree(attribute)
    assert attribute.open(READ).read(10, 100) == b""
    assert tree.nlink


def test_one_write_is_one_value_wherever_it_goes() -> None:
    stored: list[bytes] = []
    attribute = Attribute(0o644, lambda: b"", stored.append)
    tree = in_tree(attribute)
    opened = attribute.open(BOTH)
    assert [opened.write(b"a", 0), opened.write(b"bc", 7)] == [1, 2]
    assert stored == [b"a", b"bc"]
    assert tree.nlink


def test_writing_nothing_stores_nothing() -> None:
    stored: list[bytes] = []
    attribute = Attribute(0o644, None, stored.append)
    tree = in_tree(attribute)
    assert attribute.open(WRITE).write(b"", 0) == 0
    assert stored == []
    assert tree.nlink


def test_more_than_a_page_is_written_in_part() -> None:
    stored: list[bytes] = []
    attribute = Attribute(0o644, None, stored.append)
    tree = in_tree(attribute)
    assert attribute.open(WRITE).write(b"x" * 5000, 0) == 4096
    assert stored == [b"x" * 4096]
    assert tree.nlink


def test_what_the_mode_allows_and_the_attribute_cannot_is_an_error() -> None:
    attribute = Attribute(0o444, lambda: b"x")
    tree = in_tree(attribute)
    attribute.chmod(0o666)
    with refusal(errno.EIO):
        attribute.open(WRITE).write(b"x", 0)
    assert tree.nlink


def test_open_files_of_a_node_that_was_taken_out_are_dead() -> None:
    attribute = Attribute(0o644, lambda: b"x", lambda data: None)
    tree = in_tree(attribute)
    opened = attribute.open(BOTH)
    tree.remove("d")
    for access in (lambda: opened.read(10, 0), lambda: opened.write(b"x", 0), lambda: attribute.open(READ)):
        with refusal(errno.ENODEV):
            access()


def test_what_show_and_store_raise_is_the_answer() -> None:
    def fail(*args: object) -> NoReturn:
        raise OSError(errno.EPERM, "no")

    attribute = Attribute(0o644, fail, fail)
    tree = in_tree(attribute)
    opened = attribute.open(BOTH)
    with refusal(errno.EPERM):
        opened.read(10, 0)
    with refusal(errno.EPERM):
        opened.write(b"x", 0)
    assert tree.nlink


# Binary attributes


def binary(size: int = 10) -> BinAttribute:
    contents = bytes(range(256)) * 40
    return BinAttribute(0o444, size, lambda cred, offset, count: contents[offset : offset + count])


@pytest.mark.parametrize(
    ("size", "offset", "data"),
    [(4, 0, b"\0\1\2\3"), (100, 8, b"\x08\x09"), (5, 10, b""), (5, 1000, b""), (0, 0, b"")],
)
def test_a_binary_attribute_ends_with_its_size(size: int, offset: int, data: bytes) -> None:
    attribute = binary()
    tree = in_tree(attribute)
    assert attribute.open(READ).read(size, offset) == data
    assert tree.nlink


def test_a_binary_attribute_is_read_by_pages() -> None:
    attribute = binary(10000)
    tree = in_tree(attribute)
    assert len(attribute.open(READ).read(10000, 0)) == 4096
    assert tree.nlink


def test_a_binary_attribute_that_was_taken_out_is_dead() -> None:
    attribute = binary()
    tree = in_tree(attribute)
    opened = attribute.open(READ)
    tree.remove("d")
    with refusal(errno.ENODEV):
        opened.read(10, 0)


# Files of procfs


def test_a_seq_file_is_made_anew_from_its_beginning() -> None:
    texts = iter([b"one", b"two"])
    opened = SeqFile(lambda cred: lambda: next(texts)).open(READ)
    assert opened.read(2, 0) + opened.read(2, 2) + opened.read(2, 3) == b"one"
    assert opened.read(10, 0) == b"two"


def test_a_seq_file_cannot_be_written() -> None:
    with refusal(errno.EIO):
        SeqFile(lambda cred: lambda: b"").open(WRITE).write(b"x", 0)


# Attributes of nodes


def test_chmod_and_chown() -> None:
    attribute = Attribute(0o644)
    tree = in_tree(attribute)
    attribute.chmod(0o100600)
    attribute.chown(5, -1)
    attribute.chown(-1, 6)
    assert (attribute.mode, attribute.uid, attribute.gid) == (0o600, 5, 6)
    assert tree.nlink


def test_times_can_be_set() -> None:
    attribute = Attribute(0o644)
    tree = in_tree(attribute)
    attribute.utimens(1, 2)
    assert (attribute.atime, attribute.mtime) == (1, 2)
    assert attribute.ctime > 2
    assert tree.nlink
