"""Asynchronous notification of open files."""

from __future__ import annotations

import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from sysfsd.linux.exports import Area
from sysfsd.linux.fs.vfs import FileOwners

if TYPE_CHECKING:
    from sysfsd.linux.struct_view import StructView
    from sysfsd.linux.system import Kernel

export = Area("fs/fcntl.c")

_FASYNC: Final = 0o20000

_FASYNC_MAGIC: Final = 0x4601


# Signals for those who want to be told


@export("int fasync_helper(int fd, struct file *filp, int on, struct fasync_struct **fapp)")
def fasync_helper(kernel: Kernel, fd: int, filp: StructView, on: int, fapp: int) -> int:
    """:returns: whether the list has changed"""
    memory, place = kernel.memory, fapp
    while (address := memory.read_pointer(place)) != 0:
        entry = kernel.struct("fasync_struct", address)
        if entry["fa_file"] == filp.address:
            break
        place = entry.at("fa_next")
    if not on:
        if address:
            memory.write_pointer(place, kernel.struct("fasync_struct", address)["fa_next"])
            kernel.slab.kfree(address)
        filp["f_flags"] &= ~_FASYNC
        return int(address != 0)
    if address:
        kernel.struct("fasync_struct", address)["fa_fd"] = fd
        return 0
    new = kernel.struct("fasync_struct", kernel.slab.kmalloc(kernel.image.structs["fasync_struct"].size))
    new["magic"], new["fa_file"], new["fa_fd"] = _FASYNC_MAGIC, filp.address, fd
    new["fa_next"] = memory.read_pointer(fapp)
    memory.write_pointer(fapp, new.address)
    filp["f_flags"] |= _FASYNC
    return 1


@export("void kill_fasync(struct fasync_struct **fp, int sig, int band)")
def kill_fasync(kernel: Kernel, fp: int, sig: int, band: int) -> None:
    """``kill_fasync_rcu()``: whoever owns one of the files is sent SIGIO."""
    address = kernel.memory.read_pointer(fp)
    while address:
        entry = kernel.struct("fasync_struct", address)
        owner, signum = kernel.state(FileOwners).pids.get(entry["fa_file"], 0), entry.to("fa_file")["f_owner.signum"]
        if owner and (sig != signal.SIGURG or signum):
            with suppress(OSError):  # it is gone, or another user's
                kernel.send_signal(owner, signum or signal.SIGIO, b"")
        address = entry["fa_next"]
