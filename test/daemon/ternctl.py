"""The command-line tool against daemons."""

import re

from support import Case, ports


class Ternctl(Case):
    def setUp(self):
        super().setUp()
        self.nameserver = self.runs("tern-nameserver", "-c", self.settings_file(self.nameserver_settings()))
        self.nameservers = f"{ports.LOOPBACK}:{self.nameserver.port}"
        self.running = self.broker("-n", self.nameservers)
        self.address = f"{ports.LOOPBACK}:{self.running.port}"
        self.succeeds("wait", "-n", self.nameservers)

    def succeeds(self, *arguments):
        said = self.ends("ternctl", *arguments)
        self.assertEqual(said.status, 0, said.err)
        return said.out

    def status(self):
        return dict(line.split("=", 1) for line in self.succeeds("broker", "status", "-a", self.address).splitlines())

    def send(self, count):
        self.assertIn(f"{count} stored, 0 refused", self.succeeds("send", "-n", self.nameservers, "-t", "T", "-c", count))

    def test_shows_what_the_broker_is_doing(self):
        before = self.status()
        self.assertEqual((before["brokerName"], before["earliestMessageTimeStamp"]), ("a", "-1"))
        self.send(5)
        after = self.status()
        self.assertGreaterEqual(int(after["earliestMessageTimeStamp"]), int(before["bootTimestamp"]))
        self.assertGreater(int(after["commitLogMaxOffset"]), 0)

    def test_changes_settings(self):
        self.succeeds("broker", "set", "-a", self.address, "putMessageLock=spin", "maxMessageSize=5000")
        self.assertEqual(self.status()["putLock"], "spin")
        config = self.succeeds("broker", "config", "-a", self.address).splitlines()
        self.assertIn("putMessageLock=spin", config)
        self.assertIn("maxMessageSize=5000", config)

    def test_says_why_a_setting_is_refused(self):
        for setting, text in (("maxMessageSize", "is no KEY=VALUE"), ("putMessageLock=spinn", "mutex, spin, kBackoff"),
                              ("maxMesageSize=1", "did you mean maxMessageSize?")):
            with self.subTest(setting=setting):
                said = self.ends("ternctl", "broker", "set", "-a", self.address, setting)
                self.assertEqual(said.status, 1)
                self.assertIn(text, said.err)

    def test_consumes_no_more_than_it_is_asked_for(self):
        self.send(50)
        out = self.succeeds("consume", "-n", self.nameservers, "-t", "T", "-c", 3, "--print")
        self.assertEqual(len(re.findall(r"^T#", out, re.MULTILINE)), 3)
        self.assertIn("3 messages, ", out)
        self.assertIn("50 messages, ", self.succeeds("consume", "-n", self.nameservers, "-t", "T"))
