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


class OfRate(unittest.TestCase):
    def test_a_smaller_machine_that_is_slower_says_nothing(self):
        slower, faster = stats.Spread([90, 95]), stats.Spread([100, 120])
        self.assertEqual(verdicts.of_rate(faster, 100, 2, 8), "reproduced")
        self.assertEqual(verdicts.of_rate(slower, 100, 2, 8), "not testable on 2 cores")
        self.assertEqual(verdicts.of_rate(slower, 100, 8, 8), "not reproduced")


class OfExtra(unittest.TestCase):
    def verdict(self, before, after):
        return verdicts.of_extra(stats.Spread(before), stats.Spread(after), 0.5)

    def test_by_how_large_it_is(self):
        self.assertEqual(self.verdict([2.0, 2.1], [2.5, 2.6]), "reproduced")
        self.assertEqual(self.verdict([2.0, 2.1], [2.2, 2.3]), "not reproduced: it costs less")
        self.assertEqual(self.verdict([2.0, 2.1], [4.2, 4.3]), "not reproduced: it costs more")
        self.assertEqual(self.verdict([2.0, 2.1], [1.5, 1.6]), "not reproduced: no extra cost")

    def test_not_where_the_ranges_overlap(self):
        self.assertEqual(self.verdict([2.0, 3.0], [2.5, 3.5]), "not reproduced: within the spread of the repeats")
        self.assertEqual(self.verdict([2.0], [2.5]), "not reproduced: one run shows no spread")


def cells(*of):
    return [{lock: stats.Spread(values) for lock, values in cell.items()} for cell in of]


class Advised(unittest.TestCase):
    def advised(self, measured, costs=({"a": 9, "b": 1},)):
        return verdicts.advised(measured, costs, ["a", "b"])

    def test_the_fastest(self):
        self.assertEqual(self.advised(cells({"a": [99, 101], "b": [50, 60]})), ("a", "a", ["a"]))

    def test_the_cheaper_of_those_whose_ranges_overlap(self):
        self.assertEqual(self.advised(cells({"a": [90, 110], "b": [80, 95]})), ("b", "a", ["a", "b"]))

    def test_close_is_not_equal_where_the_ranges_are_apart(self):
        self.assertEqual(self.advised(cells({"a": [100, 101], "b": [98, 99]})), ("a", "a", ["a"]))

    def test_overlap_has_to_be_in_most_cells(self):
        same, apart = {"a": [90, 110], "b": [80, 95]}, {"a": [100, 101], "b": [95, 96]}
        self.assertEqual(self.advised(cells(same, same, apart))[2], ["a", "b"])
        self.assertEqual(self.advised(cells(same, apart))[2], ["a"])
        self.assertEqual(verdicts.overlaps(cells(same, same, apart), "b", "a"), 2)

    def test_who_collapses_in_one_is_not_as_fast(self):
        same = {"a": [90, 110], "b": [80, 95]}
        self.assertEqual(self.advised(cells(same, same, {"a": [100, 101], "b": [5, 6]}))[2], ["a"])

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
    ROWS = ["a", "b"]

    def judged(self, *cells_of):
        standing = verdicts.standings(cells_of, [*self.ROWS, "r"], self.ROWS)
        return *verdicts.of_rival(standing, "r", self.ROWS), verdicts.as_good_in_both(standing, "r", self.ROWS)

    def test_rows_and_rivals_stand_by_one_rule(self):
        standing = verdicts.standings([{"a": 100, "b": 50, "r": 50}, {"a": 50, "b": 100, "r": 50}], ["a", "b", "r"], ["a", "b"])
        self.assertEqual([tuple(round(value, 3) for value in standing[lock]) for lock in ("a", "b", "r")], [(0.707, 0.5), (0.707, 0.5), (0.5, 0.5)])

    def test_worth_a_row_without_being_the_best_everywhere(self):
        # An oracle that takes the best row at each point is no row: 0.8 of it is more than any row has.
        is_worth_it, words, better = self.judged({"a": 100, "b": 50, "r": 80}, {"a": 50, "b": 100, "r": 80})
        self.assertTrue(is_worth_it)
        self.assertIn("mean 0.80, ahead of the best row's", words)
        self.assertEqual(better, [])

    def test_no_row_where_a_row_is_as_good_in_both(self):
        is_worth_it, words, better = self.judged({"a": 100, "b": 50, "r": 80}, {"a": 100, "b": 50, "r": 80})
        self.assertFalse(is_worth_it)
        self.assertIn("worst 0.80, behind the best row's (`a` 1.00)", words)
        self.assertEqual(better, ["a"])

    def test_no_row_that_wins_the_mean_and_collapses(self):
        is_worth_it, _, better = self.judged({"a": 100, "b": 50, "r": 300}, {"a": 100, "b": 90, "r": 40})
        self.assertFalse(is_worth_it)
        self.assertEqual(better, [])


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
