"""The report out of figures that are made up: its conclusions must be those of the figures."""

import pathlib
import re
import tempfile
import unittest

from support import record
import plan
import report

RATE = {"mutex": 100, "spin": 60, "kBackoff": 110, "parking": 90, "abs": 130, "reserve": 200, "mcs": 20, "clh": 20,
        "delaySlots": 80, "pPersistent": 80}
MACHINE = {"arch": "x86_64", "cpu": "a processor", "cores": 2, "kernel": "6.1", "build": "Release"}


def micro_values(cell, repeat):
    rate = RATE[cell["lock"]] * 1000 + repeat
    return {"appends/s": rate, "cpu_ns": 1e8 / rate, "p50_us": 1, "p99_us": 2, "p9999_us": 3, "mean_us": 1, "fair": 1, "wait_ns": 5,
            "hold_ns": 6, "wait_share": 0.1, "hold_share": 0.2, "k": 1, "retreats": 0, "switches": 0, "sleeps": 0}


def broker_values(cell, repeat):
    rate = cell["rate"] or RATE[cell["lock"]] * 1000 * (2 if cell["k"] == 1000 else 1) + repeat
    values = {name: 1e5 / rate for name in ("mean_ms", "p50_ms", "p99_ms", "p99.9_ms", "p99.99_ms", "max_ms")}
    if cell["rate"]:
        values = {name: 1e3 / RATE[cell["lock"]] + repeat / 1e6 for name in values}
    return values | {"messages/s": rate, "cpu_us": 1e6 / rate, "cpu_cores": 1, "generator_cores": 0.2, "unsent": 0,
                     "records_per_acquisition": 2, "waits_part": 0.1, "retreats": 3, "retreats_per_1000": 0.5, "switches": 0, "k": 1, "mode": "spin", "not_ready": 0,
                     "timed": 1234,
                     "wait_us": 4, "hold_us": 5, "wait_share": 0.01, "hold_share": 0.02}


def phases_values(cell, repeat):
    samples = []
    for number in range(2 * cell["rounds"]):
        for i in range(cell["phase_s"] * 10):
            large = number % 2 == 0
            # abs finds the mutex in the large phases after 5 windows, and spinning in the small ones after 1.
            sleeps = int(i >= 50 if large else i < 10)
            rate = {"mutex": 100 if large else 50, "kBackoff": 50 if large else 100}.get(cell["lock"], 100)
            samples.append([len(samples) / 10, number, rate, 1000, number, sleeps])
    return {"samples": samples}


def made_up(part, quick=False):
    values = {"micro": micro_values, "phases": phases_values}.get(part, broker_values)
    return [record(part, cell, values(cell, repeat), repeat, "reference", "quick" if quick else "full")
            for repeat, run in plan.runs(part, quick, 1) for cell in run]


class Report(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)

    def write(self, records, machines=None):
        report.write(self.root / "locks.md", self.root / "locks", records, machines or {"reference": MACHINE})
        return (self.root / "locks.md").read_text(encoding="utf-8")

    def test_of_all_parts(self):
        text = self.write([r for part in plan.PARTS for r in made_up(part)])
        shown = set(re.findall(r"\]\((locks/[^)]*\.svg)\)", text))
        there = {f"locks/{path.name}" for path in (self.root / "locks").glob("*.svg")}
        self.assertEqual(shown, there)
        self.assertGreater(len(there), 8)
        # The fastest everywhere is what to take, and the default.
        self.assertIn("| 1 KB | more than 2 | `reserve` | `reserve` | - |", text)
        self.assertIn("The default that follows: **`reserve`**", text)
        self.assertRegex(text, r"1\.18 at worst.*\*\*Holds\.\*\*")
        self.assertIn("it does at 3 of 3 points (4, 16, 64 threads)", text)
        self.assertRegex(text, r"\| `mcs` \| all bodies \| mean 0\.10, behind the best row's \(`reserve` 1\.00\); .* no row \(as good or better in both: `mutex`, `spin`")
        # Claims.
        self.assertRegex(text, r"k = 1,000 is best \(SYNC_FLUSH\) \| 1,000 \| 1,000 \| reproduced")
        self.assertRegex(text, r"maximum rate, x86_64, ASYNC_FLUSH .*\+30\.0 %\) \| reproduced")
        self.assertRegex(text, r"maximum rate, aarch64, ASYNC_FLUSH .* not testable on x86_64")
        self.assertRegex(text, r"p99\.99 is better at every rate \(SYNC_FLUSH\) .* reproduced")
        self.assertRegex(text, r"gain of the best k, aarch64 .*\+10\.40 % \| - \| not testable on x86_64")
        self.assertRegex(text, r"mean under extreme contention \(SYNC_FLUSH.* not reproduced: no extra cost")
        self.assertRegex(text, r"ASYNC_FLUSH \| 16 \| 1 KB \| maximum \| 176,312\.35 \| 184,214\.98 \| 100,000")
        self.assertNotIn("not measured", text)
        # Phases: 5 windows to the mutex, 1 back.
        self.assertRegex(text, r"\| 1: 4 x 100 KB \| 1,000 \| 500 \| mutex \| 5, 5 \|")
        self.assertRegex(text, r"\| 2: 4 x 2 B \| 500 \| 1,000 \| spin \| 1, 1 \|")

    def test_of_each_part_alone_and_of_quick_runs(self):
        for part in plan.PARTS:
            for quick in (True, False):
                with self.subTest(part=part, quick=quick):
                    self.assertIn(f"| {part} | {'quick' if quick else 'full'} |", self.write(made_up(part, quick)))

    def test_has_a_row_for_each_claim_also_unmeasured(self):
        def claims(text):
            return [line.split("|")[1] for line in text.split("| claim |")[1].split("\n\n")[0].splitlines()[2:]]
        whole = claims(self.write(made_up("sweep") + made_up("published")))
        self.assertEqual(len(whole), 21)
        for part in ("sweep", "published"):
            text = self.write(made_up(part)[:1])
            self.assertEqual(claims(text), whole)
            self.assertIn("not testable: not measured", text)

    def test_takes_the_share_at_the_default_from_end_to_end(self):
        text = self.write(made_up("share") + made_up("end_to_end"))
        self.assertIn("| SYNC_FLUSH | 1 (default) | `abs` | 130,000", text)
        self.assertIn("| SYNC_FLUSH | 64 | `abs` | 130,000", text)

    def test_flags_cells_whose_tail_was_not_ready(self):
        records = made_up("end_to_end")
        self.assertNotIn("†", self.write(records).replace("†: in one run", ""))
        for r in records:
            if r["cell"]["lock"] == "abs" and r["repeat"] == 1:
                r["values"]["not_ready"] = 5
        self.assertRegex(self.write(records), r"110,000\) \| 130,000 \([^|]*\)† \| 200,000 \([^|†]*\) \|")

    def test_leaves_out_shares_that_cannot_be(self):
        records = made_up("micro")
        for r in records:
            if r["cell"]["threads"] == 4 and r["cell"]["lock"] == "abs" and r["repeat"] < 3:
                r["values"] |= {"wait_share": -4.6, "hold_share": 5.3} if r["repeat"] else {"hold_share": 0.3}
        self.assertIn("| 1 KB | 4 | `abs` | 10.0 % | 20.0 % | 4 of 7 |", self.write(records))

    def test_names_no_default_out_of_single_runs(self):
        text = self.write(made_up("end_to_end", True))
        self.assertIn("One run of each shows no spread: no default follows.", text)
        self.assertNotIn("The default that follows", text)

    def test_a_cut_run_can_be_rendered(self):
        for part in plan.PARTS:
            with self.subTest(part=part):
                self.write(made_up(part)[:7])

    def test_each_host_has_its_section_the_reference_first(self):
        records = made_up("sweep")
        text = self.write([dict(r, host="big") for r in records] + records, {"reference": MACHINE, "big": dict(MACHINE, cores=64)})
        self.assertLess(text.index("## reference: 2 cores"), text.index("## big: 64 cores"))

    def test_is_the_same_again(self):
        records = made_up("micro")
        self.assertEqual(self.write(records), self.write(records))


if __name__ == "__main__":
    unittest.main()
