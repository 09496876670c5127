"""A topic with queue.type=BatchCQ in a directory that changes hands: batches are one record each, offsets count messages."""

from harness import remoting

from . import judge, traffic
from .traffic import message

TOPIC, GROUP = "batches", "interchange_batches"
ATTRIBUTES = "+queue.type=BatchCQ"
QUEUES = 2
SEARCH_BY_TIME = 29
# Who has the directory, and whether it ends with a kill.
TURNS = [("apache", False), ("tern", False), ("apache", True), ("tern", True), ("apache", False), ("tern", False)]


def run(context):
    seen, covered = {}, {"turns": 0, "batches": 0, "messages": 0, "pulls from within a batch": 0}
    with context.place(settings={"flushDiskType": "SYNC_FLUSH"}) as place:
        for turn, (kind, is_killed) in enumerate(TURNS):
            place.open(kind)
            with context.session() as session:
                if turn == 0:
                    place.create_topic(TOPIC, QUEUES, ATTRIBUTES)
                _expect_kind_is_fixed(place)
                _expect_seen(session, seen)
                sent = _send(session, f"{turn}-{kind}", seen, covered)
                _consume(session, sent)
                _expect_seen(session, seen)
                covered["pulls from within a batch"] += _pull_within(session, seen)
                _search(place, seen)
                for queue in range(QUEUES):
                    assert place.end(TOPIC, queue) == len(seen[queue]), f"queue {queue} ends at {place.end(TOPIC, queue)}"
                if not is_killed:
                    committed = [place.committed(GROUP, TOPIC, queue) for queue in range(QUEUES)]
                    context.say(f"{kind}: committed {committed} of {[len(seen[queue]) for queue in range(QUEUES)]}")
            place.kill() if is_killed else place.close()
            verdict = judge.judge(place.layout, place.root, kind, is_clean=not is_killed)
            assert set(verdict.batch_queues) == {(TOPIC, queue) for queue in range(QUEUES)}, verdict.batch_queues.keys()
            assert not any(topic == TOPIC for topic, _ in verdict.queues)
            files = sum(queue.files for queue in verdict.batch_queues.values())
            context.say(f"{kind} {'killed' if is_killed else 'stopped'}: {verdict.summary}; {files} files of batch queues")
            covered["turns"] += 1
    return covered


def _expect_kind_is_fixed(place):
    for change in ("+queue.type=SimpleCQ", "-queue.type"):
        try:
            place.create_topic(TOPIC, QUEUES, change)
        except remoting.RemotingError as refused:
            assert "attempt to update an unchangeable attribute. key: queue.type" in str(refused), refused
        else:
            raise AssertionError(f"{change} was taken")


def _send(session, phase, seen, covered):
    """Batches and messages by themselves; each is in `seen` as a client is to see it. Returns the labels."""
    labels = []

    def note(queue, specs, base, record):
        assert base == len(seen.setdefault(queue, [])), f"{specs[0]['label']} got offset {base}, the queue had {len(seen[queue])}"
        for spec in specs:
            seen[queue].append({"label": spec["label"], "size": spec["size"], "base": base, "count": len(specs), "record": record,
                                "tags": spec.get("tags"), "flag": spec.get("flag", 0)})
            labels.append(spec["label"])

    for number in range(14):
        queue = number % QUEUES
        if number % 5 == 4:
            spec = message(TOPIC, queue, f"{phase}-single-{number}", tags="TagS", flag=number, keys=f"{phase}-key-{number}")
            (result,) = session.send([spec])
            note(queue, [spec], result["offset"], result["offset_id"])
        else:
            size = 1 + number * 3
            specs = [message(TOPIC, queue, f"{phase}-batch-{number}-{i}", size=20 + 40 * i, tags="TagB", flag=i) for i in range(size)]
            result = session.batch(specs)
            assert "," not in result["offset_id"], f"one record, but {result['offset_id']}"
            note(queue, specs, result["offset"], result["offset_id"])
            covered["batches"] += 1
        assert result["status"] == "SEND_OK", result
    covered["messages"] += len(labels)
    return labels


def _expect_seen(session, seen):
    """Everything that was acknowledged, once, in its place, with its own label, tag, flag and body."""
    if not seen:
        return
    views = session.read(TOPIC)
    assert len(views) == sum(map(len, seen.values())), f"{len(views)} messages, {sum(map(len, seen.values()))} were sent"
    for view in views:
        expected = seen[view["queue"]][view["offset"]]
        got = {"label": view["properties"]["label"], "size": view["body_size"], "tags": view["properties"].get("TAGS"), "flag": view["flag"]}
        wanted = {name: expected[name] for name in got}
        assert got == wanted, f"{view['queue']}@{view['offset']}: {got} instead of {wanted}"
        assert view["body_crc"] == traffic.zlib.crc32(traffic.body_of(expected["label"], expected["size"])), view


def _consume(session, labels):
    received = [view["properties"]["label"] for view in session.consume(GROUP, TOPIC, labels)]
    assert len(set(received)) == len(received) or set(received) >= set(labels), received


def _pull_within(session, seen):
    """From the middle of a batch: the whole record comes, and the next offset is that behind what came."""
    pulls = 0
    for queue, messages in seen.items():
        for offset in range(0, len(messages), 7):
            pulled = session.pull(TOPIC, queue, offset, count=1)
            expected = messages[offset]
            offsets = [view["offset"] for view in pulled["views"]]
            whole = list(range(expected["base"], expected["base"] + expected["count"]))
            assert (pulled["status"], offsets, pulled["next"]) == ("FOUND", whole, whole[-1] + 1), f"{queue}@{offset}: {pulled}"
            assert (pulled["min"], pulled["max"]) == (0, len(messages)), pulled
            pulls += offset != expected["base"]
    return pulls


def _search(place, seen):
    for queue, messages in seen.items():
        for time, offset in ((0, 0), (traffic.FOR_EVER, messages[-1]["base"])):
            answer, _ = place.call(SEARCH_BY_TIME, {"topic": TOPIC, "queueId": queue, "timestamp": time})
            found = int(answer["extFields"]["offset"])
            assert found == offset, f"queue {queue} at time {time}: {found} instead of {offset}"
