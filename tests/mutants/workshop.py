"""Where mutants are made: a copy of the source tree and its build, in build/mutants/NUMBER."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

from lib import discover, process

PROJECT = Path(__file__).resolve().parents[2]
UNIT_TESTS_TIMEOUT_S = 180
CHECKPOINT_TIMEOUT_S = 900

# What the checkpoints of a milestone start that lies outside of its own folder.
BESIDE = {
    "epoll": ["docs/epoll_reference"],
    "m2": ["tests/hostile_fs"],
    "m3": ["docs/epoll_reference", "m1_sq_cq"],
}


class Broken(Exception):
    """Why a mutant does not count as caught."""


class Interrupted(Exception):
    """Ctrl-C came: nothing is started any more."""


class Children:
    """The processes that all workshops have started."""

    def __init__(self):
        self._starting = threading.Lock()
        self._ended = False

    def run(self, argv: list, timeout_s: float | None = None, cwd: Path | None = None, env: dict | None = None):
        """Output and errors together, as text. A process that does not end in time is stopped: status 124."""
        with self._starting:
            if self._ended:
                raise Interrupted
            child = subprocess.Popen([str(word) for word in argv], cwd=cwd, env={**os.environ, **(env or {})},
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                     text=True, errors="replace")
        with child:
            try:
                text, _ = child.communicate(timeout=timeout_s)
            except subprocess.TimeoutExpired:
                for pid in [child.pid, *process.descendants(child.pid)]:
                    process.kill(pid)
                return subprocess.CompletedProcess(argv, 124, f"stopped after {timeout_s:g} s")
        if self._ended:
            raise Interrupted
        return subprocess.CompletedProcess(argv, child.returncode, text)

    def end(self) -> None:
        """Kills all of them and what they started. Whoever starts another one gets Interrupted."""
        with self._starting:
            self._ended = True
        process.kill_descendants(os.getpid())


class Machine:
    """Many may use it together, or one alone. Who waits to be alone is next."""

    def __init__(self):
        self._door = threading.Lock()
        self._changed = threading.Condition()
        self._inside = 0

    @contextlib.contextmanager
    def together(self):
        with self._door, self._changed:
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextlib.contextmanager
    def alone(self):
        with self._door:
            with self._changed:
                self._changed.wait_for(lambda: self._inside == 0)
            yield


def last_lines(text: str, number: int = 15) -> str:
    return "\n".join(text.rstrip().splitlines()[-number:])


class Workshop:
    """A copy of the tree and its build, kept from run to run so that builds are short. No two share a file."""

    def __init__(self, root: Path, number: int, machine: Machine, children: Children):
        self.root = root
        self.folder = root / "build/mutants" / str(number)
        self.source = self.folder / "src"
        self.build_dir = self.folder / "build"
        self.json = self.folder / "result.json"
        self.machine = machine
        self.run = children.run
        self.unit_tests_passed: set[bytes] = set()  # digests of the programs that did
        self.source.mkdir(parents=True, exist_ok=True)

    def copy_tree(self) -> None:
        """Only what differs is written, so that Ninja rebuilds only that."""
        listed = self.run(["git", "-C", self.root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        if listed.returncode != 0:
            raise Broken(f"git cannot list the source files:\n{last_lines(listed.stdout)}")
        wanted = {name for name in listed.stdout.split("\0") if name and (self.root / name).is_file()}
        for name in wanted:
            source, copy = self.root / name, self.source / name
            if not copy.is_file() or copy.read_bytes() != source.read_bytes():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, copy)
        for copy in [path for path in self.source.rglob("*") if path.is_file()]:
            if str(copy.relative_to(self.source)) not in wanted:
                copy.unlink()

    def configure(self) -> None:
        compiler = self.run(["bash", "-c", 'source "$1" && find_compiler', "bash",
                             PROJECT / "checkpoints/lib/bootstrap.sh"])
        options = [f"-DCMAKE_CXX_COMPILER={compiler.stdout.strip()}"] if compiler.returncode == 0 else []
        if shutil.which("ccache"):
            options.append("-DCMAKE_CXX_COMPILER_LAUNCHER=ccache")
        # -O1: a mutant of a common header has all unit tests compiled again, and -O3 takes twice as long.
        options += ["-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS_RELEASE=-O1 -DNDEBUG"]
        done = self.run(["cmake", "-S", self.source, "-B", self.build_dir, "-G", "Ninja", *options])
        if done.returncode != 0:
            raise Broken(f"the copy of the tree cannot be configured:\n{last_lines(done.stdout, 40)}")

    def targets(self, milestones: set[str]) -> list[str]:
        """The unit tests and the programs of these milestones, as Ninja names what is in a folder."""
        folders = ["checkpoints/load_client"] if milestones - {"m1"} else []
        folders += [folder for milestone in sorted(milestones) for folder in BESIDE.get(milestone, [])]
        folders += [path.name for milestone in sorted(milestones) for path in self.source.glob(f"{milestone}_*")]
        known = (self.build_dir / "build.ninja").read_text()
        return ["unit_tests"] + [f"{name}/all" for name in folders if f"\nbuild {name}/all:" in known]

    def build(self, milestones: set[str]) -> None:
        # With paths that begin at the workshop, ccache takes what another workshop has compiled.
        with self.machine.together():
            done = self.run(["ninja", "-C", self.build_dir, f"-j{os.cpu_count()}", *self.targets(milestones)],
                            env={"CCACHE_BASEDIR": str(self.folder), "CCACHE_SLOPPINESS": "pch_defines,time_macros"})
        if done.returncode != 0:
            raise Broken(f"it does not build:\n{last_lines(done.stdout, 30)}")
        if "warning:" in done.stdout:
            raise Broken(f"it builds with a warning:\n{last_lines(done.stdout, 30)}")

    def run_unit_tests(self) -> None:
        """Nothing, if they are the same program, byte for byte, as one that passed."""
        found = [path for path in self.build_dir.rglob("unit_tests") if path.is_file()]
        if not found:
            raise Broken("the build made no unit_tests")
        digest = hashlib.sha256(found[0].read_bytes()).digest()
        if digest in self.unit_tests_passed:
            return
        with self.machine.together():
            done = self.run([found[0], "--gtest_brief=1"], UNIT_TESTS_TIMEOUT_S)
        if done.returncode != 0:
            raise Broken(f"the unit tests notice it already (status {done.returncode}):\n{last_lines(done.stdout)}")
        self.unit_tests_passed.add(digest)

    def run_checkpoint(self, checkpoint: discover.Checkpoint) -> dict:
        """The checkpoint's result, as --json writes it."""
        tier = [] if checkpoint.tier == "default" else [f"--{checkpoint.tier}"]
        self.json.unlink(missing_ok=True)
        with self.machine.alone() if checkpoint.alone else self.machine.together():
            done = self.run([sys.executable, "-B", PROJECT / "checkpoints/lib", "--build-dir", self.build_dir,
                             "--checkpoints-dir", self.root / "checkpoints", "--only", checkpoint.name,
                             "--json", self.json, checkpoint.milestone, *tier], CHECKPOINT_TIMEOUT_S)
        if not self.json.exists():
            raise Broken(f"the checkpoint's runner gave no result:\n{last_lines(done.stdout)}")
        results = json.loads(self.json.read_text())["checkpoints"]
        return next(result for result in results if result["name"] == checkpoint.name)

    def apply(self, patch: Path, reverse: bool = False) -> None:
        # Outside of any repository, git applies to the plain files below the current folder.
        done = self.run(["git", "apply", "--recount", "-C1", *(["--reverse"] if reverse else []), patch],
                        cwd=self.source, env={"GIT_CEILING_DIRECTORIES": str(self.source.parent)})
        if done.returncode != 0:
            raise Broken(f"the patch does not apply to the source as it is now: make it anew\n{last_lines(done.stdout)}")
