#!/usr/bin/env python3
"""docs/tools/snippets.py finds each defect, and --write mends what it can."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import defects

TOOL = str(HERE.parents[2] / "docs" / "tools" / "snippets.py")
FIXTURES = HERE / "fixtures"

Fixtures = defects.test_case([TOOL, "--check"], FIXTURES)


class Write(unittest.TestCase):
    def written(self, name):
        """The chapter of the fixture after --write."""
        with tempfile.TemporaryDirectory() as folder:
            defects.lay_out(FIXTURES, name, Path(folder))
            result = subprocess.run(
                [sys.executable, TOOL, "--write", "--root", folder], capture_output=True, check=False
            )
            self.assertEqual(result.returncode, 0, result.stderr)
            return (Path(folder) / "docs" / "chapter.md").read_text()

    def good(self):
        return (FIXTURES / "good" / "docs" / "chapter.md").read_text()

    def test_fills_a_missing_block(self):
        self.assertEqual(self.written("missing"), self.good())

    def test_replaces_a_stale_block(self):
        self.assertEqual(self.written("stale"), self.good())

    def test_leaves_a_good_chapter_alone(self):
        self.assertEqual(self.written("good"), self.good())


if __name__ == "__main__":
    unittest.main()
