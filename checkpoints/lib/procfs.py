"""What /proc tells about a running program: its descriptors, its mappings, and each ring's fdinfo."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from .model import Skip


def count_fds(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def ring_fds(pid: int) -> list[int]:
    """The descriptors of `pid` that are io_uring rings."""
    found = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            if os.readlink(f"/proc/{pid}/fd/{fd}") == "anon_inode:[io_uring]":
                found.append(int(fd))
        except OSError:
            pass  # closed while we looked
    return sorted(found)


@dataclass
class RingInfo:
    """/proc/PID/fdinfo/FD of a ring. `numbers` holds the lines `Name: number`, `lists` the
    indented lines below a name."""

    numbers: dict[str, int] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """e.g. SqMask, SqHead, SqTail, CqMask, CqHead, CqTail, UserFiles, UserBufs."""
        if name not in self.numbers:
            raise Skip(f"this kernel's fdinfo has no {name} (it shows {', '.join(self.numbers) or 'nothing'})")
        return self.numbers[name]

    def lines(self, name: str) -> list[str]:
        """e.g. PollList (each armed poll), CqOverflowList, UserFiles, UserBufs."""
        if name not in self.lists and name not in self.numbers:
            raise Skip(f"this kernel's fdinfo has no {name}")
        return self.lists.get(name, [])

    def poll_ops(self) -> list[int]:
        """The opcode of each request that waits for readiness (13 accept, 27 recv, ...)."""
        ops = [re.search(r"op=(\d+)", line) for line in self.lines("PollList")]
        return [int(match.group(1)) for match in ops if match]


def parse_fdinfo(text: str) -> RingInfo:
    info = RingInfo()
    name = ""
    for line in text.splitlines():
        if line[:1] in (" ", "\t"):
            info.lists.setdefault(name, []).append(line.strip())
            continue
        name, _, value = line.partition(":")
        value = value.strip()
        if re.fullmatch(r"-?(0x[0-9a-fA-F]+|\d+)", value):
            octal = name == "flags"  # the open flags; every other number is decimal or 0x
            info.numbers[name] = int(value, 8 if octal else 0 if "x" in value else 10)
        else:
            info.lists[name] = [value] if value else []
    return info


def fdinfo(pid: int, fd: int) -> RingInfo:
    return parse_fdinfo(Path(f"/proc/{pid}/fdinfo/{fd}").read_text())


@dataclass
class Mapping:
    start: int
    end: int
    rights: str  # e.g. "rw-s"
    offset: int
    path: str

    @property
    def size(self) -> int:
        return self.end - self.start


def parse_maps(text: str) -> list[Mapping]:
    mappings = []
    for line in text.splitlines():
        words = line.split(maxsplit=5)
        start, end = (int(part, 16) for part in words[0].split("-"))
        mappings.append(Mapping(start, end, words[1], int(words[2], 16), words[5] if len(words) > 5 else ""))
    return mappings


def maps(pid: int) -> list[Mapping]:
    return parse_maps(Path(f"/proc/{pid}/maps").read_text())


def ring_maps(pid: int) -> list[Mapping]:
    """The mappings of ring memory. The SQEs' offset is 0x10000000, the rings' is 0."""
    return [mapping for mapping in maps(pid) if mapping.path == "anon_inode:[io_uring]"]
