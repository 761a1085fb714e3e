"""Runs a program in which io_uring_setup, _enter and _register fail: refuse.py ERRNO PROGRAM ARGUMENTS...

The seccomp filter is the same kind that containers use. It needs no privileges, and is gone with the program.
"""

import ctypes
import os
import struct
import sys

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
LOAD_WORD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL_WITH = 0x7FFF0000, 0x00050000
REFUSED = (425, 426, 427)  # the same numbers on every processor but Alpha


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def instruction(code: int, jump_true: int, jump_false: int, value: int) -> bytes:
    return struct.pack("=HBBI", code, jump_true, jump_false, value)


def refuse_io_uring(error: int) -> None:
    code = [instruction(LOAD_WORD, 0, 0, 0)]  # the number of the system call
    code += [instruction(JUMP_IF_EQUAL, len(REFUSED) - place, 0, number) for place, number in enumerate(REFUSED)]
    code += [instruction(RETURN, 0, 0, ALLOW), instruction(RETURN, 0, 0, FAIL_WITH | error)]
    program = Program(len(code), b"".join(code))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        sys.exit(f"no seccomp filter can be set here: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    refuse_io_uring(int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])
