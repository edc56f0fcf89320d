"""What reading, writing and looking around cost, call by call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

from . import modules, worlds
from .measure import OURS, Aim, Bench, Question, Row, Sampler, Side

__all__ = ["QUESTIONS"]

PARAMETER: Final = "sys/module/hello/parameters/count"
ONLINE: Final = "sys/devices/system/cpu/online"
MANY: Final = 1000

Start = Callable[[Bench], AbstractContextManager[Sampler]]
#: Something with files in it, of each side.
Place = Callable[[Bench], AbstractContextManager[Path]]


@contextmanager
def hello(bench: Bench) -> Iterator[Path]:
    with worlds.mount(bench, modules.HELLO) as where:
        yield where


@contextmanager
def thousand(bench: Bench) -> Iterator[Path]:
    with worlds.mount(bench, *modules.make(bench.scratch / "modules", MANY)) as where:
        yield where


@contextmanager
def host(bench: Bench) -> Iterator[Path]:
    yield Path("/")


def asking(place: Place, question: str, path: str, count: tuple[int, int], *more: object, times: float = 1e-3) -> Start:
    """A side that is asked the same of one file: so many times in a full, and in a quick run.

    :param times: from what the client answers, nanoseconds, to what the row shows
    """

    @contextmanager
    def start(bench: Bench) -> Iterator[Sampler]:
        with place(bench) as where, worlds.client(bench) as client:
            words = (question, where / path, bench.count(*count), *more)
            client.ask(*words)  # the first time is another question
            yield lambda: {question: client.ask(*words)[0] * times}

    return start


def a_second(place: Place, path: str, count: tuple[int, int], processes: int) -> Start:
    """Reads a second, of several processes together."""

    @contextmanager
    def start(bench: Bench) -> Iterator[Sampler]:
        with place(bench) as where, worlds.client(bench) as client:
            words = ("readers", where / path, bench.count(*count), processes)
            client.ask(*words)
            yield lambda: {"readers": 1e9 / client.ask(*words)[0]}

    return start


def twice(place: Place, path: str, count: tuple[int, int]) -> Start:
    """Two reads: the peer of a write and a read."""

    @contextmanager
    def start(bench: Bench) -> Iterator[Sampler]:
        with place(bench) as where, worlds.client(bench) as client:
            words = ("read", where / path, bench.count(*count))
            client.ask(*words)
            yield lambda: {"rewrite": client.ask(*words)[0] * 2e-3}

    return start


def entries(directory: Path) -> int:
    """How many lines ``ls -lR`` has on something."""
    count = 0
    waiting = [directory]
    while waiting:
        for entry in waiting.pop().iterdir():
            count += 1
            if entry.is_dir() and not entry.is_symlink():
                waiting.append(entry)
    return count


def forget() -> None:
    """Have the host's kernel forget what it knows of names."""
    worlds.as_root()
    Path("/proc/sys/vm/drop_caches").write_text("2\n")


def listing(place: Place, path: str) -> Start:
    """``ls -lR``, for each entry, less what it takes to start ls: with the kernel's caches empty, and again."""

    @contextmanager
    def start(bench: Bench) -> Iterator[Sampler]:
        with place(bench) as where, worlds.client(bench) as client:
            count = entries(where / path)
            (empty := bench.scratch / "empty").mkdir(exist_ok=True)

            def sample() -> dict[str, float]:
                forget()
                nothing = client.ask("run", 1, "ls", "-lR", empty)[0]
                first = client.ask("run", 1, "ls", "-lR", where / path)[0]
                again = client.ask("run", 1, "ls", "-lR", where / path)[0]
                nothing = min(nothing, client.ask("run", 5, "ls", "-lR", empty)[0])
                return {"first": (first - nothing) / count / 1e3, "again": (again - nothing) / count / 1e3}

            yield sample

    return start


def lines(place: Place, path: str) -> Start:
    """A file is read to its end: lines a second."""

    @contextmanager
    def start(bench: Bench) -> Iterator[Sampler]:
        with place(bench) as where, worlds.client(bench) as client:
            client.ask("cat", where / path)

            def sample() -> dict[str, float]:
                time, _, count = client.ask("cat", where / path)
                return {"cat": count / time * 1e9}

            yield sample

    return start


@contextmanager
def lsmod_lab(bench: Bench) -> Iterator[Sampler]:
    """lsmod, where insmod has loaded a thousand modules."""
    worlds.need("lsmod")
    with worlds.lab(bench) as client:
        for module in modules.make(bench.scratch / "modules", MANY):
            client.ask("insert", module)
        yield lambda: {"lsmod": client.ask("run", 3, "lsmod")[0] / 1e6}


@contextmanager
def lsmod_tmpfs(bench: Bench) -> Iterator[Sampler]:
    worlds.need("lsmod")
    with thousand(bench) as where, worlds.tmpfs(bench, where) as client:
        yield lambda: {"lsmod": client.ask("run", 3, "lsmod")[0] / 1e6}


READS: Final = (2000, 1000)
SYMBOLS: Final = "proc/kallsyms"

QUESTIONS: Final = (
    Question(
        "read",
        "Read a parameter",
        rows=(Row("read", "read a parameter: open, read, close", "us", "LXCFS", Aim("ratio", 0.7)),),
        sides=(
            Side(OURS, asking(hello, "read", PARAMETER, READS)),
            Side("LXCFS", asking(worlds.lxcfs, "read", ONLINE, READS)),
            Side("host", asking(host, "read", ONLINE, READS)),
        ),
        rounds=(15, 5),
    ),
    Question(
        "readers",
        "Read a parameter, eight processes at once",
        rows=(Row("readers", "the same, 8 processes at once", "/s", "LXCFS", Aim("ratio", 1, least=True)),),
        sides=(
            Side(OURS, a_second(hello, PARAMETER, (500, 200), 8)),
            Side("LXCFS", a_second(worlds.lxcfs, ONLINE, (500, 200), 8)),
            Side("host", a_second(host, ONLINE, (500, 200), 8)),
        ),
        rounds=(15, 5),
    ),
    Question(
        "rewrite",
        "Write a parameter, and read it",
        rows=(Row("rewrite", "write a parameter and read it back", "us", "LXCFS, 2 reads", Aim("ratio", 1.2)),),
        sides=(
            Side(OURS, asking(hello, "rewrite", PARAMETER, READS)),
            Side("LXCFS, 2 reads", twice(worlds.lxcfs, ONLINE, READS)),
        ),
        rounds=(15, 5),
    ),
    Question(
        "stat",
        "Stat a path again",
        rows=(Row("stat", "stat a path again", "us", "host", Aim("ratio", 1.2)),),
        sides=(
            Side(OURS, asking(hello, "stat", PARAMETER, (20000, 10000))),
            Side("host", asking(host, "stat", "sys/module/kernel/parameters/panic", (20000, 10000))),
        ),
        rounds=(15, 5),
    ),
    Question(
        "ls",
        "ls -lR of 1,000 loaded modules",
        rows=(
            Row("first", "ls -lR of 1,000 modules, an entry: first", "us", "host", Aim("ratio", 3)),
            Row("again", "ls -lR of 1,000 modules, an entry: again", "us", "host", Aim("ratio", 1.3)),
        ),
        sides=(Side(OURS, listing(thousand, "sys/module")), Side("host", listing(host, "sys/module"))),
        rounds=(5, 2),
    ),
    Question(
        "kallsyms",
        "Read proc/kallsyms",
        rows=(Row("cat", "cat proc/kallsyms, symbols", "/s", "host", Aim("ratio", 5, least=True)),),
        sides=(Side(OURS, lines(hello, SYMBOLS)), Side("host", lines(host, SYMBOLS))),
    ),
    Question(
        "lsmod",
        "lsmod with 1,000 modules",
        rows=(Row("lsmod", "lsmod in the lab, 1,000 modules", "ms", "plain files", Aim("ratio", 3)),),
        sides=(Side(OURS, lsmod_lab), Side("plain files", lsmod_tmpfs)),
    ),
)
