"""A test case that runs the NOP fixture through the checkpoints' Context."""

import sys
import tempfile
import unittest
from pathlib import Path

from lib.context import Context
from runner import PROGRAMS


class NopsCase(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.c = Context(Path("."), Path(self.directory.name))
        self.nops = [sys.executable, PROGRAMS / "nops.py"]
