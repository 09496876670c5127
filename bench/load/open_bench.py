#!/usr/bin/env python3
"""How long a broker needs after kill -9: from exec to its first acknowledged send.

Fills a store through the broker, holds its syncs back, sends the tail, kills -9, and then starts the broker again and again on
copies of what the crash has changed. Each line of the result is one start: caches warm or dropped; with our side files, without
them (<store>/tern), or without anything derived from the log (queues and index too). Apache's broker opens a copy last.

Dropping caches needs root; it writes back what is dirty first, as the kernel can only drop clean pages.
"""

import argparse
import contextlib
import errno
import json
import os
import pathlib
import random
import re
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import time
import zlib

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "test" / "clients")]

from harness import flavours, remoting  # noqa: E402
from harness.ports import LOOPBACK  # noqa: E402

CREATE_TOPIC, UPDATE_CONFIG = 17, 25
QUEUES_OF_A_TOPIC = 10
TAIL_BODY = 128
REQUEST_BYTES = 1 << 20     # of one batch while filling
IN_FLIGHT = 8
# Nothing is synced meanwhile: the most that the keys allow.
NO_SYNC = {"flushCommitLogLeastPages": 1048576, "flushCommitLogThoroughInterval": 3600000, "flushIntervalCommitLog": 60000}
STEADY_S = 120
APACHE_S = 900


class Pipe:
    """Sends without waiting for each answer; the answers come in any order, and each must be success."""

    def __init__(self, port):
        self._socket = socket.create_connection((LOOPBACK, port), timeout=60)
        self._in = self._socket.makefile("rb", 1 << 16)
        self._opaque = self._waiting = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def send(self, topic, queue, body, batch):
        while self._waiting >= IN_FLIGHT:
            self._receive()
        self._opaque += 1
        self._waiting += 1
        self._socket.sendall(request(remoting.SEND_MESSAGE, self._opaque, send_fields(topic, queue, batch), body))

    def finish(self):
        while self._waiting:
            self._receive()

    def _receive(self):
        answer = receive(self._in)
        if answer["code"] != remoting.SUCCESS:
            raise RuntimeError(f"a send was refused: {answer}")
        self._waiting -= 1


def request(code, opaque, fields, body):
    header = json.dumps({"code": code, "flag": 0, "language": "JAVA", "version": remoting.VERSION, "opaque": opaque,
                         "serializeTypeCurrentRPC": "JSON", "extFields": {k: str(v) for k, v in fields.items()}}).encode()
    return struct.pack(">ii", 4 + len(header) + len(body), len(header)) + header + body


def receive(stream):
    head = stream.read(8)
    if len(head) < 8:
        raise ConnectionError("closed by the broker")
    size, header_size = struct.unpack(">ii", head)
    rest = stream.read(size - 4)
    return json.loads(rest[:header_size & 0xFFFFFF])


def send_fields(topic, queue, batch):
    return {"producerGroup": "open", "topic": topic, "defaultTopic": "TBW102", "defaultTopicQueueNums": 4, "queueId": queue,
            "sysFlag": 0, "bornTimestamp": int(time.time() * 1000), "flag": 0, "properties": "", "reconsumeTimes": 0,
            "unitMode": "false", "batch": "true" if batch else "false"}


def batch_of(body, count):
    one = struct.pack(">iiIii", 22 + len(body), 0, zlib.crc32(body), 0, len(body)) + body + struct.pack(">h", 0)
    return one * count


class Broker:
    def __init__(self, flavour, directory, settings):
        self.flavour = flavour
        self.directory = directory
        self.settings = {**flavour.broker_settings("broker-a", directory), **settings}
        self.port = int(self.settings["listenPort"])
        self.store = directory / "store"
        self._process = None

    def start(self):
        """Seconds from exec to the first acknowledged send."""
        self.directory.mkdir(exist_ok=True)
        conf = self.directory / "broker.properties"
        conf.write_text("".join(f"{key}={value}\n" for key, value in self.settings.items()))
        command, environment = self.flavour.broker_command(self.directory, conf, f"{LOOPBACK}:1")
        probe = request(remoting.SEND_MESSAGE, 1, send_fields(topic_name(0), 0, False), b"x" * TAIL_BODY)
        with open(self.directory / "log", "wb") as log:
            began = time.monotonic()
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **environment})
        while True:
            if self._process.poll() is not None:
                raise RuntimeError(f"the broker ended with {self._process.returncode}:\n{self.log()[-2000:]}")
            if time.monotonic() - began > APACHE_S:
                raise TimeoutError(f"no acknowledgement after {APACHE_S} s:\n{self.log()[-2000:]}")
            try:
                with socket.create_connection((LOOPBACK, self.port), timeout=60) as connection:
                    connection.sendall(probe)
                    if receive(connection.makefile("rb"))["code"] == remoting.SUCCESS:
                        return time.monotonic() - began
            except OSError:
                pass
            time.sleep(0.0005)

    def log(self):
        return (self.directory / "log").read_text(errors="replace")

    def kill(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def call(self, code, fields, body=b""):
        with remoting.Connection(LOOPBACK, self.port, 30) as connection:
            return connection.call(code, fields, body)


def topic_name(queue):
    return f"Open{queue // QUEUES_OF_A_TOPIC}"


def state(store):
    """What our side file says: (durable, dispatched, indexed)."""
    try:
        return struct.unpack(">qqq", (store / "tern" / "state").read_bytes()[16:40])
    except (FileNotFoundError, struct.error):
        return -1, -1, -1


def fill(broker, options):
    for first in range(0, options.queues, QUEUES_OF_A_TOPIC):
        count = min(QUEUES_OF_A_TOPIC, options.queues - first)
        broker.call(CREATE_TOPIC, {"topic": topic_name(first), "defaultTopic": "TBW102", "readQueueNums": count, "writeQueueNums": count,
                                   "perm": 6, "topicFilterType": "SINGLE_TAG", "topicSysFlag": 0, "order": "false"})
    body = random.Random(1).randbytes(options.body)
    overhead = 100
    count = max(1, REQUEST_BYTES // (options.body + overhead))
    requests = int(options.gib * (1 << 30)) // (count * (options.body + overhead))
    # Every queue gets something, however small the log.
    if requests < options.queues:
        count = max(1, count * requests // options.queues)
        requests = options.queues
    batch = batch_of(body, count)
    with Pipe(broker.port) as pipe:
        for number in range(requests):
            queue = number % options.queues
            pipe.send(topic_name(queue), queue % QUEUES_OF_A_TOPIC, batch, True)
        pipe.finish()
    log_end = end_of(broker)
    deadline = time.monotonic() + STEADY_S
    while min(state(broker.store)) < log_end:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{state(broker.store)} of {log_end} in the side file")
        time.sleep(0.1)
    broker.call(UPDATE_CONFIG, {}, "".join(f"{key}={value}\n" for key, value in NO_SYNC.items()).encode())
    before = state(broker.store)
    with Pipe(broker.port) as pipe:
        for number in range(options.tail):
            queue = number % options.queues
            pipe.send(topic_name(queue), queue % QUEUES_OF_A_TOPIC, body[:TAIL_BODY].ljust(TAIL_BODY, b"x"), False)
        pipe.finish()
    tail_end = end_of(broker)
    broker.kill()
    if state(broker.store) != before:
        raise RuntimeError(f"the tail has become durable: {before} before, {state(broker.store)} after")
    return tail_end, tail_end - before[0]


def end_of(broker):
    """Where the record of one more send begins."""
    answer, _ = broker.call(remoting.SEND_MESSAGE, send_fields(topic_name(0), 0, False), b"x")
    return int(answer["extFields"]["msgId"][-16:], 16)


def copy_store(source, target):
    """What a start changes, copied; the bytes of the log, too: a start writes its tail again."""
    if target.exists():
        shutil.rmtree(target)
    target.parent.mkdir(exist_ok=True)
    subprocess.run(["cp", "-a", "--sparse=auto", str(source), str(target)], check=True)


def drop_caches():
    subprocess.run(["sync"], check=True)
    pathlib.Path("/proc/sys/vm/drop_caches").write_text("1\n")


def warm(store):
    for path in sorted(store.rglob("*")):
        if path.is_file():
            with open(path, "rb") as file:
                for start, end in data_of(file):
                    file.seek(start)
                    while start < end and file.read(min(1 << 22, end - start)):
                        start = file.tell()


def data_of(file):
    """(start, end) of what is no hole: queue files are mostly holes, and thousands of them are large."""
    size, at = os.fstat(file.fileno()).st_size, 0
    while at < size:
        try:
            start = os.lseek(file.fileno(), at, os.SEEK_DATA)
        except OSError as problem:
            if problem.errno != errno.ENXIO:
                raise
            return
        at = os.lseek(file.fileno(), start, os.SEEK_HOLE)
        yield start, at


REMOVED = {"with side files": (), "without tern/": ("tern",), "without anything derived": ("tern", "consumequeue", "index", "checkpoint")}


def measure(broker, origin, what, is_warm, rounds):
    times, opened = [], []
    for _ in range(rounds):
        copy_store(origin, broker.store)
        for name in REMOVED[what]:
            gone = broker.store / name
            shutil.rmtree(gone) if gone.is_dir() else gone.unlink(missing_ok=True)
        subprocess.run(["sync"], check=True)
        warm(broker.store) if is_warm else drop_caches()
        times.append(broker.start())
        broker.kill()
        opened += re.findall(r"store opened in (\d+) ms.*", broker.log())
    return times, opened


def main():
    options = parse()
    work = pathlib.Path(options.work).resolve()
    work.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as at_end:
        run(options, work, at_end)


def run(options, work, at_end):
    ours = Broker(flavours.Tern(options.bin), work / "tern", {"mappedFileSizeCommitLog": 1 << 30})
    at_end.callback(ours.kill)
    origin = work / "crashed"
    if not options.reuse:
        shutil.rmtree(ours.directory, ignore_errors=True)
        shutil.rmtree(origin, ignore_errors=True)
        began = time.monotonic()
        ours.start()  # its probe creates the first topic
        end, above = fill(ours, options)
        print(f"log {end / (1 << 30):.2f} GiB in records of {options.body} B, {options.queues} queues; {options.tail} messages of "
              f"{TAIL_BODY} B, {above >> 10} KiB above the durable position; filled in {time.monotonic() - began:.0f} s", flush=True)
        ours.store.rename(origin)
    for what in REMOVED:
        if what not in options.what:
            continue
        for is_warm in (True, False):
            rounds = options.rounds if what == "with side files" else 1
            times, opened = measure(ours, origin, what, is_warm, rounds)
            print(f"{what}, caches {'warm' if is_warm else 'dropped'}: exec to first acknowledgement "
                  f"{statistics.median(times) * 1000:.0f} ms (of {rounds}: {' '.join(f'{t * 1000:.0f}' for t in times)}); "
                  f"store opened in {' '.join(opened)} ms", flush=True)
    shutil.rmtree(ours.directory)
    if options.apache:
        theirs = Broker(flavours.Apache(options.apache), work / "apache", {"mappedFileSizeCommitLog": 1 << 30})
        at_end.callback(theirs.kill)
        theirs.directory.mkdir(exist_ok=True)
        for is_warm in (True, False):
            times, _ = measure(theirs, origin, "with side files", is_warm, 1)
            print(f"Apache's broker, a copy of the same directory, caches {'warm' if is_warm else 'dropped'}: "
                  f"exec to first acknowledgement {times[0] * 1000:.0f} ms", flush=True)
        shutil.rmtree(theirs.directory)
    if not options.keep:
        shutil.rmtree(origin)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help="directory of tern-nameserver and tern-broker")
    parser.add_argument("--work", required=True, help="directory for stores: twice the log is needed")
    parser.add_argument("--gib", type=float, default=3.17, help="size of the log (default 3.17, which is 3.4 GB)")
    parser.add_argument("--queues", type=int, default=1000)
    parser.add_argument("--body", type=int, default=1024, help="bytes of each message of the log (default 1024)")
    parser.add_argument("--tail", type=int, default=100_000, help="messages above the durable position (default 100000)")
    parser.add_argument("--rounds", type=int, default=3, help="starts with side files (default 3); without them it is one")
    parser.add_argument("--what", type=lambda text: text.split(","), default=list(REMOVED), help=f"of {', '.join(REMOVED)}")
    parser.add_argument("--apache", metavar="DIR", help="also Apache's broker; its class path is kept there")
    parser.add_argument("--reuse", action="store_true", help="measure the crashed store that an earlier run with --keep has left")
    parser.add_argument("--keep", action="store_true", help="keep the crashed store")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
