"""Runs one file of Python tests for ctest: status 1 when a test fails, 77 (skipped) when one was
skipped, with the reasons as the last lines."""

import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
path = Path(sys.argv[1])
sys.path[:0] = [str(path.parent), str(path.parents[2] / "checkpoints")]
suite = unittest.defaultTestLoader.loadTestsFromName(path.stem)
result = unittest.TextTestRunner(verbosity=2).run(suite)
if not result.wasSuccessful() or result.testsRun == 0:
    sys.exit(1)
if result.skipped:
    reasons = "; ".join(sorted({reason for _, reason in result.skipped}))
    print(f"{len(result.skipped)} of {result.testsRun} tests: {reasons}")
    sys.exit(77)
