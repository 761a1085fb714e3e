#!/usr/bin/env python3
"""text_style.py finds each defect of a text, and format.py an unformatted file."""

import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import defects

Fixtures = defects.test_case([str(HERE / "text_style.py")], HERE / "fixtures")


class MachinePath(unittest.TestCase):
    def test_where_the_tree_lies(self):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "notes.txt").write_text(f"built in {Path(folder).resolve()}/build\n")
            status, messages = defects.run_check([str(HERE / "text_style.py")], folder)
        self.assertEqual(status, 1)
        self.assertIn("notes.txt:1: a path of one machine", messages[0])


class Format(unittest.TestCase):
    CONFIG = (HERE.parents[2] / ".clang-format").read_text()

    def check(self, source, config=CONFIG):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / ".clang-format").write_text(config)
            (Path(folder) / "file.cpp").write_text(source)
            status, messages = defects.run_check([str(HERE / "format.py")], folder)
        if status == 77:
            self.skipTest("no clang-format of the version that is the measure")
        return status, messages

    def test_formatted(self):
        self.assertEqual(self.check("int answer() {\n  return 42;\n}\n"), (0, []))

    def test_unformatted(self):
        status, messages = self.check("int answer( ) { return 42; }\n")
        self.assertEqual(status, 1)
        self.assertIn("file.cpp: not formatted", messages[0])

    def test_unusable_configuration(self):
        status, messages = self.check("int answer;\n", "BasedOnStyle: Nobody\n")
        self.assertEqual(status, 1)
        self.assertIn("file.cpp: clang-format failed", messages[0])


if __name__ == "__main__":
    unittest.main()
