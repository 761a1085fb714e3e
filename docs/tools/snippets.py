#!/usr/bin/env python3
"""Keeps the C++ in the chapters identical to the C++ that is compiled.

In a source file:               In a chapter:
    // [snippet: publish]           <!-- snippet: publish -->
    tail.store(...);
    // [/snippet]

  snippets.py --write   puts the code below every marker, dedented, with the name of its file
  snippets.py --check   says what is stale, missing, duplicate, unused, unclosed ... and exits 1

Every ```cpp block of a chapter needs a marker: code that is not compiled is shown as ```text.
"""

import argparse
import os
import re
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import markdown_text
import source_tree

OPENING = re.compile(r"^\s*// \[snippet: (?P<name>[a-z][a-z0-9_]*)\]\s*$")
CLOSING = re.compile(r"^\s*// \[/snippet\]\s*$")
ALMOST = re.compile(r"//.*\[/?snippet")


@dataclass
class Snippet:
    name: str
    path: Path  # relative to the root
    body: list


def read_snippets(root, problems):
    """name -> Snippet, from every C++ file of the tree."""
    snippets = {}
    compiled = source_tree.CompiledFiles(root)
    for path in source_tree.cpp_files(root):
        lines = (root / path).read_text(encoding="utf-8").splitlines()
        for snippet in _snippets_of(path, lines, problems):
            if snippet.name in snippets:
                problems.append(
                    f"{path}: duplicate snippet '{snippet.name}', which {snippets[snippet.name].path} "
                    "has too: rename one of them"
                )
                continue
            snippets[snippet.name] = snippet
            if not source_tree.in_source_folder(path):
                problems.append(
                    f"{path}: snippet '{snippet.name}' lies outside the source folders "
                    f"({', '.join(source_tree.SOURCE_FOLDERS)}): move the code into one of them"
                )
            elif path not in compiled:
                problems.append(
                    f"{path}: snippet '{snippet.name}' is in a file that nothing compiles: "
                    "add the file to its CMakeLists.txt, or include it"
                )
    return snippets


def _snippets_of(path, lines, problems):
    found = []
    name, body = None, []
    for number, line in enumerate(lines, 1):
        opening = OPENING.match(line)
        if opening:
            if name is not None:
                problems.append(
                    f"{path}:{number}: snippet '{opening['name']}' is nested in '{name}': "
                    "close the outer one first"
                )
            name, body = opening["name"], []
        elif CLOSING.match(line):
            if name is None:
                problems.append(f"{path}:{number}: [/snippet] closes nothing: remove it")
                continue
            if not any(part.strip() for part in body):
                problems.append(f"{path}:{number}: snippet '{name}' is empty: remove it")
            found.append(Snippet(name, path, _dedented(body)))
            name = None
        elif ALMOST.search(line):
            problems.append(
                f"{path}:{number}: malformed snippet marker: write '// [snippet: lower_case_name]' "
                "or '// [/snippet]', alone on its line"
            )
        elif name is not None:
            body.append(line)
    if name is not None:
        problems.append(f"{path}: snippet '{name}' is unclosed: add '// [/snippet]'")
        found.append(Snippet(name, path, _dedented(body)))
    return found


def _dedented(body):
    return textwrap.dedent("\n".join(body)).strip("\n").splitlines()


def expected_block(snippet, chapter):
    """What stands below the marker: which file the code is from, and the code."""
    link = os.path.relpath(snippet.path, chapter.parent)
    caption = f"From [`{snippet.path}`]({link}):"
    return markdown_text.render_block(caption, "cpp", snippet.body)


def check_chapter(path, lines, snippets, used, problems):
    markers = [marker for marker in markdown_text.markers(lines) if marker.kind == "snippet"]
    for marker in markers:
        where = f"{path}:{marker.line + 1}"
        snippet = snippets.get(marker.argument)
        if snippet is None:
            problems.append(
                f"{where}: unknown snippet '{marker.argument}': no source file has "
                f"'// [snippet: {marker.argument}]'"
            )
            continue
        used.add(snippet.name)
        if marker.fence is None:
            problems.append(
                f"{where}: the code of snippet '{snippet.name}' is missing: "
                "run docs/tools/snippets.py --write"
            )
        elif lines[marker.line + 1 : marker.fence.last + 1] != expected_block(snippet, path):
            problems.append(
                f"{where}: snippet '{snippet.name}' is stale, {snippet.path} has changed: "
                "run docs/tools/snippets.py --write and read the chapter again"
            )
    owned = {marker.fence.first for marker in markers if marker.fence}
    for fence in markdown_text.fences(lines):
        if fence.language in ("cpp", "c++", "cxx", "c") and fence.first not in owned:
            problems.append(
                f"{path}:{fence.first + 1}: a code block without a marker: cut it out of compiled "
                "source with '<!-- snippet: name -->', or call it ```text"
            )


def write_chapter(path, lines, snippets):
    for marker in reversed(markdown_text.markers(lines)):
        snippet = snippets.get(marker.argument) if marker.kind == "snippet" else None
        if snippet is not None:
            lines = markdown_text.replace_block(lines, marker, expected_block(snippet, path))
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--write", action="store_true", help="bring the chapters up to date")
    mode.add_argument("--check", action="store_true", help="report what is wrong, change nothing")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    arguments = parser.parse_args()
    root = arguments.root.resolve()

    problems = []
    snippets = read_snippets(root, problems)
    used = set()
    for path in source_tree.markdown_files(root):
        text = (root / path).read_text(encoding="utf-8")
        lines = text.splitlines()
        if arguments.write:
            lines = write_chapter(path, lines, snippets)
            written = "\n".join(lines) + "\n"
            if written != text:
                (root / path).write_text(written, encoding="utf-8")
                print(f"wrote {path}")
        check_chapter(path, lines, snippets, used, problems)
    for name in sorted(set(snippets) - used):
        problems.append(
            f"{snippets[name].path}: snippet '{name}' is unused: show it in a chapter with "
            f"'<!-- snippet: {name} -->', or remove its markers"
        )
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
