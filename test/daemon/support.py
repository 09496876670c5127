"""The real programs as processes: started with given settings, asked, stopped. Everything waits for conditions; the
deadlines only say when to give up.
"""

import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))

from harness import ports, remoting  # noqa: E402
from harness.waiting import wait_until  # noqa: E402

PATIENCE_S = 120
BIN = None  # set by `run`
UPDATE_BROKER_CONFIG, GET_BROKER_CONFIG, GET_BROKER_RUNTIME_INFO = 25, 26, 28
# The fields of a send that creates its topic.
SEND = {"producerGroup": "p", "topic": "T", "defaultTopic": "TBW102", "defaultTopicQueueNums": 1, "queueId": 0,
        "sysFlag": 0, "bornTimestamp": 1, "flag": 0, "properties": ""}


class Ended:
    """What a program that ended by itself has left."""

    def __init__(self, finished):
        self.status, self.out, self.err = finished.returncode, finished.stdout, finished.stderr


class Running:
    """A program that goes on until told to stop. Its output goes to files in `directory`."""

    def __init__(self, command, directory, **how):
        self.out_path, self.err_path = directory / "out", directory / "err"
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, **how)
        self.ready = wait_until(self._ready_line, PATIENCE_S, f"{command[0]} to be ready")

    @property
    def out(self):
        return self.out_path.read_text(errors="replace")

    @property
    def err(self):
        return self.err_path.read_text(errors="replace")

    @property
    def port(self):
        return int(re.search(r"listen=[^ ]*:(\d+)", self.ready).group(1))

    def _ready_line(self):
        if self.process.poll() is not None:
            raise AssertionError(f"ended with status {self.process.returncode} instead of getting ready:\n{self.err}")
        found = re.search(r"^tern-[a-z]+ ready .*$", self.out, re.MULTILINE)
        return found.group(0) if found else None

    def connect(self):
        return remoting.Connection(ports.LOOPBACK, self.port, timeout_s=PATIENCE_S)

    def send_signal(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM):
        """Returns the exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


class Case(unittest.TestCase):
    """A directory of its own, removed at the end; processes that are still there are ended by their id."""

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="tern-daemon-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self._files = 0

    def settings_file(self, text):
        self._files += 1
        path = self.directory / f"{self._files}.conf"
        path.write_text(text)
        return path

    def broker_settings(self, **changes):
        """Of a small broker on ports that the system picks."""
        settings = {"brokerName": "a", "brokerIP1": ports.LOOPBACK, "bindAddress": ports.LOOPBACK, "listenPort": "0",
                    "storePathRootDir": str(self.directory / "store"), "mappedFileSizeCommitLog": str(1 << 20),
                    "logPrepareAheadBytes": str(1 << 20), **changes}
        return "".join(f"{key}={value}\n" for key, value in settings.items())

    def nameserver_settings(self, **changes):
        settings = {"listenPort": "0", "bindAddress": ports.LOOPBACK,
                    "kvConfigPath": str(self.directory / "kvConfig.json"), **changes}
        return "".join(f"{key}={value}\n" for key, value in settings.items())

    def ends(self, program, *arguments, before=(), **how):
        """Runs a program that is expected to end by itself. `before`: a command that runs it."""
        command = [*before, str(BIN / program), *map(str, arguments)]
        return Ended(subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                    timeout=PATIENCE_S, **how))

    def runs(self, program, *arguments, **how):
        directory = pathlib.Path(tempfile.mkdtemp(dir=self.directory, prefix=program))
        running = Running([str(BIN / program), *map(str, arguments)], directory, **how)
        self.addCleanup(self._end, running.process)
        return running

    def broker(self, *arguments, how=None, **changes):
        return self.runs("tern-broker", "-c", self.settings_file(self.broker_settings(**changes)), *arguments,
                         **(how or {}))

    def broker_ends(self, **changes):
        return self.ends("tern-broker", "-c", self.settings_file(self.broker_settings(**changes)))

    @staticmethod
    def _end(process):
        if process.poll() is None:
            process.kill()
            process.wait()
