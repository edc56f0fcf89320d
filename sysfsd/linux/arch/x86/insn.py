"""How long an instruction is (arch/x86/lib/insn.c), in 64-bit mode."""

from __future__ import annotations

from typing import Final

__all__ = ["insn_length"]

#: Operand size, address size, rep, lock and segments.
_PREFIXES: Final = frozenset(b"\x66\x67\xf2\xf3\xf0\x2e\x36\x3e\x26\x64\x65")
_OPERAND_SIZE, _ADDRESS_SIZE = 0x66, 0x67
_REX: Final = range(0x40, 0x50)
_REX_W: Final = 8
_VEX3, _VEX2, _EVEX = 0xC4, 0xC5, 0x62
#: Bytes of an EVEX prefix, which modules' code does not have without asking for vector registers.
_EVEX_SIZE: Final = 4

#: Of the one-byte opcodes, those with a ModRM byte.
_MODRM: Final = frozenset(
    (
        *(base + low for base in range(0x00, 0x40, 8) for low in range(4)),
        0x63, 0x69, 0x6B, *range(0x80, 0x90), 0xC0, 0xC1, 0xC6, 0xC7, *range(0xD0, 0xD4), *range(0xD8, 0xE0),
        0xF6, 0xF7, 0xFE, 0xFF,
    )
)  # fmt: skip
_IMM8: Final = frozenset(
    (
        *(base + 4 for base in range(0x00, 0x40, 8)), 0x6A, 0x6B, *range(0x70, 0x80), 0x80, 0x82, 0x83, 0xA8,
        *range(0xB0, 0xB8), 0xC0, 0xC1, 0xC6, 0xCD, 0xD4, 0xD5, *range(0xE0, 0xE8), 0xEB,
    )
)  # fmt: skip
#: Four bytes, two with an operand size prefix.
_IMM32: Final = frozenset((*(base + 5 for base in range(0x00, 0x40, 8)), 0x68, 0x69, 0x81, 0xA9, 0xC7))
#: Four bytes in any case: where code goes to.
_REL32: Final = frozenset((0xE8, 0xE9))
_MOV_IMM: Final = range(0xB8, 0xC0)
_MOV_OFFSET: Final = range(0xA0, 0xA4)
_RET_IMM16: Final = frozenset((0xC2, 0xCA))
_ENTER: Final = 0xC8
_TEST_GROUPS: Final = frozenset((0xF6, 0xF7))

#: Of those behind 0F, those without a ModRM byte, and those with an immediate byte.
_0F_NO_MODRM: Final = frozenset(
    (
        *range(0x05, 0x0D), 0x0E, *range(0x30, 0x38), 0x77, *range(0x80, 0x90), 0xA0, 0xA1, 0xA2, 0xA8, 0xA9, 0xAA,
        *range(0xC8, 0xD0),
    )
)  # fmt: skip
_0F_IMM8: Final = frozenset((0x0F, *range(0x70, 0x74), 0xA4, 0xAC, 0xBA, 0xC2, 0xC4, 0xC5, 0xC6))
_0F_REL32: Final = range(0x80, 0x90)


def _modrm_length(code: bytes, at: int) -> int:
    """Bytes of a ModRM byte and what belongs to it."""
    mod, rm = code[at] >> 6, code[at] & 7
    if mod == 3:
        return 1
    length = 1
    if rm == 4:
        length += 1
        if mod == 0 and code[at + 1] & 7 == 5:
            length += 4
    elif mod == 0 and rm == 5:
        length += 4
    return length + (0, 1, 4)[mod]


def insn_length(code: bytes) -> int:
    """The bytes of the instruction that *code* begins with.

    :raises IndexError: where the instruction is longer than *code*
    """
    at, wide = 0, False
    prefixes = set()
    while code[at] in _PREFIXES:
        prefixes.add(code[at])
        at += 1
    if code[at] in _REX:
        wide = bool(code[at] & _REX_W)
        at += 1
    size = 2 if _OPERAND_SIZE in prefixes and not wide else 4
    opcode = code[at]
    at += 1
    if opcode in (_VEX2, _VEX3, _EVEX):
        opmap = {_VEX2: 1, _VEX3: code[at] & 31, _EVEX: code[at] & 7}[opcode]
        at += {_VEX2: 1, _VEX3: 2, _EVEX: _EVEX_SIZE - 1}[opcode]
        opcode = code[at]
        at += 1
        if opmap == 1 and opcode == 0x77:
            return at
        return at + _modrm_length(code, at) + (opmap == 3 or (opmap == 1 and opcode in _0F_IMM8))
    if opcode == 0x0F:
        return _two_bytes(code, at)
    if opcode in _MODRM:
        group = code[at] >> 3 & 7
        at += _modrm_length(code, at)
        if opcode in _TEST_GROUPS and group < 2:
            return at + (1 if opcode == 0xF6 else size)
    if opcode in _IMM8:
        at += 1
    elif opcode in _IMM32:
        at += size
    elif opcode in _REL32:
        at += 4
    elif opcode in _MOV_IMM:
        at += 8 if wide else size
    elif opcode in _MOV_OFFSET:
        at += 4 if _ADDRESS_SIZE in prefixes else 8
    elif opcode in _RET_IMM16:
        at += 2
    elif opcode == _ENTER:
        at += 3
    return at


def _two_bytes(code: bytes, at: int) -> int:
    """The same for an opcode behind 0F, which ends at *at*."""
    opcode = code[at]
    at += 1
    if opcode == 0x38:
        return at + 1 + _modrm_length(code, at + 1)
    if opcode == 0x3A:
        return at + 1 + _modrm_length(code, at + 1) + 1
    if opcode not in _0F_NO_MODRM:
        at += _modrm_length(code, at)
    if opcode in _0F_IMM8:
        at += 1
    elif opcode in _0F_REL32:
        at += 4
    return at
