#!/usr/bin/env python3
"""Real brokers and clients, killed or stopped at random; then what was acknowledged is compared with what is stored.

Each round: a victim gets the fault (kill -9, or SIGSTOP), stays away for --fault-seconds, comes back, and has --recovery-seconds.
Traffic goes on all the time. Printed at the end: losses, order, duplicates; how long sends were refused; how many messages
consumers saw twice after a broker's and after a consumer's kill. The exit status says whether nothing was lost.
"""

import argparse
import collections
import pathlib
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "clients")]

from harness import flavours, remoting  # noqa: E402
from harness.cluster import Cluster  # noqa: E402
from harness.ports import LOOPBACK  # noqa: E402
from harness.waiting import wait_until  # noqa: E402
from real import pulling  # noqa: E402
from real.judge import judge  # noqa: E402
from real.traffic import QUEUES, Load, Sender  # noqa: E402

TOPIC, GROUP = "CrashTest", "crash_consumers"
SENDERS = 6
CONSUMER = "consumer"
CATCH_UP_S = 60


class Consumer:
    """The consuming process; its lines are kept through its lives."""

    def __init__(self, brokers, directory):
        self.path = directory / "consumed"
        self._command = [sys.executable, str(HERE / "consumer.py"), GROUP, TOPIC, str(self.path),
                         *(f"{broker.name}={broker.port}" for broker in brokers)]
        self._process = None

    def start(self):
        self._process = subprocess.Popen(self._command)

    def signal(self, number):
        self._process.send_signal(number)

    def kill(self):
        self._process.kill()
        self._process.wait()

    def lines(self):
        """(time, broker, queue, offset)"""
        for line in self.path.read_text().splitlines() if self.path.exists() else []:
            when, broker, queue, offset, _, _ = line.split()
            yield float(when), broker, int(queue), int(offset)


class Fault:
    def __init__(self, victim, kind):
        self.victim = victim
        self.kind = kind
        self.began = time.monotonic()
        self.back = None   # from when on the victim is being started or continued
        self.ready = None


def run(options):
    work = pathlib.Path(options.work or tempfile.mkdtemp(prefix="tern-crash-")).resolve()
    work.mkdir(parents=True, exist_ok=True)
    flavour = flavours.Tern(options.bin)
    cluster = Cluster(work, [flavour], [flavour] * options.brokers)
    for number, broker in enumerate(cluster.brokers):
        broker.settings["flushDiskType"] = options.flush[number % len(options.flush)]
        # Several segments and files of each kind in a short run.
        broker.settings["mappedFileSizeCommitLog"] = str(8 << 20)
        broker.settings["mappedFileSizeConsumeQueue"] = str(20_000)
        if options.put_lock:
            broker.settings["putMessageLock"] = options.put_lock
    with cluster:
        load = Load(options.rate, options.peak)
        senders = [Sender(number, SENDERS, cluster.brokers, TOPIC, load) for number in range(SENDERS)]
        consumer = Consumer(cluster.brokers, work)
        consumer.start()
        try:
            for sender in senders:
                sender.start()
            faults = inflict(options, cluster, consumer)
            for sender in senders:
                sender.stop()
            stored = read_all(cluster)
            try:
                wait_until(lambda: missing_for(consumer, stored) == 0, CATCH_UP_S, "the consumer to see everything")
            except TimeoutError:
                pass  # the report says how many are missing
            unseen = missing_for(consumer, stored)
        finally:
            consumer.kill()
    is_good = report(options, senders, faults, stored, consumer, unseen)
    if is_good and not options.keep:
        shutil.rmtree(work)
    else:
        print(f"logs and stores: {work}")
    return is_good


def inflict(options, cluster, consumer):
    dice = random.Random(options.seed)
    end = time.monotonic() + options.duration if options.duration else None
    faults = []
    time.sleep(options.recovery_seconds)
    while (end is None or time.monotonic() < end) and (end or len(faults) < options.rounds):
        is_consumer = options.consumer_every and len(faults) % options.consumer_every == options.consumer_every - 1
        victim = consumer if is_consumer else dice.choice(cluster.brokers)
        kind = dice.choice(options.kind)
        fault = Fault(CONSUMER if is_consumer else victim.name, kind)
        faults.append(fault)
        if kind == "kill":
            victim.kill()
        else:
            victim.signal(signal.SIGSTOP)
        time.sleep(options.fault_seconds)
        fault.back = time.monotonic()
        if kind == "kill":
            victim.start()
        else:
            victim.signal(signal.SIGCONT)
        fault.ready = time.monotonic()
        time.sleep(options.recovery_seconds)
        if len(faults) % 20 == 0:
            print(f"{len(faults)} faults", flush=True)
    return faults


def read_all(cluster):
    stored = {}
    for broker in cluster.brokers:
        with remoting.Connection(LOOPBACK, broker.port, 10) as connection:
            for queue in range(QUEUES):
                records = stored[broker.name, queue] = []
                try:
                    offset = pulling.bound(connection, pulling.GET_MIN_OFFSET, TOPIC, queue)
                    end = pulling.bound(connection, pulling.GET_MAX_OFFSET, TOPIC, queue)
                except remoting.RemotingError as answer:
                    raise RuntimeError(f"{broker.name}#{queue}: {answer}") from None
                while offset < end:
                    found = pulling.pull(connection, "judges", TOPIC, queue, offset, commits=False)
                    if not found or found[0][0] != offset:
                        raise RuntimeError(f"{broker.name}#{queue}: offset {offset} of {end} cannot be read")
                    records += [(at, pulling.key_of(body)) for at, body in found]
                    offset = found[-1][0] + 1
    return stored


def missing_for(consumer, stored):
    seen = {line[1:] for line in consumer.lines()}
    return sum((broker, queue, offset) not in seen for (broker, queue), records in stored.items() for offset, _ in records)


def seen_twice(consumer, faults):
    """Messages that came again, by the last fault before: {victim kind: {fault: how many}}."""
    seen = set()
    again = {"broker": collections.Counter(), CONSUMER: collections.Counter()}
    for when, *place in consumer.lines():
        place = tuple(place)
        if place in seen:
            before = [n for n, fault in enumerate(faults)
                      if fault.began <= when and (fault.victim == CONSUMER or fault.victim == place[0])]
            last = before[-1] if before else 0
            again[CONSUMER if faults[last].victim == CONSUMER else "broker"][last] += 1
        seen.add(place)
    return again


def report(options, senders, faults, stored, consumer, unseen):
    journal = {}
    for sender in senders:
        journal.update(sender.journal)
    problems, duplicates = judge(journal, stored)
    if unseen:
        problems.append(f"the consumer has not seen {unseen} messages")
    acknowledged = sum(bool(attempts.acknowledged) for attempts in journal.values())
    kinds = collections.Counter((fault.kind, "consumer" if fault.victim == CONSUMER else "broker") for fault in faults)
    print(f"faults: {', '.join(f'{count} x {kind} of a {whom}' for (kind, whom), count in sorted(kinds.items()))}")
    print(f"messages: {len(journal)} sent, {acknowledged} acknowledged, {sum(map(len, stored.values()))} stored, "
          f"{duplicates} stored more than once (all retried unless said below)")
    times = sorted((ack.when, ack.broker) for sender in senders for ack in sender.acknowledgements)
    if len(times) > 1:
        print(f"longest time without any acknowledgement: {max(b[0] - a[0] for a, b in zip(times, times[1:])):.2f} s")
    starts, refused, away = [], [], []
    for fault in faults:
        if fault.victim == CONSUMER:
            continue
        starts.append(fault.ready - fault.back)
        first = next((when for when, broker in times if broker == fault.victim and when >= fault.back), None)
        if first is not None:
            refused.append(first - fault.back)
            away.append(first - fault.began)
    for name, values in (("from restart to ready", starts), ("from restart to its first acknowledgement", refused),
                         ("from the fault to its first acknowledgement", away)):
        if values:
            print(f"victim, {name}: median {statistics.median(values):.3f} s, longest {max(values):.3f} s")
    for whom, counts in seen_twice(consumer, faults).items():
        hit = sum((fault.victim == CONSUMER) == (whom == CONSUMER) for fault in faults)
        print(f"seen twice after a {whom}'s fault: {sum(counts.values())} in {hit} faults, most after one: {max(counts.values(), default=0)}")
    refusals = collections.Counter()
    for sender in senders:
        refusals.update(sender.refusals)
    for text, count in refusals.most_common(5):
        print(f"refused {count} times: {text}")
    for problem in problems[:20]:
        print(f"PROBLEM: {problem}")
    # A run without traffic has shown nothing.
    is_good = not problems and acknowledged > 0
    print(f"seed {options.seed}: {'nothing lost' if is_good else f'{len(problems)} problems'}")
    return is_good


def parse():
    parser = argparse.ArgumentParser(prog="scripts/crash-test --real", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help="directory of tern-nameserver and tern-broker")
    parser.add_argument("--brokers", type=int, default=3, help="in one cluster (default 3)")
    parser.add_argument("--rounds", "--kills", type=int, default=10, help="how many faults (default 10)")
    parser.add_argument("--duration", type=float, help="seconds, instead of a number of rounds")
    parser.add_argument("--kind", type=lambda text: text.split(","), default=["kill"], help="kill, stop, or kill,stop (default kill)")
    parser.add_argument("--fault-seconds", type=float, default=30.0, help="how long the victim stays away (default 30)")
    parser.add_argument("--recovery-seconds", type=float, default=30.0, help="from its return to the next fault (default 30)")
    parser.add_argument("--consumer-every", type=int, default=4, help="each so many-th victim is the consumer; 0: never (default 4)")
    parser.add_argument("--flush", type=lambda text: text.split(","), default=["SYNC_FLUSH", "ASYNC_FLUSH"],
                        help="flush policies, dealt out to the brokers in turn (default SYNC_FLUSH,ASYNC_FLUSH)")
    parser.add_argument("--put-lock", help="putMessageLock of the brokers")
    parser.add_argument("--rate", type=float, default=200.0, help="messages a second (default 200)")
    parser.add_argument("--peak", type=float, default=5.0, help="2 s of every 10 the rate is so many times higher (default 5)")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31), help="of the choice of victims")
    parser.add_argument("--work", help="directory for stores and logs (default: a temporary one)")
    parser.add_argument("--keep", action="store_true", help="keep stores and logs even if all went well")
    return parser.parse_args()


if __name__ == "__main__":
    # An end by TERM must end the daemons, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(0 if run(parse()) else 1)
