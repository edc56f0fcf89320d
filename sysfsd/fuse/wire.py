"""What goes over /dev/fuse: structures and numbers (include/uapi/linux/fuse.h)."""

from __future__ import annotations

import struct
from typing import Final

#: ``FUSE_ROOT_ID``.
ROOT_ID: Final = 1
#: ``FUSE_UNKNOWN_INO``.
UNKNOWN_INO: Final = 0xFFFFFFFF
#: ``FUSE_POLL_SCHEDULE_NOTIFY``: the host wants to hear of the next event.
SCHEDULE_NOTIFY: Final = 1
#: ``FUSE_IOCTL_COMPAT``: the caller is a 32-bit program.
IOCTL_COMPAT: Final = 1 << 0
#: ``FUSE_IOCTL_DIR``: of a directory.
IOCTL_DIR: Final = 1 << 4

# Headers, and how a session begins.

#: ``struct fuse_in_header``: len, opcode, unique, nodeid, uid, gid, pid.
IN_HEADER: Final = struct.Struct("=IIQQIII4x")
#: ``struct fuse_out_header``: len, error, unique.
OUT_HEADER: Final = struct.Struct("=IiQ")
#: ``struct fuse_init_in``, as far as any version has it: major, minor, max_readahead, flags.
INIT_IN: Final = struct.Struct("=4I")
#: ``struct fuse_init_out``: and max_background, congestion_threshold, max_write, time_gran.
INIT_OUT: Final = struct.Struct("=4IHHII36x")

# Bodies of requests and answers.

#: ``struct fuse_entry_out`` up to ``attr``: nodeid, generation, entry_valid, attr_valid, and their nanoseconds.
ENTRY: Final = struct.Struct("=QQQQII")
#: ``struct fuse_attr_out`` up to ``attr``: attr_valid, its nanoseconds.
ATTR_OUT: Final = struct.Struct("=QI4x")
#: ``struct fuse_attr``: ino, size, blocks, three times, their nanoseconds, mode, nlink, uid, gid, rdev, blksize.
ATTR: Final = struct.Struct("=6Q9I4x")
#: ``struct fuse_dirent`` up to the name: ino, off, namelen, type.
DIRENT: Final = struct.Struct("=QQII")
#: ``struct fuse_open_out``: fh, open_flags.
OPEN_OUT: Final = struct.Struct("=QI4x")
#: ``struct fuse_read_in``, ``fuse_write_in``: fh, offset, size, read_flags, lock_owner, flags.
READ_IN: Final = struct.Struct("=QQIIQI4x")
#: ``struct fuse_write_out``: size.
WRITE_OUT: Final = struct.Struct("=I4x")
#: ``struct fuse_setattr_in``: valid, fh, size, lock_owner, three times, their nanoseconds, mode, uid, gid.
SETATTR_IN: Final = struct.Struct("=I4xQQQ3Q4I4xII4x")
#: ``struct fuse_create_in``: flags, mode, umask, open_flags; ``fuse_mknod_in``: mode, rdev, umask.
CREATE_IN: Final = struct.Struct("=4I")
#: ``struct fuse_mkdir_in``: mode, umask.
MKDIR_IN: Final = struct.Struct("=II")
#: ``struct fuse_open_in``: flags, open_flags.
OPEN_IN: Final = struct.Struct("=II")
#: ``struct fuse_fsync_in``: fh, fsync_flags.
FSYNC_IN: Final = struct.Struct("=QI4x")
#: ``struct fuse_statfs_out``: five counts, bsize, namelen, frsize.
STATFS_OUT: Final = struct.Struct("=5QIII28x")
#: ``struct fuse_forget_one``: nodeid, nlookup.
FORGET_ONE: Final = struct.Struct("=QQ")
#: ``struct fuse_batch_forget_in``: count.
BATCH_FORGET_IN: Final = struct.Struct("=I4x")
#: ``struct fuse_ioctl_in``: fh, flags, cmd, arg, in_size, out_size.
IOCTL_IN: Final = struct.Struct("=QIIQII")
#: ``struct fuse_ioctl_out``: result, and what only unrestricted calls have.
IOCTL_OUT: Final = struct.Struct("=i12x")
#: ``struct fuse_poll_in``: fh, kh, flags.
POLL_IN: Final = struct.Struct("=QQI4x")
#: ``struct fuse_poll_out``: revents.
POLL_OUT: Final = struct.Struct("=I4x")
#: ``struct fuse_notify_inval_inode_out``: ino, off, len.
INVAL_INODE: Final = struct.Struct("=Qqq")
#: ``struct fuse_notify_inval_entry_out``: parent, namelen.
INVAL_ENTRY: Final = struct.Struct("=QI4x")


class Fattr:
    """What a setattr request sets (``FATTR_*``)."""

    MODE: Final = 1 << 0
    UID: Final = 1 << 1
    GID: Final = 1 << 2
    SIZE: Final = 1 << 3
    ATIME: Final = 1 << 4
    MTIME: Final = 1 << 5
    ATIME_NOW: Final = 1 << 7
    MTIME_NOW: Final = 1 << 8
