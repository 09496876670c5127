"""`ternctl store` on the files of a broker: stopped, running, killed, damaged, of another kind."""

import json
import re
import shutil
import signal

from support import Case, GET_BROKER_CONFIG, PATIENCE_S, SEND, remoting, wait_until

WHOLE, DAMAGED, CANNOT_READ = 0, 1, 2
COUNT = 20
KEYS = 2  # of a message: its own, and the unique one that the broker gives it
BODY_AT = 88  # of a record


class StoreTool(Case):
    def setUp(self):
        super().setUp()
        self.root = self.directory / "store"
        self.log = self.root / "commitlog" / f"{0:020}"
        # Key index files of the default size are 420 MB that all have to be read.
        self.settings = self.settings_file(self.broker_settings(maxHashSlotNum=100, maxIndexNum=400,
                                                                flushIntervalCommitLog=1, flushCommitLogLeastPages=0))

    def start(self):
        return self.runs("tern-broker", "-c", self.settings)

    def send(self, running, count=COUNT):
        with running.connect() as connection:
            for number in range(count):
                connection.call(remoting.SEND_MESSAGE, {**SEND, "properties": f"KEYS\x01key{number}\x02"},
                                f"body {number}".encode())

    def make_stopped(self):
        running = self.start()
        self.send(running)
        self.assertEqual(running.stop(), 0)

    def store(self, verb, *arguments, status=WHOLE):
        said = self.ends("ternctl", "store", verb, "-c", self.settings, *arguments)
        self.assertEqual(said.status, status, said.out + said.err)
        return said

    def verify(self, status=WHOLE):
        """Exit status, text and JSON of a verification say the same."""
        text = self.store("verify", status=status).out
        report = json.loads(self.store("verify", "--json", status=status).out)
        self.assertEqual(report["whole"], status == WHOLE)
        self.assertIn("whole: " if status == WHOLE else "damaged: ", text)
        return text, report

    def wait_until_saved(self, records):
        """All of them are in the part of a running store that is verified."""
        wait_until(lambda: self.verify()[1]["records"] == records, PATIENCE_S, "the broker to save its state")

    def position_of(self, offset):
        held = json.loads(self.store("dump", "-t", "T", "-q", 0, "--from", offset, "--json").out)
        return held[0]["position"]

    def damage(self, path, at):
        with open(path, "r+b") as file:
            file.seek(at)
            byte = file.read(1)
            file.seek(at)
            file.write(bytes([byte[0] ^ 0x20]))

    def damage_record(self, offset):
        """A byte of its body; the position of the record."""
        position = self.position_of(offset)
        self.damage(self.log, position + BODY_AT)
        return position

    def content(self):
        return {str(path.relative_to(self.root)): path.read_bytes() for path in self.root.rglob("*") if path.is_file()}

    def bodies(self, count):
        dumped = json.loads(self.store("dump", "-t", "T", "-q", 0, "--count", count, "--json").out)
        return [entry["held"]["record"]["body"] for entry in dumped]


class Looking(StoreTool):
    def test_at_a_stopped_store(self):
        self.make_stopped()
        before = self.content()
        self.assertEqual(self.verify()[1]["records"], COUNT)
        self.assertEqual(self.verify()[1]["queueEntries"], COUNT)
        self.assertEqual(self.verify()[1]["indexKeys"], KEYS * COUNT)
        text = self.store("inspect").out
        for row in (r"use +stopped\n", r"owner +DefaultCluster / a / 0\n", rf"T#0 +0 to {COUNT}, 1 files",
                    r"topics\.json +\d+ bytes, whole"):
            self.assertRegex(text, row)
        self.assertEqual(self.bodies(COUNT), [f"body {number}" for number in range(COUNT)])
        self.assertIn("KEYS = key0", self.store("dump", "-p", 0).out)
        self.assertEqual(self.content(), before)

    def test_without_settings_passes_over_an_index_of_unknown_size(self):
        self.make_stopped()
        said = self.ends("ternctl", "store", "verify", self.root)
        self.assertEqual(said.status, WHOLE)
        self.assertIn("the broker's settings are needed", said.out)

    def test_at_a_running_store(self):
        running = self.start()
        self.send(running)
        self.wait_until_saved(COUNT)
        self.assertRegex(self.store("inspect").out, rf"use +running, by process {running.process.pid}\n")
        self.assertEqual(self.bodies(COUNT)[-1], f"body {COUNT - 1}")
        with running.connect() as connection:
            connection.call(GET_BROKER_CONFIG)
        self.assertEqual(running.stop(), 0)

    def test_at_a_killed_store(self):
        running = self.start()
        self.send(running)
        running.stop(signal.SIGKILL)
        self.assertRegex(self.store("inspect").out, r"use +not stopped cleanly\n")
        self.assertEqual(self.verify()[1]["records"], COUNT)

    def test_names_the_first_bad_byte(self):
        self.make_stopped()
        position = self.damage_record(7)
        text, report = self.verify(DAMAGED)
        first = next(finding for finding in report["findings"] if finding["damage"])
        self.assertEqual((first["file"], first["logPosition"]), (str(self.log), position))
        # The checksum does not say which byte of the body it is.
        self.assertIn(position + BODY_AT, range(first["byte"], first["byte"] + first["size"]))
        self.assertIn(f"damage: {self.log}: byte {first['byte']} (log position {position}): ", text)

    def test_names_damage_under_a_running_broker(self):
        running = self.start()
        self.send(running)
        self.wait_until_saved(COUNT)
        position = self.damage_record(7)
        self.assertIn(f"(log position {position})", self.verify(DAMAGED)[0])
        self.assertEqual(running.stop(), 0)

    def test_says_what_it_has_not_looked_at(self):
        self.make_stopped()
        (self.root / "timerwheel").write_bytes(b"?")
        text, report = self.verify()
        self.assertIn(str(self.root / "timerwheel"), report["notLookedAt"])
        self.assertRegex(text, rf"(?m)^whole: .*; not looked at: .*{self.root / 'timerwheel'}")

    def test_names_small_files_of_the_timer_that_are_not_whole(self):
        self.make_stopped()
        for name, content in (("timercheck", bytes(4095)), ("timercheck", b"\xff" + bytes(4095)), ("timermetrics", b"{}")):
            (self.root / "config" / f"{name}.bak").unlink(missing_ok=True)
            (self.root / "config" / name).write_bytes(content)
            self.assertIn(str(self.root / "config" / name), self.verify(DAMAGED)[0])
            (self.root / "config" / name).unlink()
        self.verify()

    def test_names_a_table_that_is_not_whole(self):
        self.make_stopped()
        table = self.root / "config" / "topics.json"
        table.write_bytes(table.read_bytes()[:-5])
        self.assertRegex(self.verify(DAMAGED)[0], rf"damage: {re.escape(str(table))}: is no JSON from byte \d+ on")


class Refusing(StoreTool):
    VERBS = (("inspect",), ("verify",), ("dump", "-p", 0), ("repair",), ("repair", "--yes"))

    def refuse(self, *texts, settings=None):
        before = self.content()
        for verb in self.VERBS:
            with self.subTest(verb=verb):
                said = self.ends("ternctl", "store", *verb, "-c", settings or self.settings)
                self.assertEqual(said.status, CANNOT_READ, said.out + said.err)
                self.assertEqual(said.out, "")
                for text in texts:
                    self.assertIn(text, said.err)
        self.assertEqual(self.content(), before)

    def test_what_is_no_store(self):
        self.refuse(f"{self.root} is no store")

    def test_a_store_in_rocksdb(self):
        self.make_stopped()
        (self.root / "consumequeue" / "CURRENT").write_text("MANIFEST-000001\n")
        self.refuse("RocksDB")

    def test_settings_that_do_not_fit(self):
        self.make_stopped()
        settings = self.settings_file(self.broker_settings(mappedFileSizeCommitLog=1 << 19))
        self.refuse(str(1 << 20), str(1 << 19), "mappedFileSizeCommitLog", settings=settings)


class Repairing(StoreTool):
    def test_a_whole_store(self):
        self.make_stopped()
        before = self.content()
        for arguments in ((), ("--yes",)):
            self.assertIn("there is nothing to repair", self.store("repair", *arguments).out)
        self.assertEqual(self.content(), before)

    def test_without_yes_changes_nothing(self):
        self.make_stopped()
        self.damage_record(7)
        self.damage(self.root / "checkpoint", 100)
        before = self.content()
        said = self.store("repair", status=DAMAGED).out
        self.assertIn(f"cut   {self.log} at byte ", said)
        self.assertIn(f"move  {self.root / 'checkpoint'}: ", said)
        self.assertIn("nothing was changed; --yes does it", said)
        self.assertEqual(self.content(), before)

    def test_a_damaged_record(self):
        self.make_stopped()
        kept_records = 7
        position = self.damage_record(kept_records)
        before = self.content()
        said = self.store("repair", "--yes").out
        self.assertRegex(said, rf"the log ends at position {position}: \d+ bytes behind it, with 0 or more whole records")
        kept_in = self.root / re.search(r"what was removed is in (\S+)\. ", said).group(1)
        name = f"commitlog/{0:020}"
        self.assertEqual((kept_in / f"{name}.from-{position}").read_bytes(), before[name][position:])
        after = self.content()
        self.assertEqual(after[name][:position], before[name][:position])
        for path in before.keys() - after.keys():
            self.assertEqual((kept_in / path).read_bytes(), before[path], "what is gone is kept")
        self.assertEqual(self.verify()[1]["records"], kept_records)
        # The broker starts with it, goes on behind the last record that was kept, and makes the rest anew.
        running = self.start()
        self.send(running, 1)
        self.assertEqual(running.stop(), 0)
        self.assertEqual(self.verify()[1]["records"], kept_records + 1)
        self.assertEqual(self.bodies(COUNT), [f"body {number}" for number in range(kept_records)] + ["body 0"])

    def test_derived_files(self):
        self.make_stopped()
        self.damage(self.root / "consumequeue" / "T" / "0" / f"{0:020}", 3)
        self.damage(next((self.root / "index").iterdir()), 45)
        self.damage(self.root / "checkpoint", 100)
        self.verify(DAMAGED)
        self.store("repair", "--yes")
        self.assertEqual(self.start().stop(), 0)
        self.assertEqual(self.verify()[1]["indexKeys"], KEYS * COUNT)
        self.assertEqual(self.bodies(COUNT), [f"body {number}" for number in range(COUNT)])

    def test_refuses_a_running_store(self):
        running = self.start()
        self.send(running)
        self.wait_until_saved(COUNT)
        self.damage_record(7)
        before = self.log.read_bytes()
        said = self.store("repair", "--yes", status=CANNOT_READ)
        self.assertIn(f"{self.root} is in use by process {running.process.pid}: stop it first", said.err)
        self.assertEqual(self.log.read_bytes(), before)
        self.assertEqual(list((self.root / "tern").glob("removed-*")), [])
        self.assertEqual(running.stop(), 0)

    def test_refuses_a_running_store_that_is_whole(self):
        running = self.start()
        said = self.store("repair", "--yes", status=CANNOT_READ)
        self.assertIn(f"{self.root} is in use by process {running.process.pid}: stop it first", said.err)
        self.assertNotIn(", clean", self.store("inspect").out)
        self.assertEqual(running.stop(), 0)
        self.assertIn(", clean", self.store("inspect").out)

    def test_says_what_it_leaves(self):
        self.make_stopped()
        for name in ("topics.json", "topics.json.bak"):
            (self.root / "config" / name).write_text("{")
        said = self.store("repair", "--yes", status=DAMAGED).out
        self.assertIn(f"left  {self.root / 'config' / 'topics.json'}", said)
        self.assertIn("nothing was changed\n", said)

    def test_says_that_more_is_damaged_than_it_names(self):
        self.make_stopped()
        for number in range(120):
            (self.root / "commitlog" / f"{number:03}.txt").write_text("?")
        said = self.store("repair", "--yes", status=DAMAGED).out
        self.assertIn("left  20 damages of files that are not named here", said)
        self.assertIn("run it again", said)
        self.verify(DAMAGED)
        self.assertNotIn("left", self.store("repair", "--yes").out)
        self.verify()

    def test_what_is_kept_can_be_put_back(self):
        self.make_stopped()
        before = self.content()
        self.damage(self.root / "checkpoint", 100)
        said = self.store("repair", "--yes").out
        kept_in = self.root / re.search(r"what was removed is in (\S+)\. ", said).group(1)
        shutil.copy(kept_in / "checkpoint", self.root / "checkpoint")
        self.damage(self.root / "checkpoint", 100)
        shutil.rmtree(kept_in)
        self.assertEqual(self.content(), before)
        self.verify()
