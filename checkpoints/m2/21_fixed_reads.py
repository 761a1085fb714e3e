"""Every read is a READ_FIXED of a registered file, and every other step of a request goes through the ring too.

The tracepoints show each request's opcode and flags: OPENAT2 for a file that is not open, READ_FIXED with the flag
that the file is a place in the table, RECV, SEND, ACCEPT. With --no-fixed-buffers they are READs, with
--no-registered-files they name descriptors.
"""

from epoll.http_client import HttpClient, make_file
from m2 import server as m2

needs = ["tracepoints"]
hint = "IOSQE_FIXED_FILE: without it the place is taken for a descriptor, and names whatever is open under that number."

FIXED_FILE = 1  # the lowest bit of a request's flags, as IOSQE_FIXED_FILE
READS = ("READ", "READV", "READ_FIXED", "READV_FIXED", "READ_MULTISHOT")


def requests_of(c, root, *options):
    """What the server asks its ring for, while two clients get a few files."""
    with m2.serving(c, root, *options) as server:
        with c.tracepoints(["io_uring_submit_req", "io_uring_complete"]) as seen:
            for _ in range(2):
                with HttpClient(c, server) as client:
                    for _ in range(20):
                        client.ask("/small")
                    c.equal("bytes of the large file", 1 << 20, len(client.ask("/large").body))
                    client.ask("/large", "Range: bytes=100000-200000")
    return seen.named("submit_req")


def check_reads(c, shown, requests, opcode, fixed_file):
    reads = [one for one in requests if one["opcode"] in READS and one["opcode"] != "READ_MULTISHOT"]
    # Of signals there is none, so each of them is of a file.
    c.at_least(f"reads {shown}", 2 * (20 + (1 << 20) // (64 << 10)), len(reads))
    c.none(f"reads {shown} that are no {opcode}", [one.line for one in reads if one["opcode"] != opcode])
    wrong = [one.line for one in reads if bool(one["flags"] & FIXED_FILE) != fixed_file]
    c.none(f"reads {shown} of {'a descriptor' if fixed_file else 'a place in the table'}", wrong)


def check(c):
    root = c.temp_dir()
    make_file(root / "small", 1000)
    make_file(root / "large", 1 << 20)
    requests = requests_of(c, root)
    check_reads(c, "by default", requests, "READ_FIXED", True)
    opcodes = [one["opcode"] for one in requests]
    c.none("steps that did not go through the ring",
           [name for name in ("RECV", "OPENAT2", "SEND") if name not in opcodes])
    c.equal("OPENAT2 for two files", 2, opcodes.count("OPENAT2"), usually="A file that is open is not opened again.")
    check_reads(c, "with --no-fixed-buffers", requests_of(c, root, "--no-fixed-buffers"), "READ", True)
    check_reads(c, "with --no-registered-files", requests_of(c, root, "--no-registered-files"), "READ_FIXED", False)
