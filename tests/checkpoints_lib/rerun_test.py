"""--watch: what counts as a change, and that a change is built before the checkpoints run again."""

import os
import tempfile
import threading
import time
import unittest
from pathlib import Path
from unittest import mock

from lib import rerun


class Stop(Exception):
    pass


class Watch(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = Path(directory.name)
        for name in ("main.cpp", "build/made.cpp", "notes.txt"):
            (self.root / name).parent.mkdir(exist_ok=True)
            (self.root / name).write_text("1")

    def test_only_source_files_count(self):
        before = rerun.snapshot(self.root)
        self.assertEqual([os.path.basename(path) for path in before], ["main.cpp"])
        (self.root / "new.hpp").write_text("1")
        (self.root / "build/made.cpp").write_text("22")
        (self.root / "notes.txt").write_text("22")
        os.utime(self.root / "main.cpp", ns=(5, 5))
        after = rerun.snapshot(self.root)
        self.assertEqual([os.path.basename(path) for path in rerun.changed(before, after)], ["main.cpp", "new.hpp"])
        (self.root / "new.hpp").unlink()
        self.assertEqual(len(rerun.changed(after, rerun.snapshot(self.root))), 1)

    def watch(self, build_works):
        """The order of events, with one change of the source; ends at the third event after the first run."""
        events = []

        def note(event):
            events.append(event)
            if len(events) == 1:
                threading.Timer(0.05, os.utime, [self.root / "main.cpp"], {"ns": (time.time_ns(), len(events))}).start()
            if len(events) == 3:
                raise Stop

        def build(_):
            note("build")
            if not build_works:
                os.utime(self.root / "main.cpp", ns=(7, 7))
            return build_works

        with mock.patch.object(rerun, "build", build), mock.patch.object(rerun, "_PAUSE_S", 0.01):
            with mock.patch("builtins.print"), self.assertRaises(Stop):
                rerun.watch(self.root, self.root / "build", lambda: note("run"))
        return events

    def test_a_change_is_built_and_run(self):
        self.assertEqual(self.watch(build_works=True), ["run", "build", "run"])

    def test_what_does_not_build_is_not_run(self):
        self.assertEqual(self.watch(build_works=False), ["run", "build", "build"])


if __name__ == "__main__":
    unittest.main()
