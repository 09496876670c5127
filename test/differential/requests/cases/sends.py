"""SEND_MESSAGE (10), SEND_MESSAGE_V2 (310), SEND_BATCH_MESSAGE (320)."""

from harness.waiting import wait_until
from suite import wire
from suite.variant import Cases

from .common import (BAD_INTS, BAD_LONGS, BORN, INT_MAX, LONG_MAX, LOCK, MAX_OFFSET, ODD_NAMES, SEND, SEND_BATCH, SEND_V2, VIEW, as_json,
                     batch_item, properties, send_fields, send_v2)



class Sends(Cases):
    """One send, and what the store holds then."""

    def one(self, name, code, fields=None, body=b"", masks=(), **how):
        @self.steps(name, (*masks, "stored *.offset"))
        def _(side):
            answer = side.ask(code, fields(side) if callable(fields) else fields, body, name="answer", **how)
            for number, position in enumerate(answer.positions):
                side.ask(VIEW, {"offset": position}, name=f"stored {number}")


CASES = Sends("send")
# The broker makes one up; how long it is depends on the machine's address.
MADE_KEY = ("answer.ext.transactionId", "stored *.properties.UNIQ_KEY", "stored *size")

# The broker chooses one.
ANY_QUEUE = ("answer.ext.queueId", "answer.ext.queueOffset", "stored *.queue")

# --- the three codes, plain

CASES.one("v1", SEND, send_fields("writable"), b"hello")
CASES.one("v2", SEND_V2, send_v2("writable"), b"hello")
CASES.one("batch code, one message", SEND_BATCH, send_v2("writable"), b"hello")
CASES.one("v2 with long names", SEND_V2, send_fields("writable"), b"hello")
CASES.one("v1 with short names", SEND, send_v2("writable"), b"hello")
CASES.one("v1 binary", SEND, send_fields("writable"), b"hello", kind=wire.ROCKETMQ)
CASES.one("v2 binary", SEND_V2, send_v2("writable"), b"hello", kind=wire.ROCKETMQ)
CASES.one("v2 unknown fields", SEND_V2, {**send_v2("writable"), "z": 1, "nonsense": "x", "AccessKey": "key", "Signature": "?"}, b"hello")
CASES.one("v2 numbers bare", SEND_V2, {**send_v2("writable"), "e": wire.Raw(1), "g": wire.Raw(BORN), "k": wire.Raw(False)}, b"hello")
CASES.one("v2 null properties", SEND_V2, {**send_v2("writable"), "i": None}, b"hello", masks=MADE_KEY)
CASES.one("without a unique key", SEND_V2, send_v2("writable", key=False), b"hello", masks=MADE_KEY)

# --- each field left out, and each with what it cannot be

for _code, _fields, _version in ((SEND, send_fields, "v1"), (SEND_V2, send_v2, "v2")):
    for _name in ("producerGroup", "topic", "defaultTopic", "defaultTopicQueueNums", "queueId", "sysFlag", "bornTimestamp", "flag",
                  "properties", "reconsumeTimes", "unitMode", "batch"):
        CASES.one(f"{_version} without {_name}", _code, lambda side, f=_fields, n=_name: f("writable", **{n: None}), b"hello",
                  masks=MADE_KEY if _name == "properties" else ())
    for _name in ("defaultTopicQueueNums", "queueId", "sysFlag", "flag", "reconsumeTimes", "maxReconsumeTimes"):
        for _kind, _value in BAD_INTS if _name == "queueId" else BAD_INTS[:4:3]:
            CASES.one(f"{_version} {_name} {_kind}", _code, _fields("writable", **{_name: _value}), b"hello")
    for _kind, _value in BAD_LONGS:
        CASES.one(f"{_version} bornTimestamp {_kind}", _code, _fields("writable", bornTimestamp=_value), b"hello")
    for _value in ("TRUE", "yes", "1", ""):
        CASES.one(f"{_version} unitMode {_value or 'empty'}", _code, _fields("writable", unitMode=_value), b"hello")
    CASES.one(f"{_version} nothing at all", _code, {}, b"hello")
    CASES.one(f"{_version} no ext fields", _code, None, b"hello")
CASES.one("batch flag text", SEND_BATCH, send_v2("writable", batch="what"), b"hello")
for _value in (-1, -INT_MAX - 1, 0, 1):
    CASES.one(f"bornTimestamp {_value}", SEND_V2, send_v2("writable", bornTimestamp=_value), b"hello")
CASES.one("bornTimestamp largest", SEND_V2, send_v2("writable", bornTimestamp=LONG_MAX), b"hello")

# --- topics

for _kind, _value in ODD_NAMES:
    CASES.one(f"topic {_kind}", SEND_V2, send_v2(_value), b"hello")
CASES.one("topic of 127", SEND_V2, send_v2("t" * 127), b"hello")
CASES.one("topic of 128", SEND_V2, send_v2("t" * 128), b"hello")
CASES.one("topic with a percent sign and a bar", SEND_V2, send_v2("percent%topic|x"), b"hello")
CASES.one("topic made after TBW102", SEND_V2, send_v2("made-by-send", 1), b"hello")
CASES.one("topic made, queue too high", SEND_V2, send_v2("made-by-send-too-high", 9), b"hello")
CASES.one("topic made, no queues", SEND_V2, send_v2("made-without-queues", defaultTopicQueueNums=0), b"hello")
CASES.one("topic made, negative queues", SEND_V2, send_v2("made-with-negative-queues", defaultTopicQueueNums=-1), b"hello")
CASES.one("topic made, too many queues", SEND_V2, send_v2("made-with-many-queues", 7, defaultTopicQueueNums=100), b"hello")
CASES.one("topic made, unit", SEND_V2, send_v2("made-for-unit", unitMode=True), b"hello")
CASES.one("topic unknown, default unknown", SEND_V2, send_v2("not-made", defaultTopic="nowhere"), b"hello")
CASES.one("topic unknown, default passes nothing on", SEND_V2, send_v2("not-made", defaultTopic="plain"), b"hello")
CASES.one("topic unknown, default empty", SEND_V2, send_v2("not-made", defaultTopic=""), b"hello")
CASES.one("topic read-only", SEND_V2, send_v2("readonly"), b"hello")
CASES.one("topic write-only", SEND_V2, send_v2("writeonly"), b"hello")
CASES.one("topic closed", SEND_V2, send_v2("closed"), b"hello")
CASES.one("topic ordered", SEND_V2, send_v2("ordered"), b"hello")
CASES.one("topic of many tags", SEND_V2, send_v2("many-tags", 0, properties(UNIQ_KEY="many", TAGS="a b")), b"hello")
for _name in ("TBW102", "BenchmarkTest", "DefaultCluster", "broker-a", "SCHEDULE_TOPIC_XXXX", "RMQ_SYS_TRANS_HALF_TOPIC",
              "RMQ_SYS_TRANS_OP_HALF_TOPIC", "TRANS_CHECK_MAX_TIME_TOPIC", "SELF_TEST_TOPIC", "OFFSET_MOVED_EVENT", "CHECKPOINT_TOPIC",
              "RMQ_SYS_TRACE_TOPIC", "DefaultCluster_REPLY_TOPIC", "rmq_sys_unheard_of", "RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC",
              "rmq_sys_REVIVE_LOG_DefaultCluster", "rmq_sys_SYNC_BROKER_MEMBER_broker-a"):
    CASES.one(f"system topic {_name}", SEND_V2, send_v2(_name), b"hello")

# --- queues

for _value in (0, 3, 4, INT_MAX, -1, -7):
    CASES.one(f"queue {_value}", SEND_V2, send_v2("writable", _value), b"hello", masks=ANY_QUEUE if _value < 0 else ())
CASES.one("queue for reading alone", SEND_V2, send_v2("wide", 7), b"hello")
CASES.one("queue for writing alone", SEND_V2, send_v2("narrow", 3), b"hello")
CASES.one("queue behind both", SEND_V2, send_v2("wide", 8), b"hello")

# --- bodies and properties

CASES.one("body empty", SEND_V2, send_v2("writable"), b"")
CASES.one("body of one byte", SEND_V2, send_v2("writable"), b"\x00")
CASES.one("body as large as allowed", SEND_V2, send_v2("writable"), b"x" * (4 << 20))
CASES.one("body too large by one", SEND_V2, send_v2("writable"), b"x" * ((4 << 20) + 1))
CASES.one("body empty, topic unknown", SEND_V2, send_v2("not-made", defaultTopic="nowhere"), b"")
for _size in (30_000, 32_767, 32_768, 40_000):
    CASES.one(f"properties of {_size}", SEND_V2, send_v2("writable", 0, properties(UNIQ_KEY="k", p="x" * (_size - 13))), b"hello")
CASES.one("properties that grow too large", SEND_V2, send_v2("writable", 0, properties(UNIQ_KEY="k", p="x" * (32_767 - 50))), b"hello")
CASES.one("properties without an end", SEND_V2, send_v2("writable", 0, "UNIQ_KEY\x01k\x02own\x01value"), b"hello")
CASES.one("properties that are none", SEND_V2, send_v2("writable", 0, "nonsense"), b"hello", masks=MADE_KEY)
CASES.one("properties odd", SEND_V2, send_v2("writable", 0, "\x01\x02=\x01\x02\x02\x02a\x01\x02UNIQ_KEY\x01k\x02UNIQ_KEY\x01l\x02"), b"hello")
CASES.one("properties not ASCII", SEND_V2, send_v2("writable", 0, properties(UNIQ_KEY="ключ", KEYS="标签 😀", TAGS="é")), "тело".encode())
CASES.one("properties that the broker writes itself", SEND_V2,
          send_v2("writable", 0, properties(UNIQ_KEY="own", MSG_REGION="mine", TRACE_ON="false", CLUSTER="mine", POP_CK="1", INNER_BASE="3")), b"hello")
for _value in ("true", "false", "what"):
    CASES.one(f"WAIT {_value}", SEND_V2, send_v2("writable", 0, properties(UNIQ_KEY="w", WAIT=_value)), b"hello")
for _value in (0, 1, 18, 19, 1000, -1, -1000, INT_MAX, INT_MAX + 1, "two", "", " 1", "1.5"):
    CASES.one(f"DELAY {_value}", SEND_V2, send_v2("writable", 0, properties(UNIQ_KEY="d", DELAY=_value)), b"hello")
CASES.one("DELAY and TIMER_DELAY_SEC", SEND_V2, send_v2("writable", 0, properties(UNIQ_KEY="t", DELAY=1, TIMER_DELAY_SEC=100_000)), b"hello")
CASES.one("transaction", SEND_V2, send_v2("writable", 0, properties(UNIQ_KEY="half", TRAN_MSG="true", PGROUP="producers"), sysFlag=4), b"hello")
CASES.one("transaction false", SEND_V2, send_v2("writable", 0, properties(UNIQ_KEY="nohalf", TRAN_MSG="false")), b"hello")
CASES.one("INNER_NUM", SEND_V2, send_v2("writable", 0, properties(UNIQ_KEY="i", INNER_NUM=2)), b"hello")
CASES.one("reply", SEND_V2, send_v2("writable", 0, properties(UNIQ_KEY="r", MSG_TYPE="reply", CORRELATION_ID="1", REPLY_TO_CLIENT="nobody")), b"hello")
CASES.one("multi dispatch", SEND_V2, send_v2("writable", 0, properties(UNIQ_KEY="md", INNER_MULTI_DISPATCH="%LMQ%a,%LMQ%b")), b"hello")
CASES.one("lite topic property", SEND_V2, send_v2("writable", 0, properties(UNIQ_KEY="lt", __LITE_TOPIC="x")), b"hello")
CASES.one("priority property", SEND_V2, send_v2("writable", 0, properties(UNIQ_KEY="pr", _SYS_MSG_PRIORITY_="1")), b"hello")
CASES.one("priority property, priority topic", SEND_V2, send_v2("priority", 0, properties(UNIQ_KEY="pr", _SYS_MSG_PRIORITY_="1")), b"hello")
CASES.one("priority property of text, priority topic", SEND_V2, send_v2("priority", 0, properties(UNIQ_KEY="pr", _SYS_MSG_PRIORITY_="high")), b"hello")
CASES.one("priority property beyond the last queue", SEND_V2, send_v2("priority", 0, properties(UNIQ_KEY="pr", _SYS_MSG_PRIORITY_="99")), b"hello")
CASES.one("priority property and sharding key", SEND_V2, send_v2("priority", 0, properties(UNIQ_KEY="pr", _SYS_MSG_PRIORITY_="1", __SHARDINGKEY="k")), b"hello")
CASES.one("priority property and DELAY", SEND_V2, send_v2("priority", 0, properties(UNIQ_KEY="pr", _SYS_MSG_PRIORITY_="1", DELAY=1)), b"hello")
CASES.one("sharding key", SEND_V2, send_v2("writable", 0, properties(UNIQ_KEY="s", __SHARDINGKEY="k")), b"hello")

# --- flags

for _value in (1, 2, 0x301, 0x10, 0x20, 0x30, 8, 0xC, 0x40, 0x80, 0xC0, INT_MAX, -1):
    CASES.one(f"sysFlag {_value:#x}", SEND_V2, send_v2("writable", 0, sysFlag=_value), b"hello")
for _value in (INT_MAX, -INT_MAX - 1, -1):
    CASES.one(f"flag {_value}", SEND_V2, send_v2("writable", 0, flag=_value), b"hello")
    CASES.one(f"reconsumeTimes {_value}", SEND_V2, send_v2("writable", 0, reconsumeTimes=_value), b"hello")

# --- batches

_items = b"".join(batch_item(f"item {number}", properties(UNIQ_KEY=f"b{number}", TAGS="TagA"), number) for number in range(4))
CASES.one("batch", SEND_BATCH, send_v2("writable", 2, "", batch=True), _items)
CASES.one("batch by v2", SEND_V2, send_v2("writable", 2, "", batch=True), _items)
CASES.one("batch by v1", SEND, send_fields("writable", 2, "", batch=True), _items)
CASES.one("batch with a key of its own", SEND_BATCH, send_v2("writable", 2, properties(UNIQ_KEY="whole", WAIT="true"), batch=True), _items)
CASES.one("batch of one", SEND_BATCH, send_v2("writable", 2, "", batch=True), batch_item("one"))
CASES.one("batch without a body", SEND_BATCH, send_v2("writable", 2, "", batch=True), b"")
CASES.one("batch cut off", SEND_BATCH, send_v2("writable", 2, "", batch=True), _items[:-3])
CASES.one("batch cut off in a size", SEND_BATCH, send_v2("writable", 2, "", batch=True), _items + b"\x00\x00")
CASES.one("batch that is text", SEND_BATCH, send_v2("writable", 2, "", batch=True), b"this is no batch of messages at all")
CASES.one("batch with a size of zero", SEND_BATCH, send_v2("writable", 2, "", batch=True), bytes(64))
CASES.one("batch with a negative size", SEND_BATCH, send_v2("writable", 2, "", batch=True), b"\xff" * 64)
CASES.one("batch with an item without a body", SEND_BATCH, send_v2("writable", 2, "", batch=True), batch_item("a") + batch_item("") + batch_item("b"))
CASES.one("batch delayed", SEND_BATCH, send_v2("writable", 2, properties(DELAY=1), batch=True), _items)
CASES.one("batch delayed, an item", SEND_BATCH, send_v2("writable", 2, "", batch=True), batch_item("a", properties(DELAY=1)))
CASES.one("batch transaction", SEND_BATCH, send_v2("writable", 2, "", batch=True, sysFlag=4), _items)
CASES.one("batch to a retry topic", SEND_BATCH, send_v2("%RETRY%readers", 0, "", batch=True), _items)
CASES.one("batch to a dead-letter topic", SEND_BATCH, send_v2("%DLQ%readers", 0, "", batch=True), _items)
CASES.one("batch to an unknown topic", SEND_BATCH, send_v2("made-by-batch", 0, "", batch=True), _items)
CASES.one("batch to a topic of 128", SEND_BATCH, send_v2("t" * 128, 0, "", batch=True), _items)
CASES.one("batch to a topic of batches", SEND_BATCH, send_v2("batches", 1, properties(UNIQ_KEY="b2"), batch=True), _items)
CASES.one("batch to a topic of batches, no key", SEND_BATCH, send_v2("batches", 1, "", batch=True), _items)
CASES.one("single to a topic of batches", SEND_V2, send_v2("batches", 1), b"hello")
CASES.one("batch queue -1", SEND_BATCH, send_v2("writable", -1, "", batch=True), _items, masks=ANY_QUEUE)

# --- retry and dead-letter topics

CASES.one("retry topic", SEND_V2, send_v2("%RETRY%readers"), b"hello")
CASES.one("retry topic made", SEND_V2, send_v2("%RETRY%new-readers"), b"hello")
CASES.one("retry topic made, unit", SEND_V2, send_v2("%RETRY%unit-readers", unitMode=True), b"hello")
CASES.one("retry topic beyond its attempts", SEND_V2, send_v2("%RETRY%readers", reconsumeTimes=17), b"hello")
CASES.one("retry topic at its last attempt", SEND_V2, send_v2("%RETRY%readers", reconsumeTimes=16), b"hello")
CASES.one("retry topic beyond the client's attempts", SEND_V2, send_v2("%RETRY%readers", reconsumeTimes=3, maxReconsumeTimes=2), b"hello")
CASES.one("retry topic, old client", SEND_V2, send_v2("%RETRY%readers", reconsumeTimes=3, maxReconsumeTimes=2), b"hello", version=120)
CASES.one("retry topic, version absent", SEND_V2, send_v2("%RETRY%readers", reconsumeTimes=3, maxReconsumeTimes=2), b"hello", version=None)
CASES.one("retry topic with delay", SEND_V2, send_v2("%RETRY%readers", 0, properties(UNIQ_KEY="rd", DELAY=5), reconsumeTimes=2), b"hello")
CASES.one("retry topic with nothing behind", SEND_V2, send_v2("%RETRY%"), b"hello")
CASES.one("retry topic of an odd group", SEND_V2, send_v2("%RETRY%a.b"), b"hello")
CASES.one("retry topic of 255", SEND_V2, send_v2("%RETRY%" + "g" * 248), b"hello")
CASES.one("retry topic of 256", SEND_V2, send_v2("%RETRY%" + "g" * 249), b"hello")
CASES.one("retry topic of 127", SEND_V2, send_v2("%RETRY%" + "g" * 120), b"hello")
CASES.one("retry topic of 128", SEND_V2, send_v2("%RETRY%" + "g" * 121), b"hello")
CASES.one("retry topic of an impatient group", SEND_V2, send_v2("%RETRY%impatient", reconsumeTimes=1), b"hello")
CASES.one("retry topic of a group without retry queues", SEND_V2, send_v2("%RETRY%no-retries"), b"hello")
CASES.one("dead-letter topic", SEND_V2, send_v2("%DLQ%readers"), b"hello")
CASES.one("dead-letter topic made", SEND_V2, send_v2("%DLQ%unheard-of"), b"hello")


@CASES.steps("retry topic while its queue is locked")
def _(side):
    side.quietly(LOCK, {}, as_json({"consumerGroup": "locking", "clientId": "c", "mqSet": [{"topic": "plain", "brokerName": "broker-a", "queueId": 0}]}))
    side.ask(SEND_V2, send_v2("%RETRY%locking"), b"hello")


# --- one-way, order, reuse


@CASES.steps("one-way")
def _(side):
    """Nothing comes back; the next answer on the connection shows that the message is stored."""
    connection = side.connection()
    before = int(side.quietly(MAX_OFFSET, {"topic": "ordered", "queueId": 1}, on=connection)["offset"])
    for number in range(3):
        connection.send(wire.frame(wire.json_header(SEND_V2, send_v2("ordered", 1, properties(UNIQ_KEY=f"oneway{number}")), 7, flag=wire.ONE_WAY), b"quiet"))
    side.settle()

    def stored():
        side.settle()
        return int(side.quietly(MAX_OFFSET, {"topic": "ordered", "queueId": 1}, on=connection)["offset"]) - before
    wait_until(lambda: stored() >= 3, 20, "three messages to be stored")
    side.ask(SEND_V2, send_v2("ordered", 1, properties(UNIQ_KEY="answered")), b"loud", on=connection, name="next answer")
    side.settle()
    side.keep("stored", stored(), connection)


@CASES.steps("one-way refused")
def _(side):
    connection = side.connection()
    connection.send(wire.frame(wire.json_header(SEND_V2, send_v2("a.b"), 7, flag=wire.ONE_WAY), b"quiet"))
    side.ask(SEND_V2, send_v2("ordered", 2, properties(UNIQ_KEY="answered")), b"loud", on=connection, name="next answer")


@CASES.steps("opaque used twice at a time")
def _(side):
    connection = side.connection()
    for number in range(2):
        connection.send(wire.frame(wire.json_header(SEND_V2, send_v2("ordered", 3, properties(UNIQ_KEY=f"same{number}")), 99), b"twice"))
    for number in range(2):
        answer = connection.answer(99)
        side.keep(f"answer {number}", {"code": answer.code, "opaque": answer.opaque}, connection)
