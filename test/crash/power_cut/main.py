#!/usr/bin/env python3
"""Power cuts under a real broker on a real file system: only what the disk was told to flush survives.

The store stands on ext4, on a loop device, on a disk with a volatile write cache. Senders send, a consumer reads; at a random
moment the power goes: of the sectors written since the last flush the disk keeps none, all, or any of them in any of their
versions. Then the broker starts on what is left, and goes on. At the end every acknowledged message must be where the
acknowledgement said, and so must every message that the consumer has seen. Synchronous flush unless told otherwise; asynchronous
flush promises less, and is there to see that this test finds what is lost. Needs root, /dev/fuse and a free loop device.
"""

import argparse
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "clients")]

from harness import flavours  # noqa: E402
from harness.cluster import Cluster  # noqa: E402
from power_cut.cut_disk import CutDisk  # noqa: E402
from power_cut.write_back import WriteBack  # noqa: E402
from real.judge import judge  # noqa: E402
from real.main import TOPIC, Consumer, read_all  # noqa: E402
from real.traffic import Load, Sender  # noqa: E402

SENDERS = 6
WRITES_MAX = 20  # the power goes after so many writes of the disk at most, as a rule between a write and its flush
DISK_BYTES = 1 << 30
MODES = ("none", "all", "some", "some")


def run(options):
    work = pathlib.Path(options.work or tempfile.mkdtemp(prefix="tern-power-cut-")).resolve()
    work.mkdir(parents=True, exist_ok=True)
    print(f"seed {options.seed}", flush=True)
    dice = random.Random(options.seed)
    flavour = flavours.Tern(options.bin)
    cluster = Cluster(work, [flavour], [flavour])
    broker, = cluster.brokers
    broker.settings.update(flushDiskType=options.flush, mappedFileSizeCommitLog=str(8 << 20), mappedFileSizeConsumeQueue=str(20_000))
    if options.put_lock:
        broker.settings["putMessageLock"] = options.put_lock
    with CutDisk(work / "power", DISK_BYTES) as disk:
        broker.settings["storePathRootDir"] = str(disk.mounted / "store")
        with cluster:
            load = Load(options.rate, 1)
            senders = [Sender(number, SENDERS, [broker], TOPIC, load) for number in range(SENDERS)]
            consumer = Consumer([broker], work)
            consumer.start()
            try:
                for sender in senders:
                    sender.start()
                pending, kept = cut_often(options, dice, disk, broker)
                for sender in senders:
                    sender.stop()
                stored = read_all(cluster)
            finally:
                consumer.kill()
    problems = judge_all(senders, stored, consumer)
    acknowledged = sum(bool(attempts.acknowledged) for sender in senders for attempts in sender.journal.values())
    seen = sum(1 for _ in consumer.lines())
    print(f"{options.cuts} cuts, {pending} sectors not flushed, {kept} of them kept; {acknowledged} messages acknowledged, {seen} seen by the consumer")
    for problem in problems[:20]:
        print(f"PROBLEM: {problem}")
    # A run without traffic, or without anything to lose, has shown nothing.
    is_good = not problems and acknowledged > 0 and seen > 0 and pending > 0
    print(f"seed {options.seed}: {'nothing lost' if is_good else f'{len(problems)} problems'}")
    if is_good and not options.keep:
        shutil.rmtree(work)
    else:
        print(f"logs and stores: {work}")
    return is_good


def cut_often(options, dice, disk, broker):
    all_pending = all_kept = 0
    for number in range(options.cuts):
        with WriteBack(disk.mounted / "store", dice.randrange(1 << 31)):
            time.sleep(dice.uniform(0.2, 1) * options.seconds)
            pending, kept = disk.cut(dice.choice(MODES), dice.randrange(1 << 31), dice.randint(1, WRITES_MAX))
        all_pending += pending
        all_kept += kept
        broker.kill()
        disk.unplug()
        disk.plug()
        broker.start()
        if (number + 1) % 20 == 0:
            print(f"{number + 1} cuts", flush=True)
    time.sleep(options.seconds)
    return all_pending, all_kept


def judge_all(senders, stored, consumer):
    journal = {}
    for sender in senders:
        journal.update(sender.journal)
    problems, _ = judge(journal, stored)
    at = {(broker, queue, offset): key for (broker, queue), records in stored.items() for offset, key in records}
    for line in consumer.path.read_text().splitlines():
        _, broker, queue, offset, sender, number = line.split()
        place, key = (broker, int(queue), int(offset)), (int(sender), int(number))
        if at.get(place) != key:
            problems.append(f"message {key} was seen at {place}, where {at.get(place, 'nothing')} stands now")
    return problems


def parse():
    parser = argparse.ArgumentParser(prog="scripts/crash-test --power-cut", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help="directory of tern-nameserver and tern-broker")
    parser.add_argument("--cuts", type=int, default=20, help="how many (default 20)")
    parser.add_argument("--seconds", type=float, default=2.0, help="the longest time from a start to the next cut (default 2)")
    parser.add_argument("--flush", default="SYNC_FLUSH", help="flushDiskType (default SYNC_FLUSH)")
    parser.add_argument("--put-lock", help="putMessageLock of the broker")
    parser.add_argument("--rate", type=float, default=500.0, help="messages a second (default 500)")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31), help="of the moments and of what the disk keeps")
    parser.add_argument("--work", help="directory for the disk and logs (default: a temporary one)")
    parser.add_argument("--keep", action="store_true", help="keep the disk and logs even if all went well")
    return parser.parse_args()


if __name__ == "__main__":
    # An end by TERM must end the daemons, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(0 if run(parse()) else 1)
