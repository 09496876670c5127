"""TERM and INT drain, HUP opens the log anew."""

import json
import signal
import struct

from support import Case, GET_BROKER_CONFIG, PATIENCE_S, SEND, remoting, wait_until


def cluster_of(nameserver):
    with nameserver.connect() as connection:
        return connection.call(remoting.GET_CLUSTER_INFO)[1].decode()


class Drain(Case):
    def test_term_and_int_end_a_broker_in_order(self):
        nameserver = self.runs("tern-nameserver", "-c", self.settings_file(self.nameserver_settings()))
        for number, name in ((signal.SIGTERM, "TERM"), (signal.SIGINT, "INT")):
            broker = self.broker("-n", f"127.0.0.1:{nameserver.port}")
            wait_until(lambda: '"a"' in cluster_of(nameserver), PATIENCE_S, "the broker to be registered")
            with broker.connect() as connection:
                connection.call(remoting.SEND_MESSAGE, SEND, b"m")
            self.assertTrue((self.directory / "store" / "abort").exists())
            self.assertEqual(broker.stop(number), 0, broker.err)
            self.assertIn(f"signal {name}: draining", broker.err)
            self.assertIn("stopped", broker.err)
            self.assertNotIn('"a"', cluster_of(nameserver), "it has left")
            self.assertFalse((self.directory / "store" / "abort").exists())
        self.assertRegex(self.broker().err, r"store opened in \d+ ms: clean stop before")
        self.assertEqual(nameserver.stop(signal.SIGINT), 0)
        self.assertIn("signal INT: draining", nameserver.err)

    def test_a_pull_that_waits_is_answered(self):
        broker = self.broker()
        with broker.connect() as connection:
            connection.call(remoting.SEND_MESSAGE, SEND, b"m")
            pull = {"consumerGroup": "g", "topic": "T", "queueId": 0, "queueOffset": 1, "maxMsgNums": 32, "sysFlag": 6,
                    "commitOffset": 0, "suspendTimeoutMillis": 10 * PATIENCE_S * 1000, "subVersion": 0,
                    "subscription": "*", "expressionType": "TAG"}
            with broker.connect() as waiting:
                header = json.dumps({"code": remoting.PULL_MESSAGE, "flag": 0, "language": "JAVA", "version": 401,
                                     "opaque": 77, "serializeTypeCurrentRPC": "JSON",
                                     "extFields": {key: str(value) for key, value in pull.items()}}).encode()
                waiting._socket.sendall(struct.pack(">ii", 4 + len(header), len(header)) + header)
                waiting.call(GET_BROKER_CONFIG)  # behind the pull on its connection: that waits now
                broker.send_signal(signal.SIGTERM)
                answer, _ = waiting._receive()
            self.assertEqual((answer["opaque"], answer["code"]), (77, 19))
        self.assertEqual(broker.process.wait(PATIENCE_S), 0, broker.err)

    def test_what_was_sent_is_there_after_the_next_start(self):
        broker = self.broker()
        with broker.connect() as connection:
            for _ in range(10):
                connection.call(remoting.SEND_MESSAGE, SEND, b"m")
        self.assertEqual(broker.stop(), 0)
        with self.broker().connect() as connection:
            answer, _ = connection.call(remoting.SEND_MESSAGE, SEND, b"m")
        self.assertEqual(answer["extFields"]["queueOffset"], "10")


class LogFile(Case):
    def test_hup_opens_it_anew(self):
        for program, settings in (("tern-broker", self.broker_settings), ("tern-nameserver", self.nameserver_settings)):
            log, moved = self.directory / f"{program}.log", self.directory / f"{program}.old"
            running = self.runs(program, "-c", self.settings_file(settings(logFile=log)))
            log.rename(moved)
            running.send_signal(signal.SIGHUP)
            wait_until(lambda: log.exists() and "log opened anew" in running.err, PATIENCE_S, "a new log file")
            self.assertEqual(running.stop(), 0)
            self.assertIn("log opened anew", log.read_text())
            self.assertIn("stopped", log.read_text())
            self.assertRegex(moved.read_text(), rf"{program} \S+ starts", "the start table went to the old one")
            self.assertNotIn("stopped", moved.read_text())

    def test_rotates_and_keeps_as_many_as_it_was_told(self):
        log = self.directory / "broker.log"
        unknown = "".join(f"nobodyKnowsThisKey{number}=1\n" for number in range(400))
        settings = self.broker_settings(logFile=log, logFileSizeBytes=4096, logFilesKept=2)
        running = self.runs("tern-broker", "-c", self.settings_file(settings + unknown), "--allow-unknown-keys")
        self.assertEqual(running.stop(), 0)
        self.assertEqual(sorted(path.name for path in self.directory.glob("broker*.log")),
                         ["broker.1.log", "broker.2.log", "broker.log"])
        for path in self.directory.glob("broker*.log"):
            self.assertLessEqual(path.stat().st_size, 4096)
        self.assertIn("stopped", log.read_text())
