"""One store directory, and the brokers that have it one after the other."""

import os
import pathlib
import socket
import subprocess

from harness import cluster, ports, remoting
from harness.waiting import wait_until

UPDATE_AND_CREATE_TOPIC = 17
QUERY_CONSUMER_OFFSET = 14
GET_MAX_OFFSET = 30
TOPIC_NOT_EXIST = 17
QUERY_NOT_FOUND = 22
BROKER = "broker-a"
# Until a broker that must not start has ended.
REFUSED_S = 240


class Layout:
    """Small files, so that a few messages fill several. Both brokers get the same."""

    segment_size = 5 * 1024 * 1024
    queue_file_size = 20 * 30
    queue_ext_file_size = 64 * 1024
    batch_queue_file_size = 46 * 10
    index_slots = 64
    index_entries = 256
    # Level 3 is what a first retry waits; 4 outlives the change of brokers after a kill, 5 the whole scenario.
    retry_level, short_level, long_level = 3, 4, 5
    delays = ["1s", "1s", "1s", "8s", "3600s", "1s"]
    # What has waited for the long level until the last turn is due then.
    shortened_delays = ["1s", "1s", "1s", "8s", "1s", "1s"]

    delays_ms, shortened_delays_ms = ([int(text[:-1]) * 1000 for text in texts] for texts in (delays, shortened_delays))

    def settings(self):
        return {
            "mappedFileSizeCommitLog": self.segment_size, "mappedFileSizeConsumeQueue": self.queue_file_size,
            "mapperFileSizeBatchConsumeQueue": self.batch_queue_file_size,
            "mappedFileSizeConsumeQueueExt": self.queue_ext_file_size,
            "maxHashSlotNum": self.index_slots, "maxIndexNum": self.index_entries, "enablePropertyFilter": "true",
            "messageDelayLevel": " ".join(self.delays), "flushConsumerOffsetInterval": 1000, "flushDelayOffsetInterval": 1000,
            # Ours saves that a delayed message is delivered only when the delivered one is on disk.
            "flushCommitLogThoroughInterval": 1000,
        }


class _Broker(cluster.Broker):
    """One that listens where it is told, perhaps with an IPv6 address."""

    host = ports.LOOPBACK

    @property
    def advertised(self):
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def address(self):
        return f"{self.advertised}:{self.port}"


class _Listening:
    """A flavour whose sign of readiness is an open port, wherever that is."""

    # It opens several databases, and waits for the disk each time: on a busy machine a start took more than a minute.
    start_s = 240

    def __init__(self, flavour, host):
        self._flavour, self._host = flavour, host

    def __getattr__(self, name):
        return getattr(self._flavour, name)

    def ready_port(self, role, settings, output):
        try:
            with socket.create_connection((self._host, int(settings["listenPort"])), timeout=1):
                return int(settings["listenPort"])
        except OSError:
            return None


class Place:
    """A context manager. At most one broker is open at a time; it always has the same name and address."""

    def __init__(self, work, flavours, nameserver, layout, host=ports.LOOPBACK, settings=None, port=None):
        self.work = pathlib.Path(work)
        self.root = self.work / "store"
        self.layout = layout
        self.host = host
        self.broker = None
        self._flavours = flavours
        self._nameserver = nameserver
        self.port = port or ports.free_broker_port()
        # For a broker that is started on this directory by mistake.
        self.other_port = ports.free_broker_port()
        self._settings = settings or {}
        self._opened = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.broker:
            self.broker.kill()

    def new_broker(self, kind, settings=None):
        """A broker for this directory that has not been started."""
        self._opened += 1
        flavour = _Listening(self._flavours[kind], self.host) if kind == "apache" else self._flavours[kind]
        broker = _Broker(BROKER, flavour, self.work / f"{self._opened}-{kind}", lambda: self._nameserver.address)
        broker.host = self.host
        chosen = {**self.layout.settings(), **self._settings, "listenPort": self.port, "storePathRootDir": self.root,
                  "brokerIP1": broker.advertised, "bindAddress": self.host, **(settings or {})}
        broker.settings.update({key: str(value) for key, value in chosen.items()})
        return broker

    def open(self, kind, settings=None):
        assert self.broker is None
        self.broker = self.new_broker(kind, settings)
        self.broker.start()
        wait_until(lambda: self._nameserver.knows(self.broker), 30, f"{kind} broker to register")

    def close(self):
        broker, self.broker = self.broker, None
        broker.stop()

    def kill(self):
        broker, self.broker = self.broker, None
        broker.kill()

    def run_refused(self, kind, settings=None):
        """Starts a broker that must not come up; returns (exit status, what it said)."""
        broker = self.new_broker(kind, settings)
        conf = broker.directory / "broker.properties"
        conf.write_text("".join(f"{key}={value}\n" for key, value in broker.settings.items()))
        command, environment = broker._command(conf)
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", cwd=broker.directory, env={**os.environ, **environment}, timeout=REFUSED_S)
        return done.returncode, done.stdout

    def verify(self):
        """Whoever had the store last, our tool must call it whole."""
        conf = self.work / "verify.properties"
        conf.write_text("".join(f"{key}={value}\n" for key, value in self.layout.settings().items()))
        command = [self._flavours["tern"].program("ternctl"), "store", "verify", "-c", str(conf), str(self.root)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, f"{' '.join(command)}: status {done.returncode}\n{done.stdout}"

    # ---- what the suite itself asks of the broker

    def call(self, code, fields, body=b""):
        with remoting.Connection(self.host, self.port, timeout_s=15) as connection:
            return connection.call(code, fields, body)

    def create_topic(self, name, queues, attributes=""):
        self.call(UPDATE_AND_CREATE_TOPIC, {
            "topic": name, "defaultTopic": "TBW102", "readQueueNums": queues, "writeQueueNums": queues, "perm": 6,
            "topicFilterType": "SINGLE_TAG", "topicSysFlag": 0, "order": "false",
            **({"attributes": attributes} if attributes else {})})
        wait_until(lambda: self._has_route(name), 30, f"a route to {name}")

    def _has_route(self, topic):
        try:
            with remoting.Connection(ports.LOOPBACK, self._nameserver.port) as connection:
                connection.call(remoting.GET_ROUTE_BY_TOPIC, {"topic": topic})
        except remoting.RemotingError as none:
            if none.code != TOPIC_NOT_EXIST:
                raise
            return False
        return True

    def end(self, topic, queue):
        return int(self.call(GET_MAX_OFFSET, {"topic": topic, "queueId": queue})[0]["extFields"]["offset"])

    def committed(self, group, topic, queue):
        try:
            answer, _ = self.call(QUERY_CONSUMER_OFFSET, {
                "consumerGroup": group, "topic": topic, "queueId": queue, "setZeroIfNotFound": "false"})
        except remoting.RemotingError as failure:
            if failure.code != QUERY_NOT_FOUND:
                raise
            return None
        return int(answer["extFields"]["offset"])
