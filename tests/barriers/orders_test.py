#!/usr/bin/env python3
"""Shows that orders.py notices what it must: an anchor that has gone or doubled, and an order that
nobody proves. Needs no compiler."""

import dataclasses
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import orders
from orders import Defect, Exempt, Order

ROOT = Path(__file__).resolve().parents[2]
STORE = "tail.store(1, std::memory_order_release)"
ROW = Order("tail", "queue.hpp", STORE, "release", "relaxed", "sq")


class Weakening(unittest.TestCase):
    def test_changes_the_one_order_and_nothing_else(self):
        text = f"a();\n{STORE};\nhead.load(std::memory_order_acquire);\n"
        self.assertEqual(
            orders.weakened(text, ROW),
            "a();\ntail.store(1, std::memory_order_relaxed);\n"
            "head.load(std::memory_order_acquire);\n",
        )

    def test_refuses_an_anchor_that_is_not_there(self):
        with self.assertRaisesRegex(Defect, "stands there 0 times"):
            orders.weakened("tail.store(2, std::memory_order_release);\n", ROW)

    def test_refuses_an_anchor_that_is_there_twice(self):
        with self.assertRaisesRegex(Defect, "stands there 2 times"):
            orders.weakened(f"{STORE};\n{STORE};\n", ROW)

    def test_refuses_a_row_whose_anchor_names_another_order(self):
        with self.assertRaisesRegex(Defect, "must name memory_order_acquire once"):
            orders.weakened(f"{STORE};\n", dataclasses.replace(ROW, order="acquire"))

    def test_every_row_fits_the_source_as_it_is(self):
        for row in orders.ORDERS:
            with self.subTest(row.name), tempfile.TemporaryDirectory() as folder:
                copy = orders.write_copy(ROOT, row, Path(folder))
                before = (ROOT / orders.SOURCES / row.file).read_text().splitlines()
                changed = [
                    pair for pair in zip(before, copy.read_text().splitlines()) if pair[0] != pair[1]
                ]
                self.assertEqual(len(changed), 1)
                self.assertIn(f"memory_order_{row.weaker}", changed[0][1])


class Unproven(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / orders.SOURCES).mkdir(parents=True)

    def write(self, text):
        (self.root / orders.SOURCES / "queue.hpp").write_text(text)

    def test_accepts_what_the_tables_name(self):
        dump = "return head.load(std::memory_order_acquire)"
        self.write(f"{STORE};\n{dump};\nflags.load(std::memory_order_relaxed);\n")
        self.assertEqual(
            orders.unproven(self.root, [ROW], [Exempt("queue.hpp", dump, "for a dump")]), []
        )

    def test_names_an_order_without_a_row(self):
        self.write(f"{STORE};\nhead.load(std::memory_order_acquire);\n")
        (defect,) = orders.unproven(self.root, [ROW], [])
        self.assertIn("queue.hpp:2", defect)

    def test_a_row_counts_only_in_its_own_file(self):
        self.write("")
        (self.root / orders.SOURCES / "other.cpp").write_text(f"{STORE};\n")
        self.assertEqual(len(orders.unproven(self.root, [ROW], [])), 1)


if __name__ == "__main__":
    unittest.main()
