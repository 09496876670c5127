"""Messages with a time of their own, and taking them back. None becomes due while this runs, unless it is due at once."""

import base64
import time

from suite.variant import Cases

from .common import LONG_MAX, SEND, SEND_V2, properties, send_fields, send_v2

CASES = Cases("timer")
RECALL, TIMER_METRICS = 370, 61
# A day ahead; the same for both.
DAY = 86_400
AT = (int(time.time()) + DAY) * 1000
# What depends on the moment of the send.
RELATIVE = ("*.TIMER_OUT_MS", "answer.ext.recallHandle")


def timed(queue=0, topic="writable", masks=(), body=b"hello", **more):
    return dict(fields=send_v2(topic, queue, properties(UNIQ_KEY="timed", **more)), body=body, masks=masks)


def handle(*parts):
    return base64.urlsafe_b64encode(" ".join(str(part) for part in parts).encode()).decode()


def good(topic="writable", broker="broker-a", at=AT + 1, key="timed"):
    return handle("v1", topic, broker, at, key)


def recall(value, topic="writable", **more):
    fields = {"producerGroup": "producers", "topic": topic, "recallHandle": value, **more}
    return {name: value for name, value in fields.items() if value is not None}


for _value in (AT, AT + 1, AT + 999, AT + 123_456):
    CASES.one(f"TIMER_DELIVER_MS day {_value - AT:+}", SEND_V2, **timed(TIMER_DELIVER_MS=_value))
CASES.one("TIMER_DELIVER_MS, long names", SEND, send_fields("writable", 0, properties(UNIQ_KEY="timed", TIMER_DELIVER_MS=AT)), b"hello")
for _value in (100_000, 259_200, "+100000"):
    CASES.one(f"TIMER_DELAY_SEC {_value}", SEND_V2, **timed(3, TIMER_DELAY_SEC=_value, masks=RELATIVE))
for _value in (100_000_000, 259_200_000):
    CASES.one(f"TIMER_DELAY_MS {_value}", SEND_V2, **timed(3, TIMER_DELAY_MS=_value, masks=RELATIVE))
# Too far away.
for _far, _name, _value in (("by one", "TIMER_DELAY_SEC", 259_201), ("over 64 bits of milliseconds", "TIMER_DELAY_SEC", LONG_MAX // 1000),
                            ("by one", "TIMER_DELAY_MS", 259_200_001), ("by a day", "TIMER_DELIVER_MS", AT + 259_200_000), ("largest", "TIMER_DELIVER_MS", LONG_MAX)):
    CASES.one(f"{_name} too far, {_far}", SEND_V2, **timed(**{_name: _value}))
# No times.
for _name in ("TIMER_DELAY_SEC", "TIMER_DELAY_MS", "TIMER_DELIVER_MS"):
    for _value in ("soon", "1.5", " 1", "0x1", LONG_MAX + 1):
        CASES.one(f"{_name} none: {_value}", SEND_V2, **timed(**{_name: _value}))
# Due at once.
for _name, _value in (("TIMER_DELAY_SEC", 0), ("TIMER_DELAY_SEC", -1), ("TIMER_DELAY_MS", -5), ("TIMER_DELIVER_MS", 0), ("TIMER_DELIVER_MS", 1), ("TIMER_DELIVER_MS", -7)):
    CASES.one(f"{_name} over: {_value}", SEND_V2, **timed(**{_name: _value}))
# Of several, one counts.
CASES.one("seconds before milliseconds before time", SEND_V2, **timed(TIMER_DELAY_SEC=0, TIMER_DELAY_MS=100_000_000, TIMER_DELIVER_MS=AT))
CASES.one("milliseconds before time", SEND_V2, **timed(TIMER_DELAY_MS=0, TIMER_DELIVER_MS=AT))
CASES.one("seconds of text before a time", SEND_V2, **timed(TIMER_DELAY_SEC="soon", TIMER_DELIVER_MS=AT))
CASES.one("has waited already", SEND_V2, **timed(TIMER_DELIVER_MS=AT, TIMER_OUT_MS=5))
CASES.one("retry topic", SEND_V2, **timed(topic="%RETRY%readers", TIMER_DELIVER_MS=AT, masks=("answer.ext.queueOffset",)))
CASES.one("cancels", SEND_V2, **timed(TIMER_DELIVER_MS=AT, TIMER_DEL_UNIQKEY="writable+nobody"))
CASES.one("cancels what is over", SEND_V2, **timed(TIMER_DELIVER_MS=1, TIMER_DEL_UNIQKEY="writable+nobody"))
CASES.one("cancels without a time", SEND_V2, **timed(TIMER_DEL_UNIQKEY="writable+nobody"))
CASES.one("body empty", SEND_V2, **timed(TIMER_DELIVER_MS=AT, body=b""))
CASES.one("topic unknown", SEND_V2, send_v2("not-made", 0, properties(UNIQ_KEY="timed", TIMER_DELIVER_MS=AT), defaultTopic="nowhere"), b"hello")
CASES.one("properties that leave no room", SEND_V2, **timed(TIMER_DELIVER_MS=AT, p="x" * 32_650))

CASES.one("recall", RECALL, recall(good()))
CASES.one("recall without a group", RECALL, recall(good(), producerGroup=None))
CASES.one("recall of nobody's message", RECALL, recall(good(key="nobody")))
CASES.one("recall without padding", RECALL, recall(good().rstrip("=")))
CASES.one("recall without a topic", RECALL, recall(good(), topic=None))
CASES.one("recall without a handle", RECALL, recall(None))
CASES.one("recall, topic unknown", RECALL, recall(good(topic="not-made"), topic="not-made"))
CASES.one("recall, another topic", RECALL, recall(good(topic="plain")))
CASES.one("recall, another broker", RECALL, recall(good(broker="broker-z")))
for _name, _value in (("over", 1), ("negative", -1), ("too far", AT + 400_000_000), ("largest", LONG_MAX)):
    CASES.one(f"recall, time {_name}", RECALL, recall(good(at=_value)))
for _name, _value in (("text", "nonsense!"), ("empty", ""), ("version", handle("v2", "writable", "broker-a", AT + 1, "k")), ("parts short", handle("v1", "writable", "broker-a", AT + 1)),
                      ("parts long", handle("v1", "writable", "broker-a", AT + 1, "k", "k")), ("time text", handle("v1", "writable", "broker-a", "soon", "k")),
                      ("time over long", handle("v1", "writable", "broker-a", LONG_MAX + 1, "k")), ("not URL-safe", "djEg+/=="), ("nothing in it", handle(""))):
    CASES.one(f"recall, handle {_name}", RECALL, recall(_value))

# Apache's broker counts by and by.
CASES.one("metrics", TIMER_METRICS, masks=("answer.body*",))
