"""`sysfsd lab`: a command among modules of its own, as its user sees it."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import pexpect
import pytest

from sysfsd.host.mountinfo import mounts
from tests.conftest import HANG, MODULES, SYSFSD, wait_until

RELEASE: Final = "6.1.0-56-amd64"
#: What a lab must not look into.
NOT_OURS: Final = ("SYSFSD_LAB",)

Result = subprocess.CompletedProcess[str]


class Place:
    """A directory with modules, and a user who works there.

    :param uid: the user's; 0: root of the host
    """

    def __init__(self, path: Path, uid: int) -> None:
        self.path = path
        self.uid = uid
        self.environment = {key: value for key, value in os.environ.items() if key not in NOT_OURS}
        self.environment |= {"HOME": str(path), "LC_ALL": "C", "PATH": "/usr/bin:/bin", "TERM": "dumb"}
        self.become = () if uid == 0 else ("setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups")

    def argv(self, *arguments: str) -> list[str]:
        return [*self.become, SYSFSD, *arguments]

    def sysfsd(self, *arguments: str, stdin: str = "") -> Result:
        return subprocess.run(
            self.argv(*arguments),
            cwd=self.path,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=HANG,
        )

    def __call__(self, script: str, *options: str, stdin: str = "") -> Result:
        """Run a script in a lab."""
        return self.sysfsd("lab", *options, "--", "bash", "-c", script, stdin=stdin)

    def start(self, script: str, *options: str) -> subprocess.Popen[str]:
        """The same, not waiting for its end."""
        return subprocess.Popen(
            self.argv("lab", *options, "--", "bash", "-c", script),
            cwd=self.path,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def terminal(self, *arguments: str) -> pexpect.spawn[str]:
        """A command of ours on a terminal."""
        command, *rest = self.argv(*arguments)
        return pexpect.spawn(
            command, rest, cwd=str(self.path), env=self.environment, encoding="utf-8", timeout=HANG, dimensions=(25, 80)
        )


@pytest.fixture(params=[0, 65534], ids=["root", "user"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Of root, and of an ordinary user."""
    with tempfile.TemporaryDirectory() as name:
        for path in MODULES.glob("*.ko"):
            shutil.copy(path, name)
        os.chown(name, request.param, request.param)
        yield Place(Path(name), request.param)


@pytest.fixture
def root_place() -> Iterator[Place]:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        for path in MODULES.glob("*.ko"):
            shutil.copy(path, name)
        yield Place(Path(name), 0)


def lines(result: Result) -> list[str]:
    assert result.stderr == ""
    return result.stdout.splitlines()


# The tools of the distribution


def test_the_life_of_a_module(place: Place) -> None:
    result = place(
        """
        insmod hello.ko whom=me
        lsmod
        dmesg -t | tail -n 1
        cat /sys/module/hello/parameters/whom
        rmmod hello
        dmesg -t | tail -n 1
        lsmod
        """
    )
    assert lines(result) == [
        "Module                  Size  Used by",
        "hello                  16384  0",
        "hello: (0) Hello, me",
        "me",
        "hello: Goodbye, me, count is now 1",
        "Module                  Size  Used by",
    ]


def test_what_is_closed_is_closed_for_the_next_command(place: Place) -> None:
    script = """
        insmod dev_leave.ko leave_ms=50
        cat < /dev/dev_leave > /dev/null 2>&1
        {then}
        """
    for then, answer in (
        ("busybox dmesg | tail -n 1 | cut -d']' -f2", [" dev_leave: closed"]),
        ("rmmod dev_leave && echo gone", ["gone"]),
    ):
        assert lines(place(script.format(then=then))) == answer


def test_it_is_another_kernel(place: Place) -> None:
    result = place("uname -r; cat /proc/sys/kernel/osrelease; cut -d' ' -f3 /proc/version; busybox uname -r")
    assert lines(result) == [RELEASE] * 4


def test_the_status_is_the_commands_own(place: Place) -> None:
    assert place("exit 7").returncode == 7
    assert place("kill -TERM $$").returncode == -signal.SIGTERM
    assert place("kill -KILL $$").returncode == -signal.SIGKILL


def test_a_command_that_is_not_there(place: Place) -> None:
    result = place.sysfsd("lab", "--", "no-such-command")
    assert (result.returncode, result.stderr) == (127, "sysfsd: no-such-command: No such file or directory\n")


def test_a_command_that_cannot_be_run(place: Place) -> None:
    result = place.sysfsd("lab", "--", "./hello.ko")
    assert (result.returncode, result.stderr) == (126, "sysfsd: ./hello.ko: Permission denied\n")


def test_standard_input_and_output(place: Place) -> None:
    assert lines(place("cat; echo this goes nowhere 2>/dev/null >&2", stdin="through\n"))[0] == "through"


def test_the_directory_stays(place: Place) -> None:
    assert lines(place("pwd")) == [str(place.path)]


def test_what_the_kernel_does_not_have_is_the_hosts(place: Place) -> None:
    result = place(
        """
        echo one > >(cat); wait
        diff <(echo a) <(echo a) && echo same
        ls /proc/self/fd | head -n 1
        ps -o comm= -p $$
        cat /proc/$$/comm
        echo unseen > /dev/null; head -c 3 /dev/zero | wc -c
        [ -e /sys/kernel/mm ] && [ -e /proc/meminfo ] && echo there
        [ -c /dev/null ] && echo device
        """
    )
    assert lines(result) == ["one", "same", "0", "bash", "bash", "3", "there", "device"]


def test_programs_that_need_no_library(place: Place) -> None:
    result = place("busybox insmod hello.ko; busybox lsmod | cut -d' ' -f1; busybox rmmod hello; busybox lsmod")
    assert lines(result) == ["Module", "hello", "Module                  Size  Used by    Tainted: G  "]


BITS_32 = r"""
static long call(long nr, long a, long b, long c)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(nr), "b"(a), "c"(b), "d"(c) : "memory");
	return result;
}

static char names[6][65], image[1 << 20];

void _start(void)
{
	long fd, size, failed;

	call(122, (long)names, 0, 0); /* uname */
	call(4, 1, (long)names[2], sizeof "6.1.0-56-amd64" - 1);
	fd = call(5, (long)"hello.ko", 0, 0);
	size = call(3, fd, (long)image, sizeof image);
	failed = call(128, (long)image, size, (long)"whom=32"); /* init_module */
	if (!failed)
		failed = call(129, (long)"hello", 0, 0); /* delete_module */
	call(1, -failed, 0, 0);
}
"""


def test_32_bit_programs(place: Place) -> None:
    flags = ("-m32", "-O1", "-ffreestanding", "-fno-stack-protector", "-fno-pie", "-no-pie", "-nostdlib", "-static")
    program = str(place.path / "program")
    subprocess.run(["gcc", *flags, "-o", program, "-xc", "-"], input=BITS_32, text=True, check=True)
    result = place("./program && echo; dmesg -t | tail -n 2")
    assert lines(result) == [RELEASE, "hello: (0) Hello, 32", "hello: Goodbye, 32, count is now 1"]


LECTURE_C = r"""
#include <linux/module.h>
#include <linux/moduleparam.h>

MODULE_LICENSE("GPL");
MODULE_AUTHOR("Author <me@example.com>");
MODULE_DESCRIPTION("My Fancy Module");

static char *whom = "world";
static int count = 1;
static int numbers[4], how_many;

module_param(whom, charp, S_IRUGO);
MODULE_PARM_DESC(whom, "whom to greet");
module_param(count, int, S_IRUGO | S_IWUSR);
module_param_array(numbers, int, &how_many, S_IRUSR | S_IRGRP);

static int __init my_module_init(void)
{
	int i;

	for (i = 0; i < count; i++)
		printk(KERN_INFO "hello: Hello, %s\n", whom);
	for (i = 0; i < how_many; i++)
		printk(KERN_DEBUG "hello: number %d is %d\n", i, numbers[i]);
	return try_module_get(THIS_MODULE) ? 0 : -EBUSY;
}

static void __exit my_module_cleanup(void)
{
	printk(KERN_ALERT "hello: Goodbye, %s\n", whom);
}

static int put(const char *value, const struct kernel_param *kp)
{
	module_put(THIS_MODULE);
	return 0;
}

static const struct kernel_param_ops put_ops = { .set = put };
module_param_cb(put, &put_ops, NULL, S_IWUSR);

module_init(my_module_init);
module_exit(my_module_cleanup);
"""

LECTURE_MAKEFILE = """
KDIR = /lib/modules/$(shell uname -r)/build
obj-m += hello.o

all:
	make -C $(KDIR) M=$(PWD) modules
clean:
	make -C $(KDIR) M=$(PWD) clean
"""


def test_a_lecture_on_modules(place: Place) -> None:
    for path in place.path.iterdir():
        path.unlink()
    for name, text in (("hello.c", LECTURE_C), ("Makefile", LECTURE_MAKEFILE)):
        (place.path / name).write_text(text)
    result = place(
        """
        make >log 2>&1 || cat log
        modinfo -F vermagic hello.ko
        modinfo -p hello.ko
        sudo insmod hello.ko whom=me count=2 numbers=3,1,4
        dmesg -x -t | tail -n 5
        lsmod
        cat /sys/module/hello/refcnt
        stat -c '%A %n' /sys/module/hello/parameters/*
        cat /sys/module/hello/parameters/numbers
        echo 7 > /sys/module/hello/parameters/count
        cat /sys/module/hello/parameters/count
        rmmod hello 2>&1
        echo > /sys/module/hello/parameters/put
        rmmod hello
        dmesg -x -t | tail -n 1
        make clean >/dev/null; rm log; ls
        """
    )
    assert lines(result) == [
        f"{RELEASE} SMP preempt mod_unload modversions ",
        "whom:whom to greet (charp)",
        "count: (int)",
        "numbers: (array of int)",
        "kern  :info  : hello: Hello, me",
        "kern  :info  : hello: Hello, me",
        "kern  :debug : hello: number 0 is 3",
        "kern  :debug : hello: number 1 is 1",
        "kern  :debug : hello: number 2 is 4",
        "Module                  Size  Used by",
        "hello                  16384  1",
        "1",
        "-rw-r--r-- /sys/module/hello/parameters/count",
        "-r--r----- /sys/module/hello/parameters/numbers",
        "--w------- /sys/module/hello/parameters/put",
        "-r--r--r-- /sys/module/hello/parameters/whom",
        "3,1,4",
        "7",
        "rmmod: ERROR: Module hello is in use",
        "kern  :alert : hello: Goodbye, me",
        "Makefile",
        "hello.c",
    ]


def test_no_privilege_no_module(root_place: Place) -> None:
    result = root_place(
        """
        setpriv --reuid=65534 --regid=65534 --clear-groups insmod hello.ko
        su -s /bin/sh nobody -c "insmod $PWD/hello.ko"
        setpriv --bounding-set=-sys_module insmod hello.ko
        lsmod
        """
    )
    refusal = "could not insert module {}: Operation not permitted\n"
    name = str(root_place.path / "hello.ko")
    assert result.stderr == "".join(f"insmod: ERROR: {refusal.format(ko)}" for ko in ("hello.ko", name, "hello.ko"))
    assert result.stdout == "Module                  Size  Used by\n"


def test_addresses_are_for_those_who_may_see_them(root_place: Place) -> None:
    result = root_place(
        """
        insmod hello.ko
        cut -d' ' -f6 /proc/modules
        setpriv --reuid=65534 --regid=65534 --clear-groups cut -d' ' -f6 /proc/modules
        """
    )
    known, hidden = lines(result)
    assert known.startswith("0xffffffffc0")
    assert hidden == "0x0000000000000000"


def test_sudo(place: Place) -> None:
    assert lines(place("sudo insmod hello.ko whom=root; cat /sys/module/hello/parameters/whom; sudo -n id -u")) == [
        "root",
        "0",
    ]


def test_what_is_written_about_modules_stays_in_the_lab(place: Place) -> None:
    before = sorted(Path("/lib/modules").rglob("*")), sorted(Path("/etc/modprobe.d").iterdir())
    result = place(
        """
        mkdir -p /lib/modules/$(uname -r)/extra
        cp hello.ko /lib/modules/$(uname -r)/extra && depmod 2>/dev/null
        echo options hello whom=configured > /etc/modprobe.d/hello.conf
        modprobe hello count=2
        cat /sys/module/hello/parameters/{whom,count}
        modprobe -r hello
        """
    )
    assert lines(result) == ["configured", "2"]
    assert before == (sorted(Path("/lib/modules").rglob("*")), sorted(Path("/etc/modprobe.d").iterdir()))


def test_many_at_once(place: Place) -> None:
    result = place("for i in {1..20}; do insmod hello.ko 2>/dev/null && echo loaded & done; wait; lsmod | wc -l")
    assert lines(result) == ["loaded", "2"]


def test_the_switches_of_the_hosts_kernel(root_place: Place) -> None:
    """They can be looked at, and so can what is written to those of the lab's."""
    result = root_place(
        """
        cat /proc/sys/vm/swappiness > before
        echo 99 > /proc/sys/vm/swappiness
        cmp before /proc/sys/vm/swappiness
        echo 1 > /sys/kernel/profiling
        echo 2 > /proc/sys/kernel/kptr_restrict
        cat /proc/sys/kernel/kptr_restrict
        """
    )
    assert [line.rpartition(": ")[2] for line in result.stderr.splitlines()] == ["Read-only file system"] * 2
    assert result.stdout == "2\n"


def test_mounting_debugfs(place: Place) -> None:
    """It is the lab's, wherever."""
    result = place(
        """
        mkdir d
        mount -t debugfs none d
        mount -t debugfs none /sys/kernel/debug
        ls d
        cd /sys/kernel/debug
        ls
        """
    )
    names = ["dynamic_debug", "kprobes"]
    assert lines(result) == names * 2


# Nodes


def test_nodes_of_devices(place: Place) -> None:
    result = place(
        """
        insmod chardev.ko
        number=$(awk '/oraclechr/ {print $1}' /proc/devices)
        mknod /dev/mine c $number 0
        mknod here c $number 0
        cat /dev/mine here /dev/oraclechr
        rm /dev/mine here; ls /dev/mine here 2>&1
        mknod left c $number 0
        """
    )
    [greeting] = lines(place("insmod chardev.ko; cat /dev/oraclechr"))
    assert lines(result) == [
        *[greeting] * 3,
        "ls: cannot access '/dev/mine': No such file or directory",
        "ls: cannot access 'here': No such file or directory",
    ]
    assert not list(place.path.glob("left*"))


def test_a_node_before_its_device(place: Place) -> None:
    result = place("mknod node c 240 0; cat node")
    assert result.stderr == "cat: node: No such device or address\n"


def test_nodes_of_the_hosts_devices(place: Place) -> None:
    assert lines(place("mknod null c 1 3; echo x > null; cat null; head -c 2 /dev/zero | wc -c")) == ["2"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("/dev/null c 240 0", "mknod: /dev/null: File exists\n"),
        ("hello.ko c 240 0", "mknod: hello.ko: File exists\n"),
        ("none/node c 240 0", "mknod: none/node: No such file or directory\n"),
        ("hello.ko/node c 240 0", "mknod: hello.ko/node: Not a directory\n"),
    ],
)
def test_nodes_that_cannot_be_made(root_place: Place, arguments: str, message: str) -> None:
    assert root_place(f"mknod {arguments}").stderr == message


def test_nodes_are_not_for_everyone(root_place: Place) -> None:
    (root_place.path / "open").mkdir()
    (root_place.path / "open").chmod(0o777)
    result = root_place(
        "for d in . open; do setpriv --reuid=65534 --regid=65534 --clear-groups mknod $d/n c 240 0; done"
    )
    assert result.stderr == "mknod: ./n: Permission denied\nmknod: open/n: Operation not permitted\n"


# The log


def test_some_lines_of_the_log(place: Place) -> None:
    assert lines(place("echo one > /dev/kmsg; head -n 3 /dev/kmsg | cut -d';' -f2 | cut -c1-14")) == [
        "Linux version ",
        "Command line: ",
        "one",
    ]


def test_clearing_the_log(place: Place) -> None:
    assert lines(place("echo one > /dev/kmsg; dmesg -C; dmesg; echo two > /dev/kmsg; dmesg -t; dmesg -S -t")) == [
        "two",
        "two",
    ]


def test_following_the_log(place: Place) -> None:
    script = """
    dmesg --clear
    exec 3< <(exec dmesg --follow --notime); follower=$!
    echo one > /dev/kmsg; read -u 3 line; echo $line
    echo two > /dev/kmsg; read -u 3 line; echo $line
    kill $follower
    """
    assert lines(place(script)) == ["one", "two"]


def test_the_end_of_the_log(place: Place) -> None:
    script = """
    echo old > /dev/kmsg
    exec 3< <(exec dmesg --follow-new --notime); follower=$!
    until [ "$(cat /proc/$follower/wchan 2>/dev/null)" ] && grep -q kmsg <(ls -l /proc/$follower/fd); do :; done
    for i in {1..200}; do echo new > /dev/kmsg; read -t 0.1 -u 3 line && break; done; echo $line
    kill $follower
    """
    assert lines(place(script)) == ["new"]


# The terminal


def test_the_terminal_is_the_commands(place: Place) -> None:
    shell = place.terminal("lab", "--", "bash", "--norc", "-i")
    shell.sendline("stty size; tty; PS1='READY> '")
    shell.expect_exact("25 80")
    shell.expect("/dev/pts/[0-9]+")
    shell.expect("\nREADY> ")
    shell.setwinsize(30, 100)
    shell.sendline("stty size")
    shell.expect_exact("30 100")
    shell.expect("\nREADY> ")
    shell.sendline("exit 3")
    shell.expect(pexpect.EOF)
    shell.close()
    assert shell.exitstatus == 3


def test_job_control(place: Place) -> None:
    shell = place.terminal("lab", "--", "bash", "--norc", "-i")
    shell.sendline("PS1='READY> '")
    shell.expect("\nREADY> ")
    shell.sendline("cat")
    shell.sendline("line")
    shell.expect("line\r\nline\r\n")
    shell.sendcontrol("z")
    shell.expect("Stopped")
    shell.expect("READY> ")
    shell.sendline("jobs; fg")
    shell.expect("Stopped.*cat\r\ncat\r\n")
    shell.sendcontrol("c")
    shell.expect("READY> ")
    shell.sendline("echo status $?")
    shell.expect("status 130\r\n")
    shell.sendeof()
    shell.expect(pexpect.EOF)
    shell.close()
    assert shell.exitstatus in (0, 130)


def test_a_signal_from_the_keyboard(place: Place) -> None:
    command = place.terminal("lab", "--", "sh", "-c", "echo begun; exec cat")
    command.expect_exact("begun")
    command.sendcontrol("c")
    command.expect(pexpect.EOF)
    command.close()
    assert command.signalstatus == signal.SIGINT


def test_stopping_a_lab_itself(place: Place) -> None:
    """Its parent shell gets the terminal back, and can continue the lab."""
    shell = pexpect.spawn(
        "bash", ["--norc", "-i"], cwd=str(place.path), env=place.environment, encoding="utf-8", timeout=HANG
    )
    shell.sendline("PS1='OUTER> '")
    shell.expect("\nOUTER> ")
    shell.sendline(shlex.join(place.argv("lab", "--", "sh", "-c", "echo begun; read x; echo got $x")))
    shell.expect_exact("\nbegun")
    shell.sendcontrol("z")
    shell.expect("Stopped")
    shell.expect("OUTER> ")
    shell.sendline("fg")
    shell.sendline("this")
    shell.expect_exact("got this")
    shell.expect("OUTER> ")
    shell.sendline("exit")
    shell.expect(pexpect.EOF)
    shell.close()


# Its end


def processes() -> set[int]:
    return {int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()}


def below(pid: int) -> set[int]:
    """A process and all that have come from it."""
    found = {pid}
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found |= below(int(child))
    return found


def mounted() -> list[str]:
    """Where something is mounted, other tests' directories left out."""
    return [mount.path for mount in mounts() if not mount.path.startswith(tempfile.gettempdir())]


@pytest.fixture
def running(place: Place) -> Iterator[tuple[int, set[int]]]:
    """A lab with processes of all kinds: its launcher, and all processes."""
    before = mounted()
    files = set(place.path.iterdir())
    lab = place.start("insmod chardev.ko; mknod node c 240 0; setsid sleep 1000 & sleep 1000 & echo begun; read")
    assert lab.stdout is not None
    assert lab.stdin is not None
    assert lab.stdout.readline() == "begun\n"
    launcher = lab.pid
    found = below(launcher)
    assert len(found) >= 4
    yield launcher, found
    lab.wait(HANG)
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in found))
    wait_until(lambda: set(place.path.iterdir()) == files)
    assert mounted() == before
    lab.stdin.close()
    lab.stdout.close()


def test_killing_the_launcher(running: tuple[int, set[int]]) -> None:
    os.kill(running[0], signal.SIGKILL)


def test_killing_the_kernel(running: tuple[int, set[int]]) -> None:
    _launcher, all_ = running
    [kernel] = [pid for pid in all_ if f"\nNSpid:\t{pid}\t1\n" in Path(f"/proc/{pid}/status").read_text()]
    os.kill(kernel, signal.SIGKILL)


def test_killing_the_command(running: tuple[int, set[int]]) -> None:
    launcher, all_ = running
    command = max(pid for pid in all_ if f"PPid:\t{launcher}\n" in Path(f"/proc/{pid}/status").read_text())
    os.kill(command, signal.SIGKILL)


def test_terminating_the_launcher(running: tuple[int, set[int]]) -> None:
    os.kill(running[0], signal.SIGTERM)


def test_processes_that_outlive_the_command_end(place: Place) -> None:
    result = place("setsid sleep 1000 & echo $!")
    assert result.returncode == 0


# Joining


def test_joining(place: Place) -> None:
    with place.start("insmod hello.ko whom=me; echo begun; read; lsmod | wc -l", "--name", "joined") as lab:
        assert lab.stdout is not None
        assert lab.stdin is not None
        assert lab.stdout.readline() == "begun\n"
        listed = [line.split("\t") for line in lines(place.sysfsd("labs"))]
        assert [(name, int(uid), int(pid)) for name, uid, pid, _command in listed if name == "joined"] == [
            ("joined", place.uid, lab.pid)
        ]
        joined = place.sysfsd(
            "lab",
            "--join",
            "joined",
            "--",
            "bash",
            "-c",
            "cat /sys/module/hello/parameters/whom; rmmod hello; pwd; exit 3",
        )
        assert (joined.stdout, joined.stderr) == (f"me\n{place.path}\n", "")
        assert joined.returncode == 3
        taken = place("true", "--name", "joined")
        assert taken.stderr == "sysfsd: joined: a lab of that name is running; 'sysfsd lab --join joined' joins it\n"
        assert taken.returncode == 1
        lab.stdin.write("\n")
        lab.stdin.flush()
        assert lab.stdout.readline() == "1\n"
    again = place.sysfsd("lab", "--join", "joined", "true")
    assert again.stderr == "sysfsd: joined: no such lab; 'sysfsd labs' lists those that are running\n"


#: Listens where a lab of another user would, and offers nothing.
STRANGER: Final = """
import socket, sys
door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
door.bind(sys.argv[1].replace("@", chr(0)))
door.listen()
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_listener_of_another_user_is_no_lab(place: Place) -> None:
    argv = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", "/usr/bin/python3", "-c", STRANGER]
    address = f"@sysfsd-lab/{place.uid}/stolen"
    with subprocess.Popen([*argv, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as stranger:
        assert stranger.stdout is not None
        assert stranger.stdout.readline() == "ready\n"
        joined = place.sysfsd("lab", "--join", "stolen", "--", "id")
        assert joined.stderr == "sysfsd: stolen: another user's process listens there: this is not your lab\n"
        assert (joined.stdout, joined.returncode) == ("", 1)
        assert "stolen" not in place.sysfsd("labs").stdout
        stranger.communicate("")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../0/mine", "new\nline", "bell\a", "x" * 65])
def test_what_is_no_name_for_a_lab(place: Place, name: str) -> None:
    for option in ("--name", "--join"):
        refused = place.sysfsd("lab", option, name, "--", "true")
        assert refused.stderr.startswith(f"sysfsd: {name!r} is no name for a lab")
        assert refused.returncode == 1


def test_a_lab_in_a_lab(place: Place) -> None:
    result = place(f"{SYSFSD} lab true", "--name", "outer")
    assert result.stderr == "sysfsd: this is a lab already: outer\n"
    assert result.returncode == 1
