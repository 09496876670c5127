"""The same requests, byte for byte, to both brokers: afterwards their files must hold the same bytes.

Except for what depends on the moment: store times, and the ports from which clients come. Properties may stand in another
order, as Apache's broker takes its own from a hash map.
"""

import struct

from harness import ports, remoting
from harness.waiting import wait_until

from . import filters, judge, log_files
from .log_files import SCHEDULE_TOPIC

SEND_MESSAGE_V2, SEND_BATCH_MESSAGE, SEND_BACK = 310, 320, 36
GROUP = "same_group"
BORN = 1_700_000_000_000


class Sender:
    def __init__(self, connection):
        self._connection = connection
        self._sent = 0

    def properties(self, **more):
        self._sent += 1
        pairs = {"UNIQ_KEY": f"7F000001ABCD{self._sent:020X}", **more}
        return "".join(f"{name}\x01{value}\x02" for name, value in pairs.items())

    def send(self, topic, queue, body, flag=0, sys_flag=0, reconsume_times=0, code=SEND_MESSAGE_V2, batch=False, **more):
        properties = "" if batch else self.properties(**more)
        answer, _ = self._connection.call(code, {
            "a": "same_producers", "b": topic, "c": "TBW102", "d": 4, "e": queue, "f": sys_flag, "g": BORN + self._sent, "h": flag,
            "i": properties, "j": reconsume_times, "k": "false", "m": str(batch).lower()}, body)
        return answer["extFields"]["msgId"]

    def send_batch(self, topic, queue, bodies):
        items = b""
        for number, body in enumerate(bodies):
            properties = self.properties(TAGS="TagBatch", KEYS=f"item{number}").encode()
            items += struct.pack(">iiiii", 22 + len(body) + len(properties), 0, 0, number, len(body)) + body
            items += struct.pack(">h", len(properties)) + properties
        self.send(topic, queue, items, code=SEND_BATCH_MESSAGE, batch=True)

    def send_back(self, message_id, level):
        self._connection.call(SEND_BACK, {
            "offset": int(message_id[16:], 16), "group": GROUP, "delayLevel": level, "originMsgId": message_id, "originTopic": "same",
            "unitMode": "false", "maxReconsumeTimes": 16})


def run(context):
    verdicts = {}
    port = ports.free_broker_port()
    for kind in ("apache", "tern"):
        with context.place(settings={"flushDiskType": "SYNC_FLUSH"}, port=port) as place:
            place.open(kind)
            requests = _requests(place)
            place.close()
            verdicts[kind] = judge.judge(place.layout, place.root, kind, is_clean=True)
            context.say(f"{kind}: {verdicts[kind].summary}")
    ours, theirs = verdicts["tern"], verdicts["apache"]
    _compare_logs(ours.log, theirs.log)
    _compare_queues(ours, theirs)
    _compare_indexes(ours.indexes, theirs.indexes)
    _compare_tables(ours.root / "config", theirs.root / "config")
    return {"requests to each": requests, "records equal": len(ours.log.records), "queues equal": len(ours.queues),
            "index files equal": len(ours.indexes)}


def _requests(place):
    place.create_topic("same", 4)
    with remoting.Connection(place.host, place.broker.port, timeout_s=30) as connection:
        sender = Sender(connection)
        for i in range(60):
            sender.send("same", i % 4, b"x" * (1 + 37 * i), flag=i, TAGS="TagA" if i % 2 else "TagB", KEYS=f"k{i} k{i % 7}")
        sender.send("same", 0, b"bare")
        sender.send("same", 1, "ключ".encode(), TAGS="標籤", KEYS="ключ-😀  two-blanks", WAIT="false", own="a value = with ; signs")
        sender.send("same", 2, b"packed", sys_flag=1 | 0x300, reconsume_times=2)
        sender.send("auto", 1, b"creates its topic", INSTANCE_ID="i")
        sender.send("t" * 127, 0, b"as long as a name can be", KEYS="long")
        sender.send_batch("same", 3, [b"item" * i for i in range(1, 12)])
        for size in (4096, 65_536, 4 << 20, 4 << 20, 1):
            sender.send("same", size % 4, b"0123456789abcdef" * (size // 16) + b"!" * (size % 16), KEYS=f"size{size}")
        # What waits is delivered before the next is sent: of two that are due at about the same time either may be the first.
        sender.send("same", 2, b"delayed", DELAY=place.layout.long_level, TAGS="TagD", KEYS="delayed")
        before = place.end("same", 2)
        sender.send("same", 2, b"delayed", DELAY=99, TAGS="TagD", KEYS="delayed")
        wait_until(lambda: place.end("same", 2) == before + 1, 30, "the message of the last level")
        returned = sender.send("same", 0, b"comes back", TAGS="TagR", KEYS="returned")
        sender.send_back(returned, 0)
        wait_until(lambda: _end(place, "%RETRY%" + GROUP) == 1, 30, "the message that came back")
        sender.send_back(returned, -1)
        wait_until(lambda: _end(place, "%DLQ%" + GROUP) == 1, 30, "the dead letter")
        before = place.end("same", 1)
        sender.send("same", 1, b"soon", DELAY=1, KEYS="soon")
        wait_until(lambda: place.end("same", 1) == before + 1, 30, "the delayed message")
        filters.subscribe(place, "same")
        for queue in range(4):
            connection.call(remoting.UPDATE_CONSUMER_OFFSET, {
                "consumerGroup": GROUP, "topic": "same", "queueId": queue, "commitOffset": 3 + queue})
        return sender._sent


def _end(place, topic):
    try:
        return place.end(topic, 0)
    except remoting.RemotingError:
        # The topic is made when the first message goes there.
        return 0


def _compare(what, ours, theirs):
    assert ours == theirs, f"{what}: ours\n  {ours}\nApache's\n  {theirs}"


def _content(record):
    fields = {name: value for name, value in vars(record).items() if name not in ("stored", "body", "property_text")}
    return {**fields, "born_host": record.born_host[:-4].hex(), "store_host": record.store_host.hex(), "body": record.body[:64],
            "body_size": len(record.body), "properties": dict(sorted(record.properties.items())), "property_size": len(record.property_text)}


def _compare_logs(ours, theirs):
    for our, their in zip(ours.records, theirs.records):
        _compare(f"record at {our.position}", _content(our), _content(their))
    _compare("log", (ours.start, ours.end, len(ours.records), ours.segments, ours.blanks),
             (theirs.start, theirs.end, len(theirs.records), theirs.segments, theirs.blanks))


def _compare_queues(ours, theirs):
    _compare("queues", sorted(ours.queues), sorted(theirs.queues))
    for name, queue in ours.queues.items():
        other = theirs.queues[name]
        _compare(f"files of {name}", (queue.first, queue.files), (other.first, other.files))
        # There the third field is a time; judge() has compared it with the record's own.
        entries = [[entry[:2] if name[0] == SCHEDULE_TOPIC else entry for entry in each.entries] for each in (queue, other)]
        _compare(f"entries of {name}", *entries)


def _compare_indexes(ours, theirs):
    def content(index):
        entries = [(hash_, position, previous) for hash_, position, _, previous in index.entries[1:]]
        return index.begin_position, index.end_position, index.used_slots, index.next_entry, index.slots, entries
    _compare("number of index files", len(ours), len(theirs))
    for our, their in zip(ours, theirs):
        _compare(f"index file {our.path.name}", content(our), content(their))


def _compare_tables(ours, theirs):
    def table(root, file, member):
        return log_files.read_table(root / file)[member]
    for topic in ("same", "auto", "t" * 127, "%RETRY%" + GROUP, "%DLQ%" + GROUP, "TBW102", SCHEDULE_TOPIC):
        _compare(f"topics.json: {topic}", *(table(root, "topics.json", "topicConfigTable").get(topic) for root in (ours, theirs)))
    _compare("consumerFilter.json", *(filters.saved(root.parent, "same")[0] for root in (ours, theirs)))
    _compare("subscriptionGroup.json", *(table(root, "subscriptionGroup.json", "subscriptionGroupTable")[GROUP] for root in (ours, theirs)))
    _compare("consumerOffset.json", *(table(root, "consumerOffset.json", "offsetTable") for root in (ours, theirs)))
    _compare("delayOffset.json", *(table(root, "delayOffset.json", "offsetTable") for root in (ours, theirs)))
