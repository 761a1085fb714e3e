"""Looking into the rings consumes nothing.

The program is held before and after its dump, with three completions unread, two requests published and not
submitted, and one only filled. The kernel's own view of the ring (fdinfo) is the same both times, and it is what the
dump says.
"""

import re

from m1.lesson import Held

needs = ["strace"]
tier = "quick"
timeout = 120
hint = "Peeking reads the slots between head and tail. It is the store of the head that consumes."


def check(c):
    with Held(c, "peek") as program:
        program.until("The dump")
        before = program.indices()
        c.equal("indices before the dump", {"SqHead": 3, "SqTail": 5, "CqHead": 0, "CqTail": 3}, before)
        program.until("Nothing was consumed")
        c.equal("indices after the dump", before, program.indices(),
                usually="The dump moved an index: the CQ head is stored by whoever consumes, not by whoever looks.")
        unread = c.fdinfo(program.pid).lists.get("CQEs")  # not on older kernels
        dump = program.stdout()
        program.until("both rings are empty")
        c.equal("indices at the end", dict.fromkeys(before, 6), program.indices())

    shown = {name: int(number) for name, number in re.findall(r"([SC]Q  head) (\d+)", dump)}
    c.equal("heads in the dump", (3, 0), (shown["SQ  head"], shown["CQ  head"]))
    tokens = [int(token, 16) for token in re.findall(r"0x(a\d)", dump)]
    c.equal("requests in the dump, then the unread completions", [*range(0xA0, 0xA6), *range(0xA0, 0xA3)], tokens)
    if unread:
        kernel = [int(re.search(r"user_data:(\d+)", line).group(1)) for line in unread]
        c.equal("unread completions, in the kernel's words", tokens[6:], kernel)
