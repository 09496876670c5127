"""Settings that are changed while the broker runs, and where the next start finds them."""

import re

from support import Case, GET_BROKER_CONFIG, GET_BROKER_RUNTIME_INFO, UPDATE_BROKER_CONFIG, remoting


class RemoteChange(Case):
    def setUp(self):
        super().setUp()
        self.file = self.settings_file("# mine, and it stays\n" + self.broker_settings(maxMessageSize=4096)
                                       + "fileReservedTime=\\\n  48\n")
        self.link = self.directory / "link.conf"
        self.link.symlink_to(self.file)
        self.running = self.runs("tern-broker", "-c", self.link)

    def config(self):
        with self.running.connect() as connection:
            return connection.call(GET_BROKER_CONFIG)[1].decode().splitlines()

    def update(self, text):
        with self.running.connect() as connection:
            return connection.call(UPDATE_BROKER_CONFIG, body=text.encode())

    def test_takes_effect_and_is_kept(self):
        before = self.file.read_text()
        self.update("fileReservedTime=24\nlongPollingEnable=false\n")
        self.assertIn("fileReservedTime=24", self.config())
        self.assertIn("longPollingEnable=false", self.config())
        self.assertEqual(self.file.read_text(),
                         before.replace("fileReservedTime=\\\n  48\n", "fileReservedTime=24\n")
                         + "longPollingEnable=false\n")
        self.assertTrue(self.link.is_symlink())
        self.assertEqual(self.running.stop(), 0)
        self.running = self.runs("tern-broker", "-c", self.link)
        self.assertIn("fileReservedTime=24", self.config())
        self.assertIn("longPollingEnable=false", self.config())

    def test_changes_the_put_lock(self):
        with self.assertRaises(remoting.RemotingError) as refused:
            self.update("putMessageLock=none\n")
        names = re.search(r"allowed: ([\w, ]+)", str(refused.exception)).group(1).split(", ")
        self.assertGreater(len(names), 1)
        for name in reversed(names):  # the first one is the default
            self.update(f"putMessageLock={name}\n")
            self.assertIn(f"putMessageLock={name}", self.config())
            with self.running.connect() as connection:
                status = connection.call(GET_BROKER_RUNTIME_INFO)[1].decode()
            self.assertRegex(status, f'"putLock" *: *"{name}"')
        self.assertEqual(self.running.stop(), 0)
        self.running = self.runs("tern-broker", "-c", self.link)
        self.assertIn(f"putMessageLock={names[0]}", self.config())

    def test_is_refused_by_name(self):
        before, config = self.file.read_text(), self.config()
        for line, code, text in (("flushDiskType=SYNC_FLUSH", 1, "flushDiskType: is read at start"),
                                 ("maxMesageSize=1", 1, "did you mean maxMessageSize?"),
                                 ("maxMessageSize=1", 1, "allowed: 10 to 16000000"),
                                 ("brokerConfigPath=/x", 16, "Can not update config in black list.")):
            with self.subTest(line=line), self.assertRaises(remoting.RemotingError) as refused:
                self.update("longPollingEnable=false\n" + line)
            self.assertEqual(refused.exception.code, code)
            self.assertIn(text, str(refused.exception))
        self.assertEqual((self.file.read_text(), self.config()), (before, config))
