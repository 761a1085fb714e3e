#!/usr/bin/env python3
"""Holds the #includes and the CMake link edges to the arrows of docs/architecture.md.

  base <- support, timers, net, http        these four do not know each other
  uring knows base, support                 loop knows uring, timers
  server knows loop, net                    (and each what those know)
  the epoll reference knows nothing of io_uring; milestones never know each other

and with them a few rules of the same kind: where errno may be read, what has no place on the hot
path, which headers common/ may include, what may lie at the top of the repository.
"""

import argparse
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "docs" / "tools"))
import source_tree

# What each folder of common/ may include and link, besides itself.
ARROWS = {
    "base": set(),
    "support": {"base"},
    "timers": {"base"},
    "net": {"base"},
    "http": {"base"},
    "uring": {"base", "support"},
    "loop": {"base", "support", "timers", "uring"},
    "server": {"base", "support", "timers", "uring", "loop", "net"},
}
NO_RING = {"base", "support", "timers", "net", "http"}

# Who else includes common/, and which of its folders. The longest path that fits decides. The
# load client is a program on the ring like the others; the epoll reference must not be.
USERS = {
    "m1_sq_cq": set(ARROWS),
    "m2_file_server": set(ARROWS),
    "m3_network_server": set(ARROWS),
    "m4_advanced": set(ARROWS),
    "docs/epoll_reference": NO_RING,
    "docs/exercises": set(ARROWS),
    "docs/start_your_own": set(ARROWS),
    "checkpoints": set(ARROWS),
    "tests": set(ARROWS),
}

TOP_LEVEL = {
    "CMakeLists.txt", "CMakePresets.json", "README.md", "LICENSE", ".clang-format", ".gitignore",
    ".ci", ".github", ".devcontainer", "common", "m1_sq_cq", "m2_file_server", "m3_network_server",
    "m4_advanced", "tests", "checkpoints", "docs",
}  # fmt: skip

STANDARD_HEADERS = set(
    """algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv
    chrono cinttypes climits clocale cmath compare complex concepts condition_variable csetjmp
    csignal cstdarg cstddef cstdint cstdio cstdlib cstring ctime cuchar cwchar cwctype deque
    exception execution expected filesystem forward_list fstream functional future
    initializer_list iomanip ios iosfwd iostream istream iterator latch limits list locale map
    memory memory_resource mutex new numbers numeric optional ostream queue random ranges ratio
    regex scoped_allocator semaphore set shared_mutex source_location span sstream stack stdexcept
    stop_token streambuf string string_view syncstream system_error thread tuple type_traits
    typeindex typeinfo unordered_map unordered_set utility valarray variant vector version""".split()
)
C_LIBRARY_HEADERS = set(
    """arpa/inet.h dirent.h errno.h fcntl.h getopt.h ifaddrs.h link.h netdb.h netinet/in.h
    netinet/tcp.h poll.h pthread.h sched.h semaphore.h signal.h spawn.h stdio.h stdlib.h string.h
    time.h unistd.h""".split()
)
# The ring's interface is stated in common/uring/uapi.hpp, from the kernel and by hand: only the
# test that compares it with the kernel's own header may include that header.
RING_HEADERS = re.compile(r"^(linux/io_uring\.h|liburing.*)$")
RING_HEADERS_ALLOWED_IN = "tests/repo/uapi"

INCLUDE = re.compile(r'^\s*#\s*include\s*(?P<open>["<])(?P<name>[^">]+)[">]', re.MULTILINE)


def strip_comments_and_strings(text):
    """The code without what a reader is told, so that a rule's name in a comment is no offence."""
    token = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.DOTALL)
    return token.sub(" ", text)


def unit_of(path):
    """(what the file belongs to, which folders of common/ it may know); (None, set()) if nothing."""
    if path.parts[0] == "common" and len(path.parts) > 2:
        folder = path.parts[1]
        return f"common/{folder}", ARROWS.get(folder, set()) | {folder}
    for user in sorted(USERS, key=len, reverse=True):
        if path.is_relative_to(user):
            return user, USERS[user]
    return None, set()


def arrow_problem(where, unit, allowed, target, verb):
    known = ", ".join(sorted(allowed - {unit.removeprefix("common/")})) or "nothing else"
    return (
        f"{where}: {unit} must not {verb} common/{target}: by docs/architecture.md it knows {known}. "
        "Move what is needed down, or pass it in"
    )


def check_includes(root, path, text, edges, problems):
    unit, allowed = unit_of(path)
    for match in INCLUDE.finditer(text):
        name = match["name"]
        where = f"{path}:{text.count(chr(10), 0, match.start('name')) + 1}"
        if RING_HEADERS.match(name) and not path.is_relative_to(RING_HEADERS_ALLOWED_IN):
            problems.append(
                f"{where}: <{name}> is included: this project states the interface itself, "
                'include "common/uring/uapi.hpp"'
            )
        elif match["open"] == "<":
            if path.parts[0] == "common" and not is_system_header(name):
                problems.append(
                    f"{where}: common/ includes the third-party header <{name}>: common/ uses the "
                    "standard library and Linux only"
                )
        elif not (root / name).is_file():
            problems.append(
                f'{where}: "{name}" is no file of the repository: write includes from its root, '
                "and other people's headers in <>"
            )
        else:
            check_include_target(where, unit, allowed, Path(name), edges, problems)


def check_include_target(where, unit, allowed, target, edges, problems):
    target_unit, _ = unit_of(target)
    if unit is None or target_unit == unit or unit == "tests":
        return
    if target_unit is not None and target_unit.startswith("common/"):
        folder = target.parts[1]
        if folder not in allowed:
            problems.append(arrow_problem(where, unit, allowed, folder, "include"))
        elif unit.startswith("common/"):
            edges.setdefault((unit.removeprefix("common/"), folder), where)
    else:
        problems.append(
            f"{where}: {unit} must not include {target}: only common/ is shared. "
            "Move the code there, or write it again"
        )


def is_system_header(name):
    return (
        name in STANDARD_HEADERS
        or name in C_LIBRARY_HEADERS
        or name.startswith(("sys/", "linux/", "asm/", "net/"))
    )


def errno_readers(path):
    """The loop makes system calls of its own (signalfd), and asks base::last_error() about them;
    in common/uring every call is in one file."""
    if path.is_relative_to("common/uring"):
        return re.compile(r"\berrno\b|\blast_error\b")
    return re.compile(r"\berrno\b")


def check_code_rules(path, code, problems):
    if not path.is_relative_to("common/uring") and not path.is_relative_to("common/loop"):
        return
    for number, line in enumerate(code.splitlines(), 1):
        if path.with_suffix("") != Path("common/uring/syscalls") and errno_readers(path).search(line):
            problems.append(
                f"{path}:{number}: reads errno: put the ring's system calls into "
                "common/uring/syscalls, ask base::last_error() for others, return a Result"
            )
        if re.search(r"\bvirtual\b|\bstd::(move_only_)?function\b", line):
            problems.append(
                f"{path}:{number}: a virtual function or std::function: the ring and the loop "
                "dispatch by a switch or a template parameter, without indirect calls or a heap"
            )


def check_unknown_folders(paths, problems):
    for folder in sorted({path.parts[1] for path in paths if path.parts[0] == "common" and len(path.parts) > 2}):
        if folder not in ARROWS and folder != "cmake":
            problems.append(
                f"common/{folder}: a folder without an arrow: add it to ARROWS in "
                "tests/repo/layering/layering.py and to the picture in docs/architecture.md"
            )


def check_top_level(paths, problems):
    for name in sorted({path.parts[0] for path in paths} - TOP_LEVEL):
        problems.append(
            f"{name}: not one of the repository's top-level entries: what does not belong to them "
            "goes under docs/, .github/ or .devcontainer/"
        )


def linked(text):
    """(line, library) for each milestones:: library that a CMakeLists.txt mentions."""
    return [
        (number, name)
        for number, line in enumerate(text.splitlines(), 1)
        for name in re.findall(r"\bmilestones::(\w+)", line.split("#")[0])
    ]


def check_links(root, paths, edges, problems):
    links = {}
    for path in paths:
        if path.name != "CMakeLists.txt":
            continue
        text = (root / path).read_text(encoding="utf-8")
        unit, allowed = unit_of(path)
        if unit is None:
            continue
        folder = unit.removeprefix("common/")
        for number, library in linked(text):
            if library not in ARROWS:
                problems.append(f"{path}:{number}: milestones::{library} is no library of common/")
            elif library not in allowed:
                problems.append(arrow_problem(f"{path}:{number}", unit, allowed, library, "link"))
        if unit.startswith("common/"):
            links[folder] = {library for _, library in linked(text)}
            if not re.search(rf"\bmilestones_library\(\s*{folder}\b", text):
                problems.append(
                    f"{path}: does not define the library '{folder}': a folder of common/ is one "
                    "library with the folder's name"
                )
    for (user, used), where in sorted(edges.items()):
        if user in links and used not in reachable(user, links):
            problems.append(
                f"{where}: common/{user} includes common/{used} but its CMakeLists.txt does not "
                f"link milestones::{used}: add it to LINKS"
            )


def reachable(folder, links):
    found, waiting = set(), [folder]
    while waiting:
        for library in links.get(waiting.pop(), set()) - found:
            found.add(library)
            waiting.append(library)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[3])
    root = parser.parse_args().root.resolve()

    problems = []
    edges = {}  # (folder, folder it includes) -> where first
    paths = source_tree.files(root)
    check_top_level(paths, problems)
    check_unknown_folders(paths, problems)
    for path in source_tree.cpp_files(root):
        text = (root / path).read_text(encoding="utf-8")
        check_includes(root, path, text, edges, problems)
        check_code_rules(path, strip_comments_and_strings(text), problems)
    check_links(root, paths, edges, problems)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
