"""What modules give to BPF programs about connections."""

from __future__ import annotations

from sysfsd.linux.exports import Area
from sysfsd.linux.lib.list import INIT_LIST_HEAD

export = Area("net/core/filter.c")

export.data(
    "struct mutex nf_conn_btf_access_lock",
    lambda kernel, address: INIT_LIST_HEAD(kernel.memory, kernel.struct("mutex", address).at("wait_list")),
)

export.data("void *nfct_btf_struct_access")
