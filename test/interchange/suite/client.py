"""The published Java client, in one JVM for the whole run; see java/Client.java."""

import json
import pathlib
import re
import socket
import subprocess

from harness import maven
from harness.ports import LOOPBACK
from harness.waiting import wait_until

SOURCE = pathlib.Path(__file__).resolve().parents[1] / "java" / "Client.java"
LOGGING = pathlib.Path(__file__).resolve().parents[2] / "clients" / "harness" / "apache" / "logback.xml"
START_S = 60
ANSWER_S = 120


class ClientError(Exception):
    """The client says that it went wrong."""


class Client:
    """The process. A context manager."""

    def __init__(self, class_path, work):
        self._work = pathlib.Path(work)
        self._work.mkdir(parents=True)
        self._log = self._work / "client.out"
        command = [maven.java(), "-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-Duser.home={self._work}",
                   f"-Drmq.logback.configurationFile={LOGGING}", "-cp", class_path, str(SOURCE)]
        with open(self._log, "wb") as log, open(self._work / "client.err", "wb") as err:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=err, cwd=self._work)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait(30)

    def _port(self):
        if self._process.poll() is not None:
            raise ClientError(f"the client ended: {(self._work / 'client.err').read_text()[-4000:]}")
        found = re.search(r"^port (\d+)$", self._log.read_text(), re.MULTILINE)
        return int(found.group(1)) if found else None

    def session(self, nameservers):
        return Session(wait_until(self._port, START_S, "the client's port"), nameservers)


class Session:
    """Clients of one phase; they leave when it is closed. A context manager."""

    def __init__(self, port, nameservers):
        self._socket = socket.create_connection((LOOPBACK, port), timeout=ANSWER_S)
        self._lines = self._socket.makefile("r", encoding="utf-8")
        self._ask("open", nameservers=nameservers)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._lines.close()
        self._socket.close()

    def _ask(self, what, **arguments):
        self._socket.sendall((json.dumps({"do": what, **arguments}) + "\n").encode())
        answer = json.loads(self._lines.readline())
        if isinstance(answer, dict) and "error" in answer:
            raise ClientError(f"{what} {str(arguments)[:200]}: {answer['error']}")
        return answer

    def send(self, messages):
        return self._ask("send", messages=messages)

    def batch(self, messages):
        return self._ask("batch", messages=messages)

    def read(self, topic, tags=None):
        return self._ask("read", topic=topic, tags=tags)

    def pull(self, topic, queue, offset, count=32):
        return self._ask("pull", topic=topic, queue=queue, offset=offset, count=count)

    def consume(self, group, topic, labels, fail=(), tags="*", seconds=60):
        return self._ask("consume", group=group, topic=topic, labels=list(labels), fail=list(fail), tags=tags, seconds=seconds)

    def by_key(self, topic, key, begin, end):
        return self._ask("key", topic=topic, key=key, begin=begin, end=end)

    def view(self, topic, message_id):
        return self._ask("view", topic=topic, id=message_id)

    def search(self, topic, queue, time):
        return self._ask("search", topic=topic, queue=queue, time=time)

    def start_load(self, topic, queues):
        self._ask("load", topic=topic, queues=queues)

    def loaded(self):
        return self._ask("loaded")

    def end_load(self):
        """What was acknowledged, once the load has ended because its broker has."""
        return self._ask("end_load")
