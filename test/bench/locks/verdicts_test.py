import unittest

import support  # noqa: F401
import stats
import verdicts


def spreads(**values):
    return {int(name[1:]): stats.Spread(given) for name, given in values.items()}


class OfGain(unittest.TestCase):
    def verdict(self, before, after, published=0.1):
        return verdicts.of_gain(stats.Spread(before), stats.Spread(after), published)

    def test_reproduced_from_half_of_it_on(self):
        self.assertEqual(self.verdict([100, 101], [105.6, 107]), "reproduced")

    def test_in_part_below(self):
        self.assertEqual(self.verdict([100, 101], [102, 104]), "in part")

    def test_not_where_the_ranges_overlap(self):
        self.assertEqual(self.verdict([100, 120], [110, 130]), "not reproduced: within the spread of the repeats")

    def test_not_from_one_run(self):
        self.assertEqual(self.verdict([100], [200]), "not reproduced: one run shows no spread")

    def test_not_where_it_is_a_loss(self):
        self.assertEqual(self.verdict([100, 101], [90, 91]), "not reproduced")


class OfOptimum(unittest.TestCase):
    def test_reproduced_where_it_is_best_and_another_is_worse(self):
        self.assertEqual(verdicts.of_optimum(spreads(k1=[50, 51], k1000=[100, 101], k100000=[80, 81]), 1000), "reproduced")

    def test_a_flat_curve_has_no_optimum(self):
        flat = spreads(k1=[99, 102], k1000=[100, 101], k100000=[98, 103])
        self.assertEqual(verdicts.of_optimum(flat, 1000), "not reproduced: no k differs from it")

    def test_not_where_another_is_better(self):
        self.assertEqual(verdicts.of_optimum(spreads(k1=[120, 121], k1000=[100, 101]), 1000), "not reproduced")

    def test_says_where_it_was_not_measured(self):
        self.assertTrue(verdicts.of_optimum(spreads(k1=[1, 2]), 1000).startswith("not testable"))


class OfEveryRate(unittest.TestCase):
    def test_every_means_every(self):
        better, worse = (stats.Spread([4, 5]), stats.Spread([1, 2])), (stats.Spread([1, 2]), stats.Spread([4, 5]))
        self.assertEqual(verdicts.of_every_rate([better, better]), "reproduced")
        self.assertEqual(verdicts.of_every_rate([better, better, worse]), "in part: better at 2 of 3 rates")
        self.assertEqual(verdicts.of_every_rate([better, worse]), "not reproduced: better at 1 of 2 rates")

    def test_overlap_is_not_reproduced_in_full(self):
        pair = (stats.Spread([4, 6]), stats.Spread([3, 5]))
        self.assertEqual(verdicts.of_every_rate([pair]), "in part: better at 1 of 1 rates")


class Advised(unittest.TestCase):
    def test_the_fastest(self):
        self.assertEqual(verdicts.advised([{"a": 100, "b": 50}], [{"a": 9, "b": 1}], ["a", "b"]), ("a", []))

    def test_the_cheaper_of_equally_fast_ones(self):
        self.assertEqual(verdicts.advised([{"a": 100, "b": 98}], [{"a": 9, "b": 1}], ["a", "b"]), ("b", ["a"]))

    def test_a_lock_that_let_nothing_through_is_the_last(self):
        (first, best), (last, worst) = verdicts.ranking([{"a": 100, "b": 0}], ["a", "b"])
        self.assertEqual((best, worst), ("a", "b"))
        self.assertAlmostEqual(first, 1)
        self.assertAlmostEqual(last, 0.001)

    def test_ranking_is_by_the_mean_over_cells(self):
        ranked = verdicts.ranking([{"a": 100, "b": 50}, {"a": 10, "b": 20}], ["a", "b"])
        self.assertEqual([round(part, 3) for part, _ in ranked], [0.707, 0.707])


class OfAbs(unittest.TestCase):
    def test_both_targets(self):
        self.assertTrue(verdicts.of_abs({1: 0.98, 2: 0.97})[2])
        self.assertFalse(verdicts.of_abs({1: 1.1, 2: 0.89})[2], "one point below the floor")
        self.assertFalse(verdicts.of_abs({1: 0.95, 2: 0.95})[2], "the mean below its floor")
        self.assertEqual(verdicts.of_abs({1: 0.98, 2: 0.5})[0], 2)


class OfRival(unittest.TestCase):
    def test_three_kinds(self):
        self.assertTrue(verdicts.of_rival({1: 1.1, 2: 1.0}).startswith("worth a row"))
        self.assertTrue(verdicts.of_rival({1: 1.1, 2: 0.1}).startswith("no row: collapses"))
        self.assertTrue(verdicts.of_rival({1: 0.9, 2: 0.9}).startswith("no row: nothing gained"))


class Modes(unittest.TestCase):
    def test_right_mode(self):
        self.assertEqual(verdicts.right_mode(100, 106), "mutex")
        self.assertEqual(verdicts.right_mode(106, 100), "spin")
        self.assertEqual(verdicts.right_mode(100, 104), "either")

    def test_windows_until_it_is_found_and_kept(self):
        modes = ["mutex"] * 4 + ["spin"] * 2 + ["mutex"] * 2 + ["spin"] * 12
        self.assertEqual(verdicts.windows_until(modes, "spin", 2), 4)
        self.assertEqual(verdicts.windows_until(modes, "mutex", 2), None)
        self.assertEqual(verdicts.windows_until(["spin"] * 9, "spin", 2), 0)
        self.assertEqual(verdicts.windows_until(modes, "either", 2), 0)

    def test_the_end_of_a_phase_counts_as_kept(self):
        self.assertEqual(verdicts.windows_until(["mutex", "spin"], "spin", 1), 1)

    def test_too_few_cores(self):
        self.assertEqual(verdicts.not_testable(2, 8), "not testable on 2 cores")
        self.assertIsNone(verdicts.not_testable(8, 8))


if __name__ == "__main__":
    unittest.main()
