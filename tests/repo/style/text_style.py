#!/usr/bin/env python3
"""What every text file of the repository keeps to.

  - no tabs, no notes to do something later: what is not done is an issue, not a comment
  - no path that exists on one person's machine only
  - in Markdown, every relative link leads to a file and every #anchor to a heading of it, and no
    link names a line number: lines move, symbols stay
  - in Markdown, a `path/of/the/repository` exists, and so does a `uring::symbol` of common/, and a link called
    Suite.Case leads to a file with that test in it
  - in the tables of facts and errata, every row names the test that proves it
"""

import argparse
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "docs" / "tools"))
import markdown_text
import source_tree

# Somebody's home. Where the tree itself lies is looked for as well.
HOME_PATH = re.compile(r"(?<![\w./~-])/(?:home|root|Users)/[\w.]")
NOTE = re.compile(r"\b(?:TO" r"DO|FIX" r"ME)\b")

LINK = re.compile(r"!?\[(?P<text>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<target>[^()\s]*(?:\([^()]*\))?[^()\s]*)\)")
DEFINITION = re.compile(r"^\[[^\]]+\]:\s*(?P<target>\S+)")
HEADING = re.compile(r"^(?P<level>#{1,6})\s+(?P<text>.*?)\s*#*$")
CODE_SPAN = re.compile(r"(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)")
EXTERNAL = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)

# Code spans that name something of ours. With a placeholder in them they are no names.
OWN_PATH = re.compile(r"^(?:common|m[1-4]_\w+|tests|checkpoints|docs)/[\w./-]*$")
OWN_SYMBOL = re.compile(r"^(?P<folder>base|support|timers|net|http|uring|loop|server)::(?P<name>[\w:~]+)")

# The two tables whose every row must be provable, and where a proof may lie.
PROVEN_TABLES = ("docs/kernel_facts.md", "docs/errata.md")
PROOF = re.compile(r"\]\((?:\.\./)?(?:tests/|checkpoints/|kernel_facts\.md#)")


def read(path):
    """The file's text, or None for what is no text (a picture, for example)."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def check_lines(root, path, lines, problems):
    for number, line in enumerate(lines, 1):
        where = f"{path}:{number}"
        if "\t" in line:
            problems.append(f"{where}: a tab: indent with spaces")
        if NOTE.search(line):
            problems.append(f"{where}: a note for later: do it, or open an issue and drop the note")
        if HOME_PATH.search(line) or str(root) in line:
            problems.append(
                f"{where}: a path of one machine: write it relative to the repository, or take it "
                "from the environment"
            )


def fenced_lines(lines):
    return {n for fence in markdown_text.fences(lines) for n in range(fence.first, fence.last + 1)}


def prose_lines(lines):
    """(index, line) outside fenced blocks, with code spans blanked: no link lies in code."""
    fenced = fenced_lines(lines)
    return [
        (number, CODE_SPAN.sub(lambda span: "x" * len(span[0]), line))
        for number, line in enumerate(lines)
        if number not in fenced
    ]


def anchors(lines):
    """The ids that GitHub gives to the headings, and those set by hand with <a id="...">."""
    found = set()
    counts = {}
    fenced = fenced_lines(lines)
    for number, line in enumerate(lines):
        if number in fenced:
            continue
        found.update(re.findall(r'<a id="([^"]+)"></a>', line))
        heading = HEADING.match(line)
        if heading is None:
            continue
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading["text"])
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        count = counts.get(slug, 0)
        counts[slug] = count + 1
        found.add(slug if count == 0 else f"{slug}-{count}")
    return found


def links(lines):
    """(line number, target, text) of every link; the text is empty where there is none."""
    for number, line in prose_lines(lines):
        for match in LINK.finditer(line):
            yield number + 1, match["target"], match["text"]
            # A picture that is itself a link: [![text](picture)](target).
            for inner in LINK.finditer(match["text"]):
                yield number + 1, inner["target"], inner["text"]
        definition = DEFINITION.match(line)
        if definition:
            yield number + 1, definition["target"], ""


def check_links(root, path, lines, problems):
    for number, target, _ in links(lines):
        where = f"{path}:{number}"
        if EXTERNAL.match(target):
            continue
        name, _, anchor = target.partition("#")
        resolved = (root / path.parent / name).resolve() if name else root / path
        if name.startswith("/") or not resolved.is_relative_to(root):
            problems.append(f"{where}: link '{target}' leaves the repository: make it relative")
        elif not resolved.exists():
            problems.append(f"{where}: link '{target}' leads nowhere: correct it or write that file")
        elif re.fullmatch(r"L\d+(-L\d+)?", anchor):
            problems.append(f"{where}: link '{target}' names a line: name the symbol in the text")
        elif anchor and resolved.suffix == ".md":
            text = read(resolved)
            if text is not None and anchor not in anchors(text.splitlines()):
                problems.append(
                    f"{where}: link '{target}': no heading of {resolved.relative_to(root)} has "
                    "that anchor"
                )


def code_spans(lines):
    fenced = fenced_lines(lines)
    for number, line in enumerate(lines):
        if number not in fenced:
            for span in CODE_SPAN.finditer(line):
                yield number + 1, span[0].strip("`").strip()


class Symbols:
    """Whether a folder of common/ has a word, read once per folder."""

    def __init__(self, root):
        self._root = root
        self._words = {}

    def has(self, folder, word):
        if folder not in self._words:
            paths = [p for p in source_tree.cpp_files(self._root) if p.is_relative_to(f"common/{folder}")]
            text = "\n".join(read(self._root / path) or "" for path in paths)
            self._words[folder] = set(re.findall(r"~?\w+", text))
        return word in self._words[folder]


def check_names(root, path, lines, symbols, problems):
    for number, span in code_spans(lines):
        where = f"{path}:{number}"
        if OWN_PATH.match(span) and not (root / span).exists():
            problems.append(f"{where}: `{span}` is no file of the repository: correct the path")
        symbol = OWN_SYMBOL.match(span)
        if symbol and not symbols.has(symbol["folder"], symbol["name"].split("::")[-1]):
            problems.append(
                f"{where}: `{symbol[0]}` is not in common/{symbol['folder']}: correct the name"
            )


def check_cases(root, path, lines, problems):
    """A link called Suite.Case leads to a file with that test in it."""
    for number, target, text in links(lines):
        case = re.fullmatch(r"`?(\w+)\.(\w+)`?", text)
        source = (root / path.parent / target).resolve()
        if case is None or source.suffix != ".cpp" or not source.is_file():
            continue
        pattern = rf"\bTEST(?:_F|_P)?\(\s*{case[1]},\s*{case[2]}\s*\)"
        if not re.search(pattern, read(source) or ""):
            problems.append(
                f"{path}:{number}: {target} has no test {text}: correct the name, or the claim"
            )


def check_proofs(path, lines, problems):
    """Every body row of the tables links a test, a checkpoint or a fact that does."""
    for number, line in enumerate(lines):
        is_row = line.startswith("|") and number >= 2 and lines[number - 1].startswith("|")
        if is_row and not re.match(r"^\|[\s:|-]+$", line) and not PROOF.search(line):
            problems.append(
                f"{path}:{number + 1}: a claim without a proof: link the test under tests/ that "
                "shows it, or take the row out"
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[3])
    root = parser.parse_args().root.resolve()

    problems = []
    symbols = Symbols(root)
    for path in source_tree.files(root):
        text = read(root / path)
        if text is None:
            continue
        lines = text.splitlines()
        check_lines(root, path, lines, problems)
        if path.suffix == ".md":
            check_links(root, path, lines, problems)
            check_names(root, path, lines, symbols, problems)
            check_cases(root, path, lines, problems)
        if path.as_posix() in PROVEN_TABLES:
            check_proofs(path, lines, problems)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
