"""Where mutants are made: a copy of the source tree and its build, in build/mutants."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from lib import discover

PROJECT = Path(__file__).resolve().parents[2]
UNIT_TESTS_TIMEOUT_S = 180
CHECKPOINT_TIMEOUT_S = 900


class Broken(Exception):
    """Why a mutant does not count as caught."""


def run(argv: list, timeout_s: float | None = None, cwd: Path | None = None, env: dict | None = None):
    """Output and errors together, as text. A process that does not end in time is stopped: status 124."""
    try:
        return subprocess.run([str(word) for word in argv], cwd=cwd, env={**os.environ, **(env or {})},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired as error:
        return subprocess.CompletedProcess(argv, 124, f"stopped after {error.timeout:g} s")


def last_lines(text: str, number: int = 15) -> str:
    return "\n".join(text.rstrip().splitlines()[-number:])


class Workshop:
    """A copy of the tree and its build, in build/mutants, kept from run to run so that builds are short."""

    def __init__(self, root: Path):
        self.root = root
        self.source = root / "build/mutants/src"
        self.build_dir = root / "build/mutants/build"
        self.json = root / "build/mutants/result.json"
        self.source.mkdir(parents=True, exist_ok=True)

    def copy_tree(self) -> None:
        """Only what differs is written, so that Ninja rebuilds only that."""
        listed = run(["git", "-C", self.root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
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
        compiler = run(["bash", "-c", 'source "$1" && find_compiler', "bash", PROJECT / "checkpoints/lib/bootstrap.sh"])
        options = [f"-DCMAKE_CXX_COMPILER={compiler.stdout.strip()}"] if compiler.returncode == 0 else []
        if shutil.which("ccache"):
            options.append("-DCMAKE_CXX_COMPILER_LAUNCHER=ccache")
        # -O1: a mutant of a common header has all unit tests compiled again, and -O3 takes twice as long.
        options += ["-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS_RELEASE=-O1 -DNDEBUG"]
        done = run(["cmake", "-S", self.source, "-B", self.build_dir, "-G", "Ninja", *options])
        if done.returncode != 0:
            raise Broken(f"the copy of the tree cannot be configured:\n{last_lines(done.stdout, 40)}")

    def targets(self, milestones: set[str]) -> list[str]:
        """The unit tests and the programs of these milestones, as Ninja names what is in a folder."""
        folders = ["docs/epoll_reference", "checkpoints/load_client"] if milestones - {"m1"} else []
        folders += [path.name for milestone in sorted(milestones) for path in self.source.glob(f"{milestone}_*")]
        known = (self.build_dir / "build.ninja").read_text()
        return ["unit_tests"] + [f"{name}/all" for name in folders if f"\nbuild {name}/all:" in known]

    def build(self, milestones: set[str]) -> None:
        done = run(["ninja", "-C", self.build_dir, *self.targets(milestones)])
        if done.returncode != 0:
            raise Broken(f"it does not build:\n{last_lines(done.stdout, 30)}")
        if "warning:" in done.stdout:
            raise Broken(f"it builds with a warning:\n{last_lines(done.stdout, 30)}")

    def run_unit_tests(self) -> None:
        found = [path for path in self.build_dir.rglob("unit_tests") if path.is_file()]
        if not found:
            raise Broken("the build made no unit_tests")
        done = run([found[0], "--gtest_brief=1"], UNIT_TESTS_TIMEOUT_S)
        if done.returncode != 0:
            raise Broken(f"the unit tests notice it already (status {done.returncode}):\n{last_lines(done.stdout)}")

    def run_checkpoint(self, checkpoint: discover.Checkpoint) -> dict:
        """The checkpoint's result, as --json writes it."""
        tier = [] if checkpoint.tier == "default" else [f"--{checkpoint.tier}"]
        self.json.unlink(missing_ok=True)
        done = run([sys.executable, "-B", PROJECT / "checkpoints/lib", "--checkpoints-dir", self.root / "checkpoints",
                    "--build-dir", self.build_dir, "--only", checkpoint.name, "--json", self.json,
                    checkpoint.milestone, *tier], CHECKPOINT_TIMEOUT_S)
        if not self.json.exists():
            raise Broken(f"the checkpoint's runner gave no result:\n{last_lines(done.stdout)}")
        results = json.loads(self.json.read_text())["checkpoints"]
        return next(result for result in results if result["name"] == checkpoint.name)

    def apply(self, patch: Path, reverse: bool = False) -> None:
        # Outside of any repository, git applies to the plain files below the current folder.
        done = run(["git", "apply", "--recount", "-C1", *(["--reverse"] if reverse else []), patch], cwd=self.source,
                   env={"GIT_CEILING_DIRECTORIES": str(self.source.parent)})
        if done.returncode != 0:
            raise Broken(f"the patch does not apply to the source as it is now: make it anew\n{last_lines(done.stdout)}")
