"""Just enough Markdown for the checks: fenced code blocks, and markers that own the block below.

A marker is an HTML comment alone on a line, outside any fence:

    <!-- KIND: ARGUMENT -->

and what it owns follows at once: an optional caption line in italics (*...*), then a fenced
block. The tools rewrite the caption and the block and leave everything else alone.
"""

import re
from dataclasses import dataclass

FENCE = re.compile(r"^(?P<ticks>`{3,})(?P<language>[\w+-]*)\s*$")
MARKER = re.compile(r"^<!-- (?P<kind>[a-z]+): (?P<argument>.*?) -->\s*$")


@dataclass
class Fence:
    first: int  # index of the opening line
    last: int  # index of the closing line, or of the last line when it is never closed
    language: str
    lines: list


@dataclass
class Marker:
    line: int  # index of the marker's line
    kind: str
    argument: str
    caption: str | None  # without the asterisks
    fence: Fence | None  # the block it owns, if one follows


def fences(lines):
    """The fenced blocks, in order. A block in a longer fence is text, not a block."""
    found = []
    number = 0
    while number < len(lines):
        opening = FENCE.match(lines[number])
        if opening:
            first = number
            number += 1
            while number < len(lines) and lines[number].rstrip() != opening["ticks"]:
                number += 1
            last = min(number, len(lines) - 1)
            found.append(Fence(first, last, opening["language"], lines[first + 1 : number]))
        number += 1
    return found


def markers(lines):
    blocks = fences(lines)
    fenced = {number for block in blocks for number in range(block.first, block.last + 1)}
    by_first_line = {block.first: block for block in blocks}
    found = []
    for number, line in enumerate(lines):
        match = MARKER.match(line)
        if match is None or number in fenced:
            continue
        caption, fence = _owned(lines, number + 1, by_first_line)
        found.append(Marker(number, match["kind"], match["argument"], caption, fence))
    return found


def _owned(lines, number, by_first_line):
    caption = None
    while number < len(lines):
        if number in by_first_line:
            return caption, by_first_line[number]
        line = lines[number].strip()
        if line.startswith("*") and line.endswith("*") and len(line) > 2 and caption is None:
            caption = line[1:-1]
        elif line:
            break
        number += 1
    return None, None


def render_block(caption, language, body):
    """The lines that a marker owns, as the tools write them."""
    return [f"*{caption}*", "", f"```{language}", *body, "```"]


def replace_block(lines, marker, block):
    """`lines` with what `marker` owns replaced, or put in where there was nothing."""
    if marker.fence is None:
        rest = lines[marker.line + 1 :]
        return lines[: marker.line + 1] + block + ([""] if rest and rest[0].strip() else []) + rest
    return lines[: marker.line + 1] + block + lines[marker.fence.last + 1 :]
