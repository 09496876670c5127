"""What the broker allocates for each message once it has warmed up: nothing."""

import json
import os
import re
import struct
import subprocess

import support
from support import Case, PATIENCE_S

WARM_UP = 20_000
COUNTED = 40_000
# Connections, upkeep and rounds of dispatch allocate now and then: 0.02 a message, more where turns are short because the machine is
# busy. One allocation for each would be 1 more.
PER_MESSAGE_MAX = 0.5


class Allocations(Case):
    def setUp(self):
        super().setUp()
        self.count_path = self.directory / "allocations"

    def start(self, **changes):
        how = {"env": {**os.environ, "LD_PRELOAD": str(support.BIN / "liballocation_count.so"),
                       "TERN_ALLOCATION_COUNT": str(self.count_path)}}
        return self.broker(how=how, mappedFileSizeCommitLog=1 << 30, **changes)

    def counted(self):
        return struct.unpack("=Q", self.count_path.read_bytes())[0]

    def send(self, running, count, *arguments):
        command = [str(support.BIN / "ternctl"), "bench", "produce", "-a", f"127.0.0.1:{running.port}", "--json",
                   "--warmup", "0", "-n", str(count), "-c", "4", "-i", "16", *arguments]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def per_message(self, running, *arguments):
        self.send(running, WARM_UP, *arguments)
        before = self.counted()
        self.send(running, COUNTED, *arguments, "--keep-topic")
        return (self.counted() - before) / COUNTED

    def test_the_counter_counts(self):
        running = self.start()
        before = self.counted()
        self.assertGreater(before, 100)
        with running.connect() as connection:
            connection.call(support.GET_BROKER_CONFIG)
        self.assertGreater(self.counted(), before + 100)

    def test_sends(self):
        for name, changes, arguments in (
                ("JSON headers", {}, ()),
                ("binary headers", {}, ("--header", "rocketmq")),
                ("tags and properties", {}, ("--tag", "A", "--properties", "100")),
                ("one lock for each send", {"groupAppendEnable": "false"}, ()),
        ):
            with self.subTest(name):
                running = self.start(storePathRootDir=self.directory / re.sub(r"\W", "-", name), **changes)
                self.assertLess(self.per_message(running, *arguments), PER_MESSAGE_MAX)
                self.assertEqual(running.stop(), 0)
                self.count_path.unlink()
