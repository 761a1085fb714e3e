#!/usr/bin/env python3
"""layering.py finds each way to break an arrow, and accepts a tree that keeps to them."""

import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import defects

Fixtures = defects.test_case([str(HERE / "layering.py")], HERE / "fixtures")

if __name__ == "__main__":
    unittest.main()
