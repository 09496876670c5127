"""A second broker is started on a directory that another has locked: what it changes, and what that does to the first."""

import hashlib
import time

from harness.waiting import wait_until

from . import judge, traffic
from .client import ClientError
from .place import Layout
from .traffic import QUEUES, message

TOPIC = "mistaken"
# Apache's broker writes these all the time.
MOVING = ("config/timermetrics", "config/timermetrics.bak", "config/timercheck")
# What its start may change in a store that is not its own, before it asks for the lock: no segment with records, no queue,
# and nothing in our directory.
CHANGED_BY_APACHE = ("checkpoint", "config/", "index/", "abort", "compaction/", "rocksdbstore/", "timerwheel", "timerlog/")
# Longer than the rounds in which a broker writes by itself what it has still to write. Ours syncs the key index every 10 s, and then
# saves its state again; Apache's is at rest for that long only now and then.
STILL_S = {"tern": 12, "apache": 2.5}


class Roomy(Layout):
    """Segments in which all of this has room."""

    segment_size = 64 * 1024 * 1024


def snapshot(root):
    return {str(path.relative_to(root)): (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
            for path in sorted(root.rglob("*")) if path.is_file()}


def changes(before, after):
    found = {name: "removed" for name in before.keys() - after.keys()}
    found.update({name: "added" for name in after.keys() - before.keys()})
    found.update({name: "changed" for name in before.keys() & after.keys() if before[name] != after[name]})
    return dict(sorted(found.items()))


def when_still(kind, root, moving=()):
    """A snapshot of the store of a `kind` of broker that has written down all it has to; `moving` names files that never rest."""
    last = [{}, time.monotonic()]

    def is_still():
        now = {name: state for name, state in snapshot(root).items() if name not in moving}
        if now != last[0]:
            last[:] = now, time.monotonic()
        return time.monotonic() - last[1] >= STILL_S[kind]
    wait_until(is_still, 60, "the files to come to rest")
    return last[0]


def _send(session, ledger, phase, count=40, size=300_000):
    specs = [message(TOPIC, i % QUEUES, f"{phase}-{i}", size=size, keys=f"{phase}-key-{i}", tags="TagA") for i in range(count)]
    ledger.note(specs, session.send(specs))
    return [spec["label"] for spec in specs]


def _expect_all(session, ledger, what):
    found = {view["properties"]["label"]: view for view in session.read(TOPIC)}
    missing = sorted(label for label in ledger.specs if label not in found)
    assert not missing, f"{what}: {len(missing)} acknowledged messages are gone: {missing[:5]}"
    for label, spec in ledger.specs.items():
        key = spec["keys"]
        assert [view["position"] for view in session.by_key(TOPIC, key, 0, traffic.FOR_EVER)] == [found[label]["position"]], \
            f"{what}: {key} is not found by its key"


def apache_on_ours(context):
    """Apache's broker takes the lock after its recovery, so it has changed files by the time it gives up: segments behind the
    one that is written go, and metadata is saved as it was read. While ours does not come to the end of a segment meanwhile,
    nothing that counts is lost.
    """
    with context.place(layout=Roomy(), settings={"logPrepareAheadBytes": 1 << 20}) as place:
        ledger = traffic.Ledger()
        place.open("tern")
        place.create_topic(TOPIC, QUEUES)
        with context.session() as session:
            labels = _send(session, ledger, "before")
            session.consume(traffic.MAIN, TOPIC, labels)
            offsets = [place.committed(traffic.MAIN, TOPIC, queue) for queue in range(QUEUES)]
            before = when_still("tern", place.root)
            status, said = place.run_refused("apache", {"listenPort": place.other_port})
            after = snapshot(place.root)
            found = changes(before, after)
            context.say("a mistaken start of Apache's broker: " + ", ".join(f"{name} {how}" for name, how in found.items()))
            assert not [name for name in found if not name.startswith(CHANGED_BY_APACHE)], found
            assert status != 0 and "already started" in said, said[-2000:]
            # Ours goes on, and stands a kill.
            labels = _send(session, ledger, "after")
            session.consume(traffic.MAIN, TOPIC, labels)
            assert [place.committed(traffic.MAIN, TOPIC, queue) for queue in range(QUEUES)] == [offset + 10 for offset in offsets]
            _expect_all(session, ledger, "after the mistaken start")
            place.kill()
        place.open("tern")
        with context.session() as session:
            _expect_all(session, ledger, "after the mistaken start and a kill")
            place.close()
        judge.judge(place.layout, place.root, "tern", is_clean=True)
        return {"files changed by the mistaken start": len(found), "messages still there": len(ledger.specs)}


def apache_on_ours_at_a_segments_end(context):
    """The same where segments are prepared behind the one that is written: these go, and perhaps an index file. Ours notices, refuses to write to what nobody
    would find again, and has everything that it acknowledged when it is started anew.
    """
    with context.place(settings={"flushDiskType": "SYNC_FLUSH"}) as place:
        ledger = traffic.Ledger()
        place.open("tern")
        place.create_topic(TOPIC, QUEUES)
        with context.session() as session:
            _send(session, ledger, "before")
            before = when_still("tern", place.root)
            status, said = place.run_refused("apache", {"listenPort": place.other_port})
            gone = [name for name, how in changes(before, snapshot(place.root)).items() if how == "removed"]
            context.say(f"a mistaken start of Apache's broker removed {', '.join(gone)}")
            assert status != 0 and "already started" in said, said[-2000:]
            assert any(name.startswith("commitlog/") for name in gone), gone
            assert all(name.startswith(("commitlog/", "index/")) for name in gone), gone
            try:
                for turn in range(100):
                    _send(session, ledger, f"after-{turn}", count=1)
                raise AssertionError("ours did not notice that segments are gone")
            except ClientError as refused:
                context.say(f"refused after {len(ledger.specs)} messages: {str(refused)[-200:]}")
            assert "is gone while it is in use" in place.broker.tail(), place.broker.tail()
            place.kill()
        place.open("tern")
        with context.session() as session:
            _send(session, ledger, "again")
            _expect_all(session, ledger, "after the mistaken start and a kill")
            place.close()
        judge.judge(place.layout, place.root, "tern", is_clean=True)
        return {"segments removed by the mistaken start": len(gone), "acknowledged messages still there": len(ledger.specs)}


def ours_on_apache(context):
    """Ours locks before it reads anything, so it changes nothing."""
    with context.place() as place:
        ledger = traffic.Ledger()
        place.open("apache")
        place.create_topic(TOPIC, QUEUES)
        with context.session() as session:
            labels = _send(session, ledger, "before")
            session.consume(traffic.MAIN, TOPIC, labels)
            before = when_still("apache", place.root, MOVING)
            status, said = place.run_refused("tern", {"listenPort": place.other_port})
            after = {name: state for name, state in snapshot(place.root).items() if name not in MOVING}
            assert status != 0 and "in use by another broker" in said and str(place.root) in said, said[-2000:]
            assert not changes(before, after), changes(before, after)
            _send(session, ledger, "after")
            _expect_all(session, ledger, "after the mistaken start")
            place.close()
        judge.judge(place.layout, place.root, "apache", is_clean=True)
        return {"files unchanged": len(before)}
