"""What is written in each phase, and what every later phase must find: the ledger."""

import zlib

from harness.waiting import wait_until

from . import log_files
from .log_files import SCHEDULE_TOPIC

MAIN, RETRYING = "interchange_main", "interchange_retrying"
RETRY_TOPIC = "%RETRY%" + RETRYING
PLAIN, SIZES, RETRY, DELAY, LOAD = "plain", "sizes", "retry", "delay", "load"
QUEUES = 4
SIZE_STEPS = [1, 2, 1000, 4095, 4096, 65_536, 1 << 20, 4 << 20]
COMMON_KEY = "common"
# What hashing by UTF-16 units, stored as UTF-8, can get wrong.
FOREIGN_TAG, FOREIGN_KEY = "標籤", "ключ-😀"
FOR_EVER = 1 << 45
# Most that either broker finds by one key.
FOUND_MAX = 64


def body_of(label, size):
    unit = (label + " ").encode()
    return (unit * (size // len(unit) + 1))[:size]


def message(topic, queue, label, size=None, **more):
    return {"topic": topic, "queue": queue, "label": label, "size": len(label) if size is None else size, **more}


class Ledger:
    """Everything that was acknowledged, as a client saw it, and where the groups stand."""

    def __init__(self):
        self.views = {}      # topic -> views in (queue, offset) order
        self.specs = {}      # label -> what was sent
        self.unread = []     # labels that MAIN has not consumed
        self.retries = []    # labels that wait in RETRYING's retry topic
        self.short = []      # labels that wait for the short level, or did when the broker was stopped
        self.may_come_twice = set()
        self.long = []       # labels that wait for the long level
        self.offsets = {}    # (group, topic, queue) -> committed
        self.loaded = []     # what the broker acknowledged while it was killed
        self.filter = None   # what consumerFilter.json said after the first turn
        self.counts = {}     # for the report

    def note(self, specs, results):
        for spec, result in zip(specs, results):
            if result["status"] != "SEND_OK":
                raise AssertionError(f"{spec['label']}: {result}")
            # The queue of a delayed message's answer is that of the schedule.
            self.specs[spec["label"]] = {**result, **spec}

    def count(self, what, number=1):
        self.counts[what] = self.counts.get(what, 0) + number


def write(place, session, ledger, phase):
    """One phase's messages. `phase` is a word that begins every label of it."""
    if not ledger.views:
        for topic in (PLAIN, RETRY, DELAY, LOAD):
            place.create_topic(topic, QUEUES)
        # SIZES is created by its first send.

    def send(specs):
        ledger.note(specs, session.send(specs))

    # Consumed: the group's offsets are to be found behind these.
    plain = [message(PLAIN, i % QUEUES, f"{phase}-plain-{i}", tags="TagA" if i % 3 else "TagB", keys=f"{phase}-key-{i} {COMMON_KEY}", flag=i)
             for i in range(40)]
    plain += [message(PLAIN, 0, f"{phase}-bare"), message(PLAIN, 1, f"{phase}-foreign", tags=FOREIGN_TAG, keys=FOREIGN_KEY),
              message(PLAIN, 2, f"{phase}-unwaited", wait=False)]
    send(plain)
    batch = [message(PLAIN, 3, f"{phase}-batch-{i}", size=50 + 100 * i, tags="TagC", keys=f"{phase}-batchkey-{i}") for i in range(10)]
    result = session.batch(batch)
    ids, offset_ids = result["id"].split(","), result["offset_id"].split(",")
    ledger.note(batch, [{**result, "id": ids[i], "offset_id": offset_ids[i], "offset": result["offset"] + i} for i in range(10)])
    to_consume = ledger.unread + [spec["label"] for spec in plain + batch]
    _expect_consumed(session.consume(MAIN, PLAIN, to_consume), to_consume, "what was sent before the offsets were saved")
    ledger.unread = []

    # Not consumed: the next broker's part.
    left = [message(PLAIN, i % QUEUES, f"{phase}-left-{i}", tags="TagA", keys=f"{phase}-leftkey-{i}") for i in range(12)]
    send(left)
    ledger.unread = [spec["label"] for spec in left]

    sizes = [message(SIZES, i % QUEUES, f"{phase}-size-{size}", size=size, keys=f"{phase}-sizekey-{size}") for i, size in enumerate(SIZE_STEPS)]
    sizes += [message(SIZES, 1, f"{phase}-compressed", size=300_000, compressed=True, keys=f"{phase}-compressed")]
    # One by one: two of the largest do not fit into one segment.
    send(sizes)

    retry = [message(RETRY, i % QUEUES, f"{phase}-retry-{i}", keys=f"{phase}-retrykey-{i}") for i in range(6)]
    send(retry)
    labels = [spec["label"] for spec in retry]
    session.consume(RETRYING, RETRY, labels + ledger.retries, fail=labels[:3])
    ledger.retries = labels[:3]
    # They wait one second in the schedule first. The consumer may have got, and handed back, some of them again.
    wait_until(lambda: place.end(RETRY_TOPIC, 0) - (place.committed(RETRYING, RETRY_TOPIC, 0) or 0) == len(ledger.retries),
               120, "the retries to be due")

    delayed = [message(DELAY, i % QUEUES, f"{phase}-long-{i}", delay=place.layout.long_level, keys=f"{phase}-longkey-{i}") for i in range(3)]
    send(delayed)
    ledger.long += [spec["label"] for spec in delayed]
    ledger.count("messages", len(plain + left + sizes + retry + delayed))
    ledger.count("batches")


def send_short(place, session, ledger, phase):
    """Just before the end, so that they are still waiting then."""
    short = [message(DELAY, i % QUEUES, f"{phase}-short-{i}", delay=place.layout.short_level, tags="TagD") for i in range(3)]
    ledger.note(short, session.send(short))
    ledger.short += [spec["label"] for spec in short]
    ledger.count("messages", len(short))


def remember(place, session, ledger):
    """What clients see now, to be compared by whoever comes next."""
    for topic in (PLAIN, SIZES, RETRY):
        views = session.read(topic)
        known = {view["properties"]["label"]: view for view in views}
        for label, spec in ledger.specs.items():
            if spec["topic"] != topic:
                continue
            view = known.get(label)
            assert view, f"{label} was acknowledged and is not there"
            _expect_as_sent(view, spec)
        ledger.views[topic] = views
    for group, topic in ((MAIN, PLAIN), (RETRYING, RETRY), (RETRYING, RETRY_TOPIC)):
        for queue in range(1 if topic == RETRY_TOPIC else QUEUES):
            offset = place.committed(group, topic, queue)
            if offset is not None:
                ledger.offsets[group, topic, queue] = offset
    assert ledger.offsets, "no group has an offset"


def _expect_as_sent(view, spec):
    body = body_of(spec["label"], spec["size"])
    seen = (view["topic"], view["queue"], view["offset"], view["body_size"], view["body_crc"], view["flag"], view["properties"]["UNIQ_KEY"])
    sent = (spec["topic"], spec["queue"], spec["offset"], len(body), zlib.crc32(body), spec.get("flag", 0), spec["id"])
    assert seen == sent, f"{spec['label']}: {seen} instead of {sent}"
    assert view["properties"].get("TAGS") == spec.get("tags") and view["properties"].get("KEYS") == spec.get("keys"), view
    # Receiving unpacks the body and clears the flag, but not how it was packed.
    assert spec.get("compressed", False) == bool(view["sys_flag"] & 0x700), view


def _expect_consumed(received, labels, what):
    came = sorted(view["properties"]["label"] for view in received)
    assert came == sorted(labels), f"{what}: came {came}, expected {sorted(labels)}"


def verify(place, session, ledger, is_long_due):
    """Everything that earlier phases left is there, and groups go on where they stood."""
    for (group, topic, queue), offset in ledger.offsets.items():
        found = place.committed(group, topic, queue)
        assert found == offset, f"{group} on {topic}#{queue}: {found} instead of {offset}"
    for topic, views in ledger.views.items():
        found = session.read(topic)
        for seen, known in zip(found, views):
            assert seen == known, f"{topic}#{known['queue']} at {known['offset']}:\n  was {known}\n  is  {seen}"
        assert len(found) == len(views), f"{topic}: {len(found)} messages instead of {len(views)}"
        ledger.count("messages read again and equal in every field", len(views))
        tagged = session.read(topic, "TagA || TagC || " + FOREIGN_TAG)
        wanted = [view for view in views if view["properties"].get("TAGS") in ("TagA", "TagC", FOREIGN_TAG)]
        assert tagged == wanted, f"{topic} by tag: {len(tagged)} instead of {len(wanted)}"
    _verify_queries(session, ledger)
    if ledger.loaded:
        _verify_load(session, ledger)
    _verify_delayed(place, session, ledger, is_long_due)
    # Last: this changes the offsets.
    _expect_consumed(session.consume(MAIN, PLAIN, ledger.unread), ledger.unread, "the group went on elsewhere")
    ledger.count("committed offsets taken over", len(ledger.offsets))
    ledger.unread = []
    came = session.consume(RETRYING, RETRY, ledger.retries)
    _expect_consumed(came, ledger.retries, "retries")
    assert all(view["reconsume_times"] >= 1 for view in came), came
    ledger.count("retries taken over", len(came))
    ledger.retries = []


def _verify_queries(session, ledger):
    everything = [view for views in ledger.views.values() for view in views]
    for view in everything:
        topic, properties = view["topic"], view["properties"]
        for key in properties.get("KEYS", "").split(" "):
            # Of each kind some: every query is a round trip.
            if not key or key == COMMON_KEY or (view["offset"] % 4 and "size" not in key):
                continue
            wanted = [other for other in everything if other["topic"] == topic and key in other["properties"].get("KEYS", "").split(" ")]
            _expect_found(session.by_key(topic, key, 0, FOR_EVER), wanted, f"key {key}")
            ledger.count("queries by key")
        if view["offset"] % 7 == 0:
            assert session.view(topic, properties["UNIQ_KEY"]) == view, f"unique key of {view}"
            ledger.count("queries by unique key")
            assert session.view(topic, ledger.specs[properties["label"]]["offset_id"]) == view, f"message id of {view}"
            ledger.count("queries by message id")
            first = min(other["offset"] for other in everything
                        if (other["topic"], other["queue"]) == (topic, view["queue"]) and other["stored"] >= view["stored"])
            found = session.search(topic, view["queue"], view["stored"])
            assert found == first, f"{topic}#{view['queue']} at time {view['stored']}: {found} instead of {first}"
            ledger.count("searches by time")
    wanted = [view for view in everything if COMMON_KEY in view["properties"].get("KEYS", "").split(" ")]
    _expect_found(session.by_key(PLAIN, COMMON_KEY, 0, FOR_EVER), wanted, "the common key")


def _expect_found(found, wanted, what):
    """Apache's recovery from a kill may index once more the last record of the last full index file: it pushes out an older one."""
    distinct = {view["position"]: view for view in found}
    newest = sorted(wanted, key=lambda view: view["position"])[-(FOUND_MAX - len(found) + len(distinct)):]
    possible = {view["position"]: view for view in wanted}
    strange = [position for position, view in distinct.items() if possible.get(position) != view]
    lacking = [view["position"] for view in newest if view["position"] not in distinct]
    assert not strange and not lacking, f"{what}: found {sorted(distinct)}, not wanted {strange}, lacking {lacking}"


def _verify_load(session, ledger):
    found = {(view["queue"], view["offset"]): view for view in session.read(LOAD)}
    for spec in ledger.loaded:
        view = found.get((spec["queue"], spec["offset"]))
        assert view and view["properties"]["label"] == spec["label"], f"{spec['label']} was acknowledged and is not there"
        _expect_as_sent(view, spec)
    ledger.count("acknowledged while the broker was killed, all there", len(ledger.loaded))


def _verify_delayed(place, session, ledger, is_long_due):
    """Those of the short level come, once each and not early; those of the long one do not, unless it has been shortened."""
    due = set(ledger.short) | set(ledger.long if is_long_due else [])

    def arrived():
        views = session.read(DELAY)
        return views if due <= {view["properties"]["label"] for view in views} else None
    views = wait_until(arrived, 60, f"delayed messages {sorted(due)}")
    labels = [view["properties"]["label"] for view in views]
    twice = {label for label in labels if labels.count(label) > 1}
    assert twice <= ledger.may_come_twice, f"delivered twice: {sorted(twice)}"
    early = sorted(set(ledger.long) & set(labels) - due)
    assert not early, f"delivered an hour early: {early}"
    for view in views:
        spec = ledger.specs[view["properties"]["label"]]
        delay = view["stored"] - view["born"]
        assert spec["label"] in ledger.long or delay >= place.layout.delays_ms[spec["delay"] - 1], f"{spec['label']} came after {delay} ms"
        assert view["queue"] == spec["queue"] and view["body_crc"] == zlib.crc32(body_of(spec["label"], spec["size"])), view
    ledger.count("delayed messages taken over", len(due))
    ledger.short = []


def waiting_delayed(verdict, level):
    """Labels that stand in a level's queue behind what delayOffset.json says is done."""
    path = verdict.root / "config" / "delayOffset.json"
    done = log_files.read_table(path)["offsetTable"].get(str(level), 0) if path.exists() else 0
    return [record.properties["label"] for record in verdict.log.records
            if record.topic == SCHEDULE_TOPIC and record.queue == level - 1 and record.offset >= done]
