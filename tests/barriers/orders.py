"""The memory orders of common/uring, each with the place where it stands and the check that proves
that nothing weaker does; and the making of a copy in which exactly one of them is weaker."""

import re
from dataclasses import dataclass
from pathlib import Path

# Where orders may stand.
SOURCES = "common/uring"

# The anchors are lines of code (parts of them), found exactly once in their file.


@dataclass(frozen=True)
class Order:
    name: str
    file: str  # in SOURCES
    anchor: str
    order: str  # the order in the anchor
    weaker: str  # what it becomes
    direction: str  # of queues_against_kernel; "wakeup" for the litmus


@dataclass(frozen=True)
class Exempt:
    file: str
    anchor: str
    reason: str


ORDERS = [
    Order(
        "SQ tail store",
        "submission_queue.hpp",
        "tail().store(local_tail_, std::memory_order_release)",
        "release",
        "relaxed",
        "sq",
    ),
    Order(
        "SQ head load",
        "submission_queue.hpp",
        "const std::uint32_t seen = head().load(std::memory_order_acquire)",
        "acquire",
        "relaxed",
        "sq",
    ),
    Order(
        "CQ tail load",
        "completion_queue.hpp",
        "std::atomic_ref(*pointers_.tail).load(std::memory_order_acquire)",
        "acquire",
        "relaxed",
        "cq",
    ),
    Order(
        "CQ head store",
        "completion_queue.hpp",
        "std::atomic_ref(*pointers_.head).store(local_head_, std::memory_order_release)",
        "release",
        "relaxed",
        "cq",
    ),
    Order(
        "buffer ring tail store",
        "buffer_ring.hpp",
        "std::atomic_ref(ring_->tail).store(local_tail_, std::memory_order_release)",
        "release",
        "relaxed",
        "buffers",
    ),
    Order(
        "wake-up fence",
        "submission_queue.cpp",
        "std::atomic_thread_fence(std::memory_order_seq_cst)",
        "seq_cst",
        "acq_rel",
        "wakeup",
    ),
]

EXEMPT = [
    Exempt(
        "submission_queue.hpp",
        "shared_head() const { return head().load(std::memory_order_acquire); }",
        "for a dump that consumes nothing",
    ),
    Exempt(
        "submission_queue.cpp",
        "tail().fetch_add(0, std::memory_order_seq_cst)",
        "stands for the wake-up fence in builds with ThreadSanitizer",
    ),
]

STRONG_ORDER = re.compile(r"memory_order_(?:acquire|release|acq_rel|seq_cst|consume)")


class Defect(Exception):
    """What is wrong with the table or with the source, as a sentence."""


def weakened(text: str, order: Order) -> str:
    """`text`, the contents of the order's file, with that one order weaker."""
    found = text.count(order.anchor)
    if found != 1:
        raise Defect(
            f"{order.file}: the anchor of the {order.name} stands there {found} times and must "
            f"stand there once: `{order.anchor}`"
        )
    strong, weak = f"memory_order_{order.order}", f"memory_order_{order.weaker}"
    if order.anchor.count(strong) != 1:
        raise Defect(f"the anchor of the {order.name} must name {strong} once")
    return text.replace(order.anchor, order.anchor.replace(strong, weak))


def write_copy(root: Path, order: Order, target: Path) -> Path:
    """Writes the weakened file under `target`, at its own path, and returns where. An #include
    from the root finds it there when `target` comes before the root."""
    path = Path(SOURCES) / order.file
    copy = target / path
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(weakened((root / path).read_text(), order))
    return copy


def unproven(root: Path, orders=None, exempt=None) -> list[str]:
    """The strong orders in the source that no row of the tables accounts for."""
    rows = (ORDERS if orders is None else orders) + (EXEMPT if exempt is None else exempt)
    defects = []
    for source in sorted((root / SOURCES).rglob("*.[hc]pp")):
        file = str(source.relative_to(root / SOURCES))
        text = source.read_text()
        for row in rows:
            if row.file == file:
                # Blanked, not removed: line numbers stay.
                text = text.replace(row.anchor, " " * len(row.anchor))
        for number, line in enumerate(text.splitlines(), start=1):
            if STRONG_ORDER.search(line):
                defects.append(
                    f"{SOURCES}/{file}:{number}: no row of tests/barriers/orders.py proves this "
                    f"order: `{line.strip()}`"
                )
    return defects
