"""Indirect calls and returns as compilers make them against Spectre (arch/x86/lib/retpoline.S)."""

from __future__ import annotations

from sysfsd.linux.exports import Area

export = Area("arch/x86/lib/retpoline.S")

export.native("void __x86_return_thunk(void)", "c3")

# jmp *%reg
for _register, _code in {
    "rax": "ffe0", "rcx": "ffe1", "rdx": "ffe2", "rbx": "ffe3", "rbp": "ffe5", "rsi": "ffe6", "rdi": "ffe7",
    "r8": "41ffe0", "r9": "41ffe1", "r10": "41ffe2", "r11": "41ffe3", "r12": "41ffe4", "r13": "41ffe5",
    "r14": "41ffe6", "r15": "41ffe7",
}.items():  # fmt: skip
    export.native(f"void __x86_indirect_thunk_{_register}(void)", _code)
