import json
import pathlib
import tempfile
import unittest

from support import record
import machine
import merge
import results

HERE = {"arch": "x86_64", "cpu": "a processor", "cores": 2, "kernel": "6.1", "build": "Release"}


class IsAnother(unittest.TestCase):
    def test_by_processor_and_cores_not_by_kernel(self):
        self.assertFalse(machine.is_another(HERE, dict(HERE, kernel="6.9")))
        for key, value in (("arch", "aarch64"), ("cpu", "another"), ("cores", 64)):
            self.assertTrue(machine.is_another(HERE, {**HERE, key: value}), key)
        self.assertTrue(machine.is_another(None, HERE))


class TakeOver(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.store("a", HERE, record("micro", {"n": 1}, {"x": 1}))

    def store(self, name, described, *records):
        data = results.File(self.directory / f"{name}.jsonl")
        data.records, data.machines = list(records), {"a": described} if described else {}
        data.write()
        return data.path

    def kept(self):
        return results.File(self.directory / "a.jsonl")

    def test_joins_figures_of_one_machine(self):
        merge.take_over(self.store("given", HERE, record("micro", {"n": 2}, {"x": 2})), self.directory)
        self.assertEqual([r["cell"]["n"] for r in self.kept().records], [1, 2])

    def test_refuses_those_of_another_and_says_how_to_go_on(self):
        given = self.store("given", dict(HERE, cores=64), record("micro", {"n": 2}, {"x": 2}))
        with self.assertRaisesRegex(ValueError, "64 cores.*2 cores.*--host-label"):
            merge.take_over(given, self.directory)
        self.assertEqual(len(self.kept().records), 1)
        self.assertEqual(self.kept().machines["a"], HERE)

    def test_refuses_a_file_that_does_not_say_its_machine(self):
        with self.assertRaisesRegex(ValueError, "does not say what machine"):
            merge.take_over(self.store("given", None, record("micro", {"n": 2}, {"x": 2})), self.directory)

    def test_refuses_a_file_without_records(self):
        with self.assertRaisesRegex(ValueError, "no records"):
            merge.take_over(self.store("given", HERE), self.directory)

    def test_takes_a_new_host(self):
        path = self.directory / "given.jsonl"
        path.write_text(json.dumps({"host": "big", "machine": HERE}) + "\n" + json.dumps(record("micro", {}, {}, host="big")) + "\n")
        merge.take_over(path, self.directory)
        self.assertEqual(results.File(self.directory / "big.jsonl").machines, {"big": HERE})


if __name__ == "__main__":
    unittest.main()
