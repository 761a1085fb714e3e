"""Which files the repository's own checks look at.

A walk instead of `git ls-files`, so that the checks also run on an unpacked archive and on the
small trees under tests/repo/*/fixtures that stand for a repository with a defect in it.
"""

import os
import re
from pathlib import Path

# Where C++ that gets compiled may live. A chapter may cut its code out of these and nothing else.
SOURCE_FOLDERS = (
    "common",
    "m1_sq_cq",
    "m2_file_server",
    "m3_network_server",
    "m4_advanced",
    "checkpoints",
    "tests",
    "docs/epoll_reference",
    "docs/exercises",
    "docs/start_your_own",
)

SKIPPED_FOLDERS = {".git", "build", "__pycache__", ".cache"}


def files(root):
    """Every file of the tree as a path relative to `root`, sorted; no build trees, no fixtures."""
    found = []
    for folder, subfolders, names in os.walk(root):
        relative = Path(folder).relative_to(root)
        subfolders[:] = sorted(
            name
            for name in subfolders
            if name not in SKIPPED_FOLDERS and not is_fixture(relative / name)
        )
        found.extend(relative / name for name in sorted(names))
    return found


def is_fixture(path):
    """tests/repo/<check>/fixtures: trees with a defect each, kept out of the real checks."""
    return path.parts[:2] == ("tests", "repo") and "fixtures" in path.parts


def markdown_files(root):
    return [path for path in files(root) if path.suffix == ".md"]


def cpp_files(root):
    return [path for path in files(root) if path.suffix in (".cpp", ".hpp")]


def in_source_folder(path):
    return any(path.is_relative_to(folder) for folder in SOURCE_FOLDERS)


class CompiledFiles:
    """Answers whether a source file is compiled, from the CMakeLists.txt files alone.

    A .cpp counts when the nearest CMakeLists.txt above it names it or globs it; a .hpp when a
    source of the tree includes it. Generated lists are not followed: the project has none.
    """

    def __init__(self, root):
        self._root = root
        self._included = set()
        for path in cpp_files(root):
            text = (root / path).read_text(encoding="utf-8")
            self._included.update(re.findall(r'^\s*#include "([^"]+)"', text, re.MULTILINE))

    def __contains__(self, path):
        if path.suffix == ".hpp":
            return path.as_posix() in self._included
        for folder in path.parents:
            lists = self._root / folder / "CMakeLists.txt"
            if lists.is_file():
                return _names(lists.read_text(encoding="utf-8"), path.relative_to(folder))
        return False


def _names(cmake_text, path):
    words = re.findall(r"[^\s()\"]+", re.sub(r"#.*|\$\{\w+\}/", "", cmake_text))
    return any(path.match(word) and word.endswith(".cpp") for word in words)
