import collections
import unittest

import support  # noqa: F401
import plan
import results


def cells(runs):
    return [cell for run in runs for cell in run]


class Plan(unittest.TestCase):
    def test_has_the_matrix_that_is_asked_for(self):
        points = {(c["lock"], c["threads"], c["body"]) for c in cells(plan.micro(False))}
        self.assertEqual(len(points), 10 * 5 * 3)
        ends = {(c["lock"], c["policy"], c["io"], c["body"], c["rate"]) for c in cells(plan.end_to_end(False))}
        self.assertEqual(len(ends), 4 * 2 * 3 * 2 * 3)
        self.assertEqual({c["k"] for c in cells(plan.sweep(False))}, {1, 10, 100, 1000, 10_000, 100_000})

    def test_repeats_rounds_not_runs(self):
        for part in plan.PARTS:
            for quick in (True, False):
                runs = plan.runs(part, quick, 1)
                self.assertEqual([repeat for repeat, _ in runs], sorted(repeat for repeat, _ in runs))
                keys = [(repeat, results.cell_key(cell)) for repeat, run in runs for cell in run]
                self.assertEqual(len(keys), len(set(keys)), f"{part}: two runs are one and the same")

    def test_repeats_rows_oftener_than_rivals(self):
        repeats = collections.Counter(run[0]["lock"] for _, run in plan.runs("micro", False, 1))
        self.assertEqual({lock: n // 15 for lock, n in repeats.items()}, dict.fromkeys(plan.LOCKS, 7) | dict.fromkeys(plan.RIVALS, 3))

    def test_warms_up_all_locks_alike(self):
        for part in ("end_to_end", "share", "sweep", "published"):
            for quick in (True, False):
                warm = collections.defaultdict(set)
                for cell in cells(plan.PARTS[part][0](quick)):
                    warm[tuple(value for name, value in cell.items() if name not in ("lock", "warm_s"))].add(cell["warm_s"])
                self.assertTrue(all(len(seconds) == 1 for seconds in warm.values()), part)

    def test_loads_a_broker_with_its_rates_in_turn_and_saturation_last(self):
        for run in plan.end_to_end(False):
            self.assertEqual([cell["rate"] for cell in run], [20_000, 80_000, 0])
        for run in plan.published(False):
            self.assertEqual(run[-1]["rate"], 0)
        for part in ("end_to_end", "published"):
            for run in plan.PARTS[part][0](False):
                apart = {tuple(v for k, v in cell.items() if k not in ("rate", "warm_s", "run_s")) for cell in run}
                self.assertEqual(len(apart), 1)

    def test_order_is_shuffled_and_the_same_again(self):
        self.assertEqual(plan.runs("micro", False, 1), plan.runs("micro", False, 1))
        self.assertNotEqual(plan.runs("micro", False, 1), plan.runs("micro", False, 2))
        first, second = (results.cell_key(run[0]) for _, run in plan.runs("micro", True, 1)[0:300:150])
        self.assertNotEqual(first, second)

    def test_stays_within_its_time(self):
        self.assertLessEqual(sum(plan.seconds(part, True) for part in plan.PARTS), 15 * 60)
        for part in plan.PARTS:
            self.assertLessEqual(plan.seconds(part, False), 90 * 60, part)
        self.assertLessEqual(plan.seconds("end_to_end", False), 45 * 60)


if __name__ == "__main__":
    unittest.main()
