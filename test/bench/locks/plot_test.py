import unittest
import xml.etree.ElementTree

import support  # noqa: F401
import plot


class Plot(unittest.TestCase):
    def test_ticks_enclose_the_values(self):
        for low, high in ((0, 7), (3, 1234567), (0.002, 0.3), (5, 5)):
            ticks = plot.nice_ticks(low, high)
            self.assertLessEqual(ticks[0], low)
            self.assertGreaterEqual(ticks[-1], high)
            self.assertLessEqual(len(ticks), 13)

    def test_log_ticks_enclose_the_values(self):
        self.assertEqual(plot.log_ticks(3, 200), [1, 10, 100, 1000])

    def test_a_log_axis_spreads_by_ratio(self):
        axis = plot.Axis("threads", [1, 100], log=True, at=[1, 10, 100])
        self.assertAlmostEqual(axis.place(10), 0.5)

    def test_is_well_formed_whatever_the_names(self):
        text = plot.lines("a < b & c", plot.Axis("x", [1, 2]), plot.Axis("y", [3, 9]), {"<one>": [(1, 3, 3, 4), (2, 9, 8, 9)]})
        root = xml.etree.ElementTree.fromstring(text)
        self.assertEqual(root.tag.split("}")[1], "svg")
        self.assertEqual(sum(node.tag.endswith("circle") for node in root), 2)


if __name__ == "__main__":
    unittest.main()
