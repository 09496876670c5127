import unittest

from support import record
import plan
import results


class Plan(unittest.TestCase):
    def test_has_the_matrix_that_is_asked_for(self):
        points = {(c["lock"], c["threads"], c["body"]) for c in plan.micro(False)}
        self.assertEqual(len(points), 10 * 5 * 3)
        ends = {(c["lock"], c["policy"], c["io"], c["body"], c["rate"]) for c in plan.end_to_end(False)}
        self.assertEqual(len(ends), 4 * 2 * 3 * 2 * 3)
        self.assertEqual({c["k"] for c in plan.sweep(False)}, {1, 10, 100, 1000, 10_000, 100_000})

    def test_repeats_rounds_not_runs(self):
        for part in plan.PARTS:
            for quick in (True, False):
                runs = plan.runs(part, quick, 1)
                self.assertEqual([repeat for repeat, _ in runs], sorted(repeat for repeat, _ in runs))
                keys = [(repeat, results.cell_key(cell)) for repeat, cell in runs]
                self.assertEqual(len(keys), len(set(keys)), f"{part}: two runs are one and the same")
        self.assertGreaterEqual(max(repeat for repeat, _ in plan.runs("micro", False, 1)) + 1, 7)

    def test_order_is_shuffled_and_the_same_again(self):
        self.assertEqual(plan.runs("micro", False, 1), plan.runs("micro", False, 1))
        self.assertNotEqual(plan.runs("micro", False, 1), plan.runs("micro", False, 2))
        first, second = (results.cell_key(cell) for _, cell in plan.runs("micro", True, 1)[0:300:150])
        self.assertNotEqual(first, second)

    def test_what_was_run_is_found_again(self):
        runs = plan.runs("phases", False, 1)
        done = {results.key_of(record("phases", cell, {}, repeat)) for repeat, cell in runs[:5]}
        left = [run for run in runs if results.key_of(record("phases", run[1], {}, run[0])) not in done]
        self.assertEqual(left, runs[5:])

    def test_stays_within_its_time(self):
        self.assertLessEqual(sum(plan.seconds(part, True) for part in plan.PARTS), 15 * 60)
        for part in plan.PARTS:
            self.assertLessEqual(plan.seconds(part, False), 90 * 60, part)


if __name__ == "__main__":
    unittest.main()
