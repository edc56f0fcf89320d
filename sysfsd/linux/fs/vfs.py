"""Open files, as the code of modules sees them (fs/open.c, fs/read_write.c, fs/file_table.c, fs/ioctl.c).

An :class:`Inode` is what a file system node is for module code, a :class:`File` what somebody has opened. Whoever shows
the node calls the file's methods on behalf of the process that made the system call, which is the current task.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeVar

from sysfsd.linux.arch.x86.traps import Access, Regs
from sysfsd.linux.err import err
from sysfsd.linux.fs.char_dev import MISC_MAJOR, DeviceNumbers, major, minor
from sysfsd.linux.lib.kobject import Kobjects
from sysfsd.linux.lib.list import INIT_LIST_HEAD, list_add, list_del_init
from sysfsd.linux.mm.memory import PAGE_SIZE, PageFault
from sysfsd.linux.mm.uaccess import Uaccess, UserBuffers, UserSpace

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

__all__ = [
    "DEFAULT_POLLMASK",
    "FMode",
    "File",
    "FileOwners",
    "Inode",
    "chrdev_open",
    "fops_get",
    "module_put",
    "replace_fops",
    "try_module_get",
]

T = TypeVar("T")

#: More is not read or written at once (bytes).
MAX_RW_COUNT: Final = 0x7FFFF000
#: ``EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM``: what has no poll() is always ready.
DEFAULT_POLLMASK: Final = 0x145
_ENOIOCTLCMD: Final = 515
_MAX_ERRNO: Final = 4095
_FASYNC: Final = 0o20000
_O_LARGEFILE: Final = 0o100000
#: What fcntl(F_SETFL) changes.
_SETFL: Final = os.O_APPEND | os.O_NONBLOCK | os.O_DIRECT | os.O_NOATIME | _FASYNC
_IOCB: Final = ((os.O_APPEND, 1 << 1), (os.O_DSYNC, 1 << 2), (os.O_SYNC & ~os.O_DSYNC, 1 << 3), (os.O_DIRECT, 1 << 17))
_TMPFS_MAGIC: Final = 0x01021994
_MAX_LFS_FILESIZE: Final = (1 << 63) - 1
_LLONG_MAX: Final = (1 << 63) - 1
#: Where a system call's own variables are on its stack, above the frames of what it calls.
_LOCALS: Final = 64
#: The first of them is the file's position (bytes).
_POSITION: Final = 8


class FMode:
    """``fmode_t``."""

    READ: Final = 0x1
    WRITE: Final = 0x2
    LSEEK: Final = 0x4
    PREAD: Final = 0x8
    PWRITE: Final = 0x10
    EXEC: Final = 0x20
    UNSIGNED_OFFSET: Final = 0x2000
    ATOMIC_POS: Final = 0x8000
    CAN_READ: Final = 0x20000
    CAN_WRITE: Final = 0x40000
    OPENED: Final = 0x80000
    STREAM: Final = 0x200000


def signed(value: int) -> int:
    """A register as a ``long``."""
    return value - (1 << 64) if value >> 63 else value


def check(value: int) -> int:
    """What a function has returned, an error raised.

    :raises OSError: as it says
    """
    if -_MAX_ERRNO <= value < 0:
        raise err(-value)
    return value


def own_code(kernel: Kernel, site: str, function: Callable[[], T]) -> T:
    """Have the kernel's own code do something with memory that may not be there.

    :param site: where in it (``function+0x12``), for the oops
    """
    while True:
        try:
            return function()
        except PageFault as fault:
            name, _, offset = site.partition("+")
            task = kernel.current
            kernel.cpu.load(task)
            rip = (kernel.kallsyms.address_of(name) or 0) + int(offset or "0", 16)
            regs = Regs(rip=rip, rsp=task.sp or task.stack_top, flags=0x202)
            access = Access.WRITE if fault.write else Access.READ
            kernel.traps.page_fault(task, regs, fault.address, access)


# References to modules


def try_module_get(kernel: Kernel, address: int) -> bool:
    """``try_module_get()`` of the module whose structure is at *address*; NULL is the kernel itself."""
    if not address:
        return True
    mod = kernel.modules.address(address)
    if mod is None or mod.address != address:
        kernel.memory.read_int(address)  # faults where real code would
        return False
    return mod.try_module_get()


def module_put(kernel: Kernel, address: int) -> None:
    mod = kernel.modules.address(address) if address else None
    if mod is not None and mod.address == address:
        mod.module_put()


def fops_get(kernel: Kernel, fops: int) -> int:
    """``fops_get()``: the operations again, 0 where there are none or their module is going."""
    if not fops:
        return 0
    owner = kernel.struct("file_operations", fops)["owner"]
    return fops if try_module_get(kernel, owner) else 0


def fops_put(kernel: Kernel, fops: int) -> None:
    if fops:
        module_put(kernel, kernel.struct("file_operations", fops)["owner"])


class _Mount:
    """The one mount that all files seem to be in: a super block, its root."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.sb = kernel.struct("super_block", self._zeroed("super_block"))
        self.sb["s_blocksize"], self.sb["s_blocksize_bits"] = PAGE_SIZE, 12
        self.sb["s_maxbytes"], self.sb["s_magic"] = _MAX_LFS_FILESIZE, _TMPFS_MAGIC
        self.sb["s_user_ns"] = kernel.exports.data_address("init_user_ns")
        self.root = kernel.struct("dentry", self._zeroed("dentry"))
        set_name(kernel, self.root, b"/")
        self.root["d_parent"], self.root["d_sb"] = self.root.address, self.sb.address
        self.sb["s_root"] = self.root.address
        self.mnt = kernel.struct("vfsmount", self._zeroed("vfsmount"))
        self.mnt["mnt_root"], self.mnt["mnt_sb"] = self.root.address, self.sb.address
        self.mnt["mnt_userns"] = self.sb["s_user_ns"]
        #: Operations of files whose operations are elsewhere: none.
        self.empty_fops = self._zeroed("file_operations")
        self.last_ino = 1

    def _zeroed(self, struct: str) -> int:
        return self._kernel.slab.kmalloc(self._kernel.image.structs[struct].size)


def set_name(kernel: Kernel, dentry: StructView, name: bytes) -> None:
    """Call a directory entry *name*; a long one has memory of its own."""
    place = dentry.at("d_iname")
    if len(name) >= dentry.struct.member("d_iname").size:
        place = kernel.slab.kmalloc(len(name) + 1)
    kernel.memory.write(place, name + b"\0")
    dentry["d_name.name"], dentry["d_name.len"] = place, len(name)


class Inode:
    """``struct inode``, and the ``struct dentry`` that leads to it.

    It lives until :meth:`put` has been called once for its node and once for each open file.

    :param name: what the file is called in its directory
    :param mode: type and permissions
    :param rdev: the number of a device
    :param fop: the address of its ``struct file_operations``
    :param private: what ``i_private`` holds
    """

    def __init__(
        self,
        kernel: Kernel,
        name: str,
        mode: int,
        rdev: int = 0,
        uid: int = 0,
        gid: int = 0,
        size: int = 0,
        fop: int = 0,
        private: int = 0,
    ) -> None:
        self.kernel = kernel
        self._count = 1
        mount = kernel.state(_Mount)
        self.view = view = kernel.struct("inode", kernel.slab.kmalloc(kernel.image.structs["inode"].size))
        self.dentry = dentry = kernel.struct("dentry", kernel.slab.kmalloc(kernel.image.structs["dentry"].size))
        mount.last_ino += 1
        view["i_mode"], view["i_rdev"], view["i_ino"], view["__i_nlink"] = mode, rdev, mount.last_ino, 1
        view["i_uid.val"], view["i_gid.val"], view["i_size"] = uid, gid, size
        view["i_fop"], view["i_private"], view["i_sb"] = fop, private, mount.sb.address
        view["i_mapping"] = view.at("i_data")
        view["i_data.host"], view["i_blkbits"], view["i_count.counter"] = view.address, 12, 1
        now = time.time_ns()
        for stamp in ("i_atime", "i_mtime", "i_ctime"):
            view[f"{stamp}.tv_sec"], view[f"{stamp}.tv_nsec"] = divmod(now, 1_000_000_000)
        for head in ("i_devices", "i_rwsem.wait_list", "i_sb_list", "i_lru", "i_io_list", "i_wb_list"):
            INIT_LIST_HEAD(kernel.memory, view.at(head))
        set_name(kernel, dentry, name.encode("latin-1", "replace"))
        dentry["d_inode"], dentry["d_sb"], dentry["d_parent"] = view.address, mount.sb.address, mount.root.address
        dentry["d_lockref.count"] = 1

    @property
    def address(self) -> int:
        return self.view.address

    def get(self) -> Inode:
        """Take a reference."""
        self._count += 1
        return self

    def rename(self, name: bytes) -> None:
        """The file has another name."""
        dentry = self.dentry
        if dentry["d_name.name"] != dentry.at("d_iname"):
            self.kernel.slab.kfree(dentry["d_name.name"])
        set_name(self.kernel, dentry, name)

    def put(self) -> None:
        """Give a reference back; the last one frees the memory."""
        self._count -= 1
        if self._count:
            return
        kernel, dentry = self.kernel, self.dentry
        with kernel.lock:
            if self.view["i_cdev"]:
                list_del_init(kernel.memory, self.view.at("i_devices"))
            if dentry["d_name.name"] != dentry.at("d_iname"):
                kernel.slab.kfree(dentry["d_name.name"])
            kernel.slab.kfree(dentry.address)
            kernel.slab.kfree(self.address)


class File:
    """``struct file``: what open() has made of an inode. It is one only once :meth:`open` has returned.

    Its position is its own: read() and write() are given the host's, and go where that was moved to.

    :param flags: of open(2)
    """

    def __init__(self, kernel: Kernel, inode: Inode, flags: int) -> None:
        self.kernel = kernel
        self.inode = inode
        #: Where the host believes the file's position to be.
        self._host_pos = 0
        self._freed = False
        with kernel.lock:
            self.view = view = kernel.struct("file", kernel.slab.kmalloc(kernel.image.structs["file"].size))
            mount = kernel.state(_Mount)
            view["f_inode"], view["f_mapping"] = inode.address, inode.view["i_mapping"]
            view["f_path.mnt"], view["f_path.dentry"] = mount.mnt.address, inode.dentry.address
            view["f_count.counter"], view["f_flags"] = 1, flags | _O_LARGEFILE
            view["f_mode"] = (flags & os.O_ACCMODE) + 1 & (FMode.READ | FMode.WRITE)
            view["f_cred"] = self._cred = kernel.sched.new_cred(kernel.current_cred())
            INIT_LIST_HEAD(kernel.memory, view.at("f_pos_lock.wait_list"))
            inode.get()

    @property
    def address(self) -> int:
        return self.view.address

    @property
    def seekable(self) -> bool:
        return bool(self.view["f_mode"] & FMode.LSEEK)

    def operation(self, name: str) -> int:
        """The address of the function that does ``file->f_op->name``, 0 if there is none."""
        return self.view.to("f_op")[name]

    def call(self, name: str, *args: int, site: str = "") -> int:
        """Call an operation that there is.

        :param site: from where, if that is not where it is called from for all files
        :returns: a signed 64-bit value
        """
        return self.run(self.operation(name), *args, site=site or f"file_{name}")

    def run(self, function: int, *args: int, site: str) -> int:
        """Call any function, likewise."""
        kernel = self.kernel
        known = site in kernel.image.call_sites and not kernel.current.sp
        return signed(kernel.cpu.call_long(function, *args, site=site if known else ""))

    def call_int(self, name: str, *args: int, site: str = "") -> int:
        """The same for one that returns an int."""
        value = self.call(name, *args, site=site) & 0xFFFFFFFF
        return value - (1 << 32) if value >> 31 else value

    @contextmanager
    def _locals(self, size: int, at: int = 0) -> Iterator[int]:
        """Zeroed variables of a system call, which module code gets the address of; *at*: behind so many bytes."""
        kernel = self.kernel
        task = kernel.current
        if task.sp:  # a system call within one
            address = kernel.slab.kmalloc(size)
            try:
                yield address
            finally:
                kernel.slab.kfree(address)
        else:
            address = task.stack_top + _LOCALS + at
            kernel.memory.write(address, bytes(size))
            yield address

    # Open and close

    def open(self, open_: Callable[[File], None] | None = None) -> File:
        """``do_dentry_open()``.

        :param open_: what to do instead of calling the operation ``open``
        :raises OSError: what that says
        """
        kernel, view, inode = self.kernel, self.view, self.inode
        with kernel.lock:
            try:
                if stat.S_ISREG(inode.view["i_mode"]) or stat.S_ISDIR(inode.view["i_mode"]):
                    view["f_mode"] |= FMode.ATOMIC_POS
                fops = inode.view["i_fop"]
                view["f_op"] = kernel.state(_Mount).empty_fops
                if fops:
                    view["f_op"] = got = fops_get(kernel, fops)
                    if not got:
                        view["f_op"] = kernel.state(_Mount).empty_fops
                        raise err(errno.ENODEV)
                view["f_mode"] |= FMode.LSEEK | FMode.PREAD | FMode.PWRITE
                if open_ is not None:
                    open_(self)
                elif self.operation("open"):
                    check(self.call_int("open", inode.address, self.address))
                mode = view["f_mode"] | FMode.OPENED
                if mode & FMode.READ and (self.operation("read") or self.operation("read_iter")):
                    mode |= FMode.CAN_READ
                if mode & FMode.WRITE and (self.operation("write") or self.operation("write_iter")):
                    mode |= FMode.CAN_WRITE
                if not self.operation("llseek"):
                    mode &= ~FMode.LSEEK
                view["f_mode"] = mode
                view["f_flags"] &= ~(os.O_CREAT | os.O_EXCL | os.O_NOCTTY | os.O_TRUNC)
                view["f_iocb_flags"] = sum(bit for flag, bit in _IOCB if view["f_flags"] & flag == flag)
                if view["f_flags"] & os.O_DIRECT:
                    self.release()
                    raise err(errno.EINVAL)
            except OSError:
                if not self._freed:
                    fops_put(kernel, view["f_op"])
                    self._free()
                raise
        return self

    def release(self) -> None:
        """``__fput()``: the last descriptor has been closed."""
        kernel, view, inode = self.kernel, self.view, self.inode
        with kernel.lock:
            if self._freed:
                return
            kernel.state(_Pollers).free(self)
            if view["f_flags"] & _FASYNC and self.operation("fasync"):
                self.call_int("fasync", -1, self.address, 0)
            if self.operation("release"):
                self.call_int("release", inode.address, self.address)
            if stat.S_ISCHR(inode.view["i_mode"]) and inode.view["i_cdev"]:
                own_code(kernel, "cdev_put+0x0", lambda: cdev_put(kernel, inode.view["i_cdev"]))
            own_code(kernel, "__fput+0x0", lambda: fops_put(kernel, view["f_op"]))
            self._free()

    def _free(self) -> None:
        self._freed = True
        self.kernel.state(FileOwners).pids.pop(self.address, None)
        self.kernel.slab.kfree(self._cred)
        self.kernel.slab.kfree(self.address)
        self.inode.put()

    # Read and write

    def set_flags(self, flags: int) -> None:
        """Take over the flags that fcntl(F_SETFL) may have changed since."""
        with self.kernel.lock:
            old = self.view["f_flags"]
            self.view["f_flags"] = old & ~_SETFL | (old & _FASYNC) | flags & _SETFL & ~_FASYNC

    def read(self, size: int, offset: int | None = None) -> bytes:
        """read(2) or pread(2) of at most *size* bytes.

        :param offset: the host's position; None: go on where the last call ended
        """
        buffers = UserBuffers()
        address = buffers.map(size=size)
        with self.kernel.lock, self.kernel.state(Uaccess).using(buffers):
            done = self._transfer(self.vfs_read, address, size, offset)
        return buffers.read(address, done)[:size]

    def write(self, data: bytes, offset: int | None = None) -> int:
        """write(2) or pwrite(2).

        :param offset: the host's position; None: go on where the last call ended
        """
        buffers = UserBuffers()
        address = buffers.map(data)
        with self.kernel.lock, self.kernel.state(Uaccess).using(buffers):
            return self._transfer(self.vfs_write, address, len(data), offset)

    def append(self, data: bytes, offset: int) -> int:
        """write(2) with ``O_APPEND``: that moves the host's position, but not a device's.

        :param offset: where the host believes the end to be
        """
        self._host_pos = offset
        return self.write(data, offset)

    def _transfer(self, operation: Callable[[int, int, int], int], address: int, size: int, offset: int | None) -> int:
        """``ksys_read()`` and ``ksys_write()``."""
        view = self.view
        if offset is not None and offset != self._host_pos and self.seekable:
            self.llseek(offset, os.SEEK_SET)
        host = self._host_pos if offset is None else offset
        with self._locals(_POSITION) as ppos:
            stream = view["f_mode"] & FMode.STREAM
            self.kernel.memory.write_int(ppos, view["f_pos"], 8)
            done = check(operation(address, size, 0 if stream else ppos))
            if not stream:
                view["f_pos"] = self.kernel.memory.read_int(ppos, 8, signed=True)
        self._host_pos = host + min(done, size)
        return done

    def _verify_area(self, ppos: int, size: int, f_mode: int) -> None:
        """``rw_verify_area()``."""
        pos = self.kernel.memory.read_int(ppos, 8, signed=True) if ppos else 0
        if f_mode & FMode.UNSIGNED_OFFSET:
            if pos < 0 and size >= -pos:
                raise err(errno.EOVERFLOW)
        elif pos < 0 or pos + size > _LLONG_MAX:
            raise err(errno.EINVAL)

    def vfs_read(self, address: int, size: int, ppos: int) -> int:
        """``vfs_read()`` to a user's address.

        :param ppos: the address of the position; 0: a stream has none
        :returns: what the operation returned
        """
        return self._vfs_rw("read", FMode.READ, FMode.CAN_READ, address, size, ppos)

    def vfs_write(self, address: int, size: int, ppos: int) -> int:
        """``vfs_write()`` from a user's address, likewise."""
        return self._vfs_rw("write", FMode.WRITE, FMode.CAN_WRITE, address, size, ppos)

    def _vfs_rw(self, name: str, mode: int, can: int, address: int, size: int, ppos: int) -> int:
        f_mode = self.view["f_mode"]
        if not f_mode & mode:
            raise err(errno.EBADF)
        if not f_mode & can:
            raise err(errno.EINVAL)
        self._verify_area(ppos, size, f_mode)
        size = min(size, MAX_RW_COUNT)
        if self.operation(name):
            return self.call(name, self.address, address, size, ppos)
        if self.operation(f"{name}_iter"):
            return self._new_sync(f"{name}_iter", address, size, ppos)
        raise err(errno.EINVAL)

    def _new_sync(self, name: str, address: int, size: int, ppos: int) -> int:
        """``new_sync_read()`` and ``new_sync_write()``."""
        kernel, memory = self.kernel, self.kernel.memory
        kiocb_size, iter_size = kernel.image.structs["kiocb"].size, kernel.image.structs["iov_iter"].size
        with self._locals(kiocb_size + iter_size, _POSITION) as place:
            kiocb, iter_ = kernel.struct("kiocb", place), kernel.struct("iov_iter", place + kiocb_size)
            pos = memory.read_int(ppos, 8, signed=True) if ppos else 0
            kiocb["ki_filp"], kiocb["ki_flags"], kiocb["ki_pos"] = self.address, self.view["f_iocb_flags"], pos
            iter_["iter_type"], iter_["user_backed"] = kernel.image.constant("ITER_UBUF"), 1
            iter_["data_source"], iter_["ubuf"], iter_["count"] = name == "write_iter", address, size
            iter_["nr_segs"] = 1
            ret = self.call(name, kiocb.address, iter_.address)
            if ppos:
                memory.write_int(ppos, kiocb["ki_pos"], 8)
            return ret

    # The others

    def llseek(self, offset: int, whence: int) -> int:
        """lseek(2).

        :returns: the new position
        """
        with self.kernel.lock:
            if not self.seekable:
                raise err(errno.ESPIPE)
            return check(self.call("llseek", self.address, offset, whence))

    def ioctl(self, cmd: int, arg: int, space: UserSpace, compat: bool = False) -> int:
        """ioctl(2), as far as it is the file's own.

        :param arg: a number, or an address in *space*
        :param compat: by a 32-bit program
        """
        operation = "compat_ioctl" if compat else "unlocked_ioctl"
        with self.kernel.lock, self.kernel.state(Uaccess).using(space):
            if not self.operation(operation):
                raise err(errno.ENOTTY)
            ret = self.call(operation, self.address, cmd, arg)
            return check(-errno.ENOTTY if ret == -_ENOIOCTLCMD else ret)

    def poll(self, wake: Callable[[], None] | None = None) -> int:
        """``vfs_poll()``: the events that there are.

        :param wake: called once, when there may be others; None: nobody waits. A later one takes the place of this.
        """
        with self.kernel.lock:
            waiters = self.kernel.state(_Pollers)
            waiters.free(self)
            if not self.operation("poll"):
                return DEFAULT_POLLMASK
            with self._locals(self.kernel.image.structs["poll_table_struct"].size) as place:
                table = self.kernel.struct("poll_table_struct", place)
                table["_qproc"], table["_key"] = waiters.prepare(self, wake) if wake is not None else 0, 0xFFFFFFFF
                return self.call("poll", self.address, place) & 0xFFFFFFFF

    def fsync(self, datasync: bool) -> None:
        """fsync(2)."""
        with self.kernel.lock:
            if not self.operation("fsync"):
                raise err(errno.EINVAL)
            check(self.call_int("fsync", self.address, 0, _LLONG_MAX, int(datasync)))

    def flush(self) -> None:
        """A descriptor is being closed, maybe not the last one.

        :raises OSError: what close(2) answers
        """
        with self.kernel.lock:
            if not self._freed and self.operation("flush"):
                check(self.call_int("flush", self.address, self.kernel.current.address))

    def fasync(self, fd: int, on: bool) -> None:
        """fcntl(F_SETFL) with or without O_ASYNC.

        :raises OSError: ENOTTY where the file cannot
        """
        with self.kernel.lock:
            if bool(self.view["f_flags"] & _FASYNC) == on:
                return
            if self.operation("fasync"):
                check(min(0, self.call_int("fasync", fd, self.address, int(on))))
            self.view["f_flags"] = self.view["f_flags"] & ~_FASYNC | (_FASYNC if on else 0)

    @property
    def mode(self) -> int:
        """What kind of file it is, and the permissions."""
        mode: int = self.inode.view["i_mode"]
        return mode

    def set_owner(self, pid: int) -> None:
        """fcntl(F_SETOWN).

        :param pid: a process, or the negative of a process group's number; 0: nobody
        """
        with self.kernel.lock:
            self.kernel.state(FileOwners).pids[self.address] = pid

    def set_signal(self, signum: int) -> None:
        """fcntl(F_SETSIG)."""
        with self.kernel.lock:
            self.view["f_owner.signum"] = signum

    def mmap(self) -> None:
        """mmap(2): nothing is mapped.

        :raises OSError: ENODEV
        """
        raise err(errno.ENODEV)


class FileOwners:
    """Who is to be told of files' events: processes by the addresses of files (``f_owner``)."""

    def __init__(self, kernel: Kernel) -> None:
        self.pids: dict[int, int] = {}


class _Pollers:
    """Who waits for events of files, and on which queues (fs/select.c)."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._wake: dict[int, Callable[[], None]] = {}
        #: By the address of the file: the entries in queues; and the file by the address of its entry.
        self._entries: dict[int, list[int]] = {}
        self._files: dict[int, File] = {}

    def prepare(self, file: File, wake: Callable[[], None]) -> int:
        """From now on *wake* waits on the queues that *file* names to the function whose address is returned."""
        self._wake[file.address] = wake
        self._polled = file
        return self._kernel.exports.internal(
            "void __pollwait(struct file *filp, struct wait_queue_head *wait_address, struct poll_table_struct *p)",
            self._pollwait,
        )

    def _pollwait(self, kernel: Kernel, filp: StructView, wait_address: StructView, p: StructView) -> None:
        """``__pollwait()``."""
        entry = kernel.struct("wait_queue_entry", kernel.slab.kmalloc(kernel.image.structs["wait_queue_entry"].size))
        entry["func"] = kernel.exports.internal(
            "int pollwake(struct wait_queue_entry *wait, unsigned int mode, int sync, void *key)", self._pollwake
        )
        list_add(kernel.memory, entry.at("entry"), wait_address.at("head"))
        self._entries.setdefault(self._polled.address, []).append(entry.address)
        self._files[entry.address] = self._polled

    def _pollwake(self, kernel: Kernel, wait: StructView, mode: int, sync: int, key: int) -> int:
        """``pollwake()``."""
        file = self._files.get(wait.address)
        wake = self._wake.get(file.address) if file is not None else None
        if file is None or wake is None:
            return 0
        self.free(file)
        wake()
        return 1

    def free(self, file: File) -> None:
        """``poll_freewait()``: nobody waits any more."""
        self._wake.pop(file.address, None)
        for address in self._entries.pop(file.address, ()):
            entry = self._kernel.struct("wait_queue_entry", address)
            list_del_init(self._kernel.memory, entry.at("entry"))
            self._kernel.slab.kfree(address)
            del self._files[address]


# Character devices (fs/char_dev.c, drivers/char/misc.c)


def cdev_get(kernel: Kernel, cdev: StructView) -> bool:
    """``cdev_get()``: take a reference on the device and its module."""
    owner = cdev["owner"]
    if not try_module_get(kernel, owner):
        return False
    if not cdev["kobj.kref.refcount.refs.counter"]:
        module_put(kernel, owner)
        return False
    kernel.state(Kobjects).get(cdev.sub("kobj"))
    return True


def cdev_put(kernel: Kernel, address: int) -> None:
    if address:
        cdev = kernel.struct("cdev", address)
        owner = cdev["owner"]
        kernel.state(Kobjects).put(cdev.sub("kobj"))
        module_put(kernel, owner)


def _lookup(kernel: Kernel, rdev: int) -> StructView | None:
    """``kobj_lookup()``: the device that serves a number, with a reference; a module may have to be loaded for it."""
    for attempt in range(2):
        for address in kernel.state(DeviceNumbers).cdevs(rdev):
            cdev = kernel.struct("cdev", address)
            if cdev_get(kernel, cdev):
                return cdev
        if not attempt and kernel.request_module(f"char-major-{major(rdev)}-{minor(rdev)}", True) > 0:
            kernel.request_module(f"char-major-{major(rdev)}", True)
    return None


def chrdev_open(file: File) -> None:
    """``chrdev_open()``: the file becomes that of whoever serves the device.

    :raises OSError: ENXIO where nobody does, and what its own ``open`` says
    """
    kernel, inode = file.kernel, file.inode.view
    rdev = inode["i_rdev"]
    if major(rdev) == MISC_MAJOR and not kernel.state(DeviceNumbers).cdevs(rdev):
        misc_open(file)
        return

    def find() -> StructView:
        if inode["i_cdev"]:
            cdev = kernel.struct("cdev", inode["i_cdev"])
            if not cdev_get(kernel, cdev):
                raise err(errno.ENXIO)
            return cdev
        found = _lookup(kernel, rdev)
        if found is None:
            raise err(errno.ENXIO)
        if not inode["i_cdev"]:
            inode["i_cdev"] = found.address
            list_add(kernel.memory, inode.at("i_devices"), found.at("list"))
        return found

    cdev = own_code(kernel, "cdev_get+0x0", find)
    try:
        fops = own_code(kernel, "chrdev_open+0x0", lambda: fops_get(kernel, cdev["ops"]))
        if not fops:
            raise err(errno.ENXIO)
        replace_fops(file, fops)
        if file.operation("open"):
            check(file.call_int("open", inode.address, file.address, site="chrdev_open"))
    except OSError:
        cdev_put(kernel, cdev.address)
        raise


def replace_fops(file: File, fops: int) -> None:
    """``replace_fops()``: from now on the file is one of others' operations."""
    fops_put(file.kernel, file.view["f_op"])
    file.view["f_op"] = fops


def misc_open(file: File) -> None:
    """``misc_open()``.

    :raises OSError: ENODEV where no such device is registered, and what its own ``open`` says
    """
    kernel, number = file.kernel, minor(file.inode.view["i_rdev"])
    registered = kernel.state(DeviceNumbers).misc

    def find() -> tuple[int, int]:
        for address, its in registered.items():
            if its == number:
                return address, fops_get(kernel, kernel.struct("miscdevice", address)["fops"])
        return 0, 0

    found, fops = own_code(kernel, "misc_open+0x0", find)
    if not fops:
        kernel.request_module(f"char-major-{MISC_MAJOR}-{number}", True)
        found, fops = own_code(kernel, "misc_open+0x0", find)
    if not fops:
        raise err(errno.ENODEV)
    file.view["private_data"] = found
    replace_fops(file, fops)
    if file.operation("open"):
        check(file.call_int("open", file.inode.address, file.address, site="misc_open"))
