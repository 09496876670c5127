import unittest

import support  # noqa: F401
import stats


class Stats(unittest.TestCase):
    def test_median_of_odd_and_even_counts(self):
        self.assertEqual(stats.median([3, 1, 2]), 2)
        self.assertEqual(stats.median([4, 1, 2, 3]), 2.5)

    def test_spread_keeps_the_range(self):
        spread = stats.Spread([5, 1, 3])
        self.assertEqual((spread.low, spread.median, spread.high, len(spread)), (1, 3, 5, 3))
        with self.assertRaises(ValueError):
            stats.Spread([])

    def test_geometric_mean(self):
        self.assertAlmostEqual(stats.geometric_mean([1, 4]), 2)
        for none in ([], [1, 0]):
            with self.assertRaises(ValueError):
                stats.geometric_mean(none)

    def test_gain(self):
        self.assertAlmostEqual(stats.gain(stats.Spread([100]), stats.Spread([110])), 0.1)

    def test_ranges_that_touch_do_not_differ(self):
        self.assertTrue(stats.differ(stats.Spread([1, 2]), stats.Spread([3, 4])))
        self.assertTrue(stats.differ(stats.Spread([3, 4]), stats.Spread([1, 2])))
        self.assertFalse(stats.differ(stats.Spread([1, 3]), stats.Spread([3, 4])))

    def test_single_runs_do_not_differ(self):
        self.assertFalse(stats.differ(stats.Spread([1]), stats.Spread([100])))


if __name__ == "__main__":
    unittest.main()
