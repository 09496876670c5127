import json
import pathlib
import tempfile
import unittest

from support import record
import results


class Parse(unittest.TestCase):
    def test_a_last_line_that_was_cut_off_is_no_record(self):
        whole = json.dumps(record("micro", {"lock": "abs"}, {"x": 1})) + "\n"
        records, _ = results.parse([whole, whole[:20]])
        self.assertEqual(len(records), 1)

    def test_damage_elsewhere_is_named(self):
        with self.assertRaisesRegex(ValueError, "data:1:"):
            results.parse(["{\n", json.dumps(record("micro", {}, {})) + "\n"])
        with self.assertRaisesRegex(ValueError, "data:1:"):
            results.parse(["{\n"])

    def test_machines_stand_apart(self):
        records, machines = results.parse([json.dumps({"host": "a", "machine": {"cores": 2}}) + "\n"])
        self.assertEqual((records, machines), ([], {"a": {"cores": 2}}))


class Resume(unittest.TestCase):
    def test_same_measurement_same_key(self):
        one = record("micro", {"lock": "abs", "threads": 2}, {"x": 1})
        self.assertEqual(results.key_of(one), results.key_of(record("micro", {"threads": 2, "lock": "abs"}, {"x": 9})))
        for other in (record("micro", {"lock": "abs", "threads": 4}, {}), record("sweep", {"lock": "abs", "threads": 2}, {}),
                      record("micro", {"lock": "abs", "threads": 2}, {}, repeat=1),
                      record("micro", {"lock": "abs", "threads": 2}, {}, chosen="quick"),
                      record("micro", {"lock": "abs", "threads": 2}, {}, host="b")):
            self.assertNotEqual(results.key_of(one), results.key_of(other))

    def test_without_drops_what_is_measured_anew(self):
        kept = [record("sweep", {}, {}), record("micro", {}, {}, chosen="quick"), record("micro", {}, {}, host="b")]
        self.assertEqual(results.without([record("micro", {}, {}), *kept], "a", "full", ["micro"]), kept)

    def test_a_run_that_was_cut_in_its_middle_is_made_again(self):
        runs = [(0, [{"lock": "abs", "rate": 1}, {"lock": "abs", "rate": 0}]), (0, [{"lock": "spin", "rate": 1}, {"lock": "spin", "rate": 0}])]
        of = {"host": "a", "set": "full", "part": "sweep"}
        whole = [record("sweep", cell, {}) for cell in runs[0][1]]
        other = record("micro", {}, {})
        left, kept = results.left_of(runs, [*whole, record("sweep", runs[1][1][0], {}), other], of)
        self.assertEqual(left, runs[1:])
        self.assertEqual(kept, [*whole, other])
        self.assertEqual(results.left_of(runs, [], of), (runs, []))

    def test_what_an_older_plan_made_is_found(self):
        of = {"host": "a", "set": "full", "part": "sweep"}
        old, other = record("sweep", {"lock": "abs", "rate": 7}, {}), record("sweep", {"lock": "abs"}, {}, chosen="quick")
        self.assertEqual(results.unplanned([(0, [{"lock": "abs"}])], [old, other, record("sweep", {"lock": "abs"}, {})], of), [old])

    def test_a_file_goes_on_after_a_cut(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "a.jsonl"
            data = results.File(path)
            data.machines["a"] = {"cores": 2}
            data.write()
            data.append([record("micro", {"n": 1}, {"x": 1})])
            with open(path, "a", encoding="utf-8") as text:
                text.write('{"host": "a", "par')
            again = results.File(path)
            self.assertEqual(len(again.records), 1)
            again.write()  # what a resumed run begins with: the half line is gone
            again.append([record("micro", {"n": 2}, {"x": 2})])
            last = results.File(path)
            self.assertEqual([r["cell"]["n"] for r in last.records], [1, 2])
            self.assertEqual(last.machines, {"a": {"cores": 2}})


class Merge(unittest.TestCase):
    def test_the_later_file_counts(self):
        merged = results.merged([[record("micro", {"n": 1}, {"x": 1}), record("micro", {"n": 2}, {"x": 1})],
                                 [record("micro", {"n": 1}, {"x": 9})]])
        self.assertEqual(sorted((r["cell"]["n"], r["values"]["x"]) for r in merged), [(1, 9), (2, 1)])

    def test_full_runs_hide_quick_ones_of_their_part_and_host(self):
        records = [record("micro", {}, {"x": 1}, chosen="quick"), record("micro", {}, {"x": 2}),
                   record("sweep", {}, {"x": 3}, chosen="quick"), record("micro", {}, {"x": 4}, chosen="quick", host="b")]
        self.assertEqual([r["values"]["x"] for r in results.best_set(records)], [2, 3, 4])


if __name__ == "__main__":
    unittest.main()
