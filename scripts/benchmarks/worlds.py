"""Where the client asks: on the host, beside a mount, in a lab, in other machines."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer
from typing import Final

from .measure import Bench, Unavailable

__all__ = [
    "SYSFSD",
    "Client",
    "as_root",
    "build_client",
    "client",
    "lab",
    "load",
    "lxcfs",
    "mount",
    "need",
    "running",
    "scratch",
    "tmpfs",
    "unload",
]

SYSFSD: Final = Path(sys.executable).with_name("sysfsd")
PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def need(*commands: str) -> None:
    """:raises Unavailable: without these commands"""
    for command in commands:
        if shutil.which(command, path=PATH) is None:
            raise Unavailable(f"no {command} here")


def as_root() -> None:
    """:raises Unavailable: for ordinary users"""
    if os.geteuid() != 0:
        raise Unavailable("only root can")


def build_client(directory: Path) -> Path:
    """The client: without shared objects, so that it runs in the emptiest of machines."""
    program = directory / "client"
    source = Path(__file__).with_name("client.c")
    subprocess.run(["gcc", "-O2", "-Wall", "-static", "-o", program, source], check=True)
    return program


class Client:
    """A client that waits for questions.

    :param command: starts it
    :param limit: how long it, and all that it is asked, may take (seconds)
    """

    def __init__(self, command: Iterable[str | Path], cwd: Path | None = None, limit: float = 600) -> None:
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd=cwd,
            env={**os.environ, "LC_ALL": "C", "PATH": PATH},
            start_new_session=True,
        )
        self._limit = Timer(limit, self._kill_all)
        self._limit.daemon = True
        self._limit.start()

    def ask(self, *words: object) -> list[float]:
        """:raises Unavailable: if it cannot answer"""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.write(" ".join(map(str, words)) + "\n")
            self.process.stdin.flush()
        return self.answer()

    def answer(self) -> list[float]:
        """The next answer, whatever else is said before."""
        assert self.process.stdout is not None
        last = "no answer"
        for line in self.process.stdout:
            if line.startswith("="):
                return [float(number) for number in line[1:].split()]
            if line.startswith("! "):
                raise Unavailable(line[2:].strip())
            last = line.strip() or last
        raise Unavailable(last)

    def end(self) -> None:
        """Have it end, and wait for that."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.write("end\n")
            self.process.stdin.flush()
        self.process.wait()

    def kill(self) -> None:
        """Have nothing left of it, ended or not."""
        self._limit.cancel()
        self._kill_all()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            with suppress(BrokenPipeError):
                stream.close()

    def _kill_all(self) -> None:
        """And what it has started: User Mode Linux is several processes, of which the first does not end the others."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


@contextmanager
def running(client: Client) -> Iterator[Client]:
    """A client that has something to say once it runs, until it is not needed any more."""
    try:
        client.answer()
        yield client
        client.end()
    finally:
        client.kill()


@contextmanager
def client(bench: Bench) -> Iterator[Client]:
    """A client on the host."""
    with running(Client([bench.client])) as client:
        yield client


@contextmanager
def lab(bench: Bench) -> Iterator[Client]:
    """A client in a lab of its own."""
    with running(Client([SYSFSD, "lab", "--", bench.client], cwd=bench.scratch)) as client:
        yield client


@contextmanager
def scratch(bench: Bench, name: str) -> Iterator[Path]:
    """A directory of one's own."""
    path = Path(tempfile.mkdtemp(prefix=name, dir=bench.scratch))
    try:
        yield path
    finally:
        with suppress(OSError):
            path.rmdir()


@contextmanager
def mount(bench: Bench, *modules: Path) -> Iterator[Path]:
    """A mount with modules loaded."""
    with scratch(bench, "mount") as where:
        subprocess.run([SYSFSD, "mount", where], check=True)
        try:
            for module in modules:
                load(where, module)
            yield where
        finally:
            subprocess.run([SYSFSD, "umount", where], check=False)
            if os.path.ismount(where):
                subprocess.run(["umount", "--lazy", where], check=False)


def load(where: Path, module: Path, *parameters: str) -> None:
    """Load a module by the control file of a mount."""
    with open(where / "control/load", "wb", buffering=0) as file:
        file.write(os.fsencode(" ".join([str(module), *parameters])))


def unload(where: Path, name: str) -> None:
    with open(where / "control/unload", "wb", buffering=0) as file:
        file.write(name.encode())


@contextmanager
def lxcfs(bench: Bench) -> Iterator[Path]:
    """LXCFS: another file system in user space that answers for the kernel; in C, with libfuse."""
    need("lxcfs")
    as_root()
    with scratch(bench, "lxcfs") as where:
        command = ["lxcfs", "-f", "-p", str(where) + ".pid", str(where)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            try:
                while not os.path.ismount(where):
                    if process.poll() is not None:
                        assert process.stderr is not None
                        raise Unavailable((process.stderr.read().strip().splitlines() or ["ended"])[-1])
                    os.sched_yield()
                yield where
            finally:
                process.terminate()
                subprocess.run(["umount", "--lazy", where], check=False, stderr=subprocess.DEVNULL)


@contextmanager
def tmpfs(bench: Bench, tree: Path) -> Iterator[Client]:
    """A client whose /sys/module and /proc/modules are plain files: a copy of those of a mount, on tmpfs."""
    need("unshare", "chroot")
    with scratch(bench, "tmpfs") as where:
        script = """
            mount -t tmpfs tmpfs "$1" && mkdir -p "$1/sys" "$1/proc" "$1/usr" "$1/etc" "$1/dev" "$1/$2" || exit
            cp -r "$3/sys/module" "$1/sys"; cp "$3/proc/modules" "$1/proc" # all but what cannot be read
            mount --rbind /usr "$1/usr" && mount --rbind /dev "$1/dev" && mount --bind "$2" "$1/$2" &&
            ln -s usr/bin usr/sbin usr/lib usr/lib64 "$1" && exec chroot "$1" "$4"
        """
        options = ["--mount"] if os.geteuid() == 0 else ["--mount", "--map-root-user"]
        arguments = [str(where), str(bench.scratch), str(tree), str(bench.client)]
        with running(Client(["unshare", *options, "sh", "-c", script, "sh", *arguments])) as client:
            yield client
