"""A run of the whole script, with figures that are made up: what it keeps, what it makes anew, and when it refuses."""

import contextlib
import io
import pathlib
import tempfile
import unittest
from unittest import mock

import support  # noqa: F401
import main
import plan
import results

HERE = {"arch": "x86_64", "cpu": "a processor", "cores": 2, "kernel": "6.1", "build": "Release"}
PROGRAMS = ("bin/tern-broker", "bin/ternctl", "bench/put_lock_bench", "bench/put_phases_bench")


class Measure(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)
        for program in PROGRAMS:
            (self.root / program).parent.mkdir(exist_ok=True)
            (self.root / program).touch()
        self.made, self.cut_after, self.load, self.here = [], None, 0.0, HERE

    def measured(self, _programs, part, run, _work):
        if self.cut_after == len(self.made):
            raise KeyboardInterrupt
        self.made.append((part, run))
        return [({"x": len(self.made)}, 1.5) for _ in run]

    def run_it(self, *arguments):
        """How many runs it made."""
        self.made = []
        with contextlib.ExitStack() as patches:
            for target, name, value in ((main, "DATA", self.root), (main, "measured", self.measured), (main.machine, "load", lambda: self.load),
                                        (main.machine, "describe", lambda _: self.here), (main.machine, "commit", lambda: "c")):
                patches.enter_context(mock.patch.object(target, name, value))
            patches.enter_context(mock.patch("sys.argv", ["locks", "--build", str(self.root), *arguments]))
            patches.enter_context(contextlib.redirect_stderr(io.StringIO()))
            main.measure(main.arguments())
        return len(self.made)

    def records(self):
        return results.File(self.root / "reference.jsonl").records

    def test_goes_on_where_it_was_cut(self):
        runs = len(plan.runs("share", False, main.SEED))
        self.cut_after = 5
        with self.assertRaises(KeyboardInterrupt):
            self.run_it("--part", "share")
        self.cut_after = None
        self.assertEqual(self.run_it("--part", "share"), runs - 5)
        self.assertEqual(self.run_it("--part", "share"), 0)
        self.assertEqual(len(self.records()), runs)
        self.assertTrue(all(record["took_s"] == 1.5 for record in self.records()))

    def test_loads_a_broker_anew_whose_rates_were_cut(self):
        self.run_it("--part", "published")
        records = self.records()
        lost = next(record for record in records if record["cell"]["rate"] == 50000)
        data = results.File(self.root / "reference.jsonl")
        data.records.remove(lost)
        data.write()
        self.assertEqual(self.run_it("--part", "published"), 1)
        self.assertEqual(len(self.made[0][1]), 5)
        self.assertEqual(len(self.records()), len(records))

    def test_again_discards_the_part_alone(self):
        self.run_it("--part", "share", "--part", "phases")
        self.assertEqual(self.run_it("--part", "share", "--again"), len(plan.runs("share", False, main.SEED)))
        self.assertEqual({record["part"] for record in self.records()}, {"share", "phases"})

    def test_refuses_figures_of_an_older_plan(self):
        with mock.patch.object(plan, "AT_ONCE_WARM_S", 3):
            self.run_it("--part", "share")
        with self.assertRaisesRegex(SystemExit, "older plan.*--again"):
            self.run_it("--part", "share")
        self.run_it("--part", "share", "--again")

    def test_refuses_to_add_to_another_machines_figures(self):
        self.run_it("--part", "share")
        self.here = dict(HERE, cores=64)
        for more in ([], ["--quick"], ["--part", "phases"], ["--part", "phases", "--again"]):
            with self.assertRaisesRegex(SystemExit, "2 cores.*64 cores.*--host-label.*--fresh"):
                self.run_it(*more)
        self.assertEqual(results.File(self.root / "reference.jsonl").machines["reference"], HERE)
        self.run_it("--part", "share", "--again")  # nothing of the other one is left
        self.here = HERE
        self.run_it("--part", "phases", "--fresh")
        self.assertEqual({record["part"] for record in self.records()}, {"phases"})

    def test_a_busy_machine_makes_no_full_run(self):
        self.load = 3.0
        with self.assertRaisesRegex(SystemExit, "busy.*--busy"):
            self.run_it("--part", "share")
        self.assertGreater(self.run_it("--part", "share", "--quick"), 0)
        self.assertGreater(self.run_it("--part", "share", "--busy"), 0)


if __name__ == "__main__":
    unittest.main()
