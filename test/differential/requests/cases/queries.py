"""QUERY_MESSAGE (12) and VIEW_MESSAGE_BY_ID (33)."""

from harness.waiting import wait_until
from suite import wire
from suite.variant import Cases

from .common import BAD_INTS, BAD_LONGS, INT_MAX, LONG_MAX, PULL, QUERY_MESSAGE, VIEW, pull_fields

CASES = Cases("query")
WHEN = ("answer.ext.indexLastUpdateTimestamp", "answer.ext.indexLastUpdatePhyoffset")


def _query(topic, key, count=32, begin=0, end=LONG_MAX, **more):
    fields = {"topic": topic, "key": key, "maxNum": count, "beginTimestamp": begin, "endTimestamp": end, **more}
    return {name: value for name, value in fields.items() if value is not None}


@CASES.steps("index is there", masks=("*.ext.indexLast*",))
def _(side):
    """The index is written behind the log; the last message of the ground is found before anything else is asked."""
    wait_until(lambda: side.main.ask(QUERY_MESSAGE, _query("batches", "single", _UNIQUE_KEY_QUERY="true")).code == 0, 20, "the index")
    side.ask(QUERY_MESSAGE, _query("plain", "unique-11", _UNIQUE_KEY_QUERY="true"), name="last key")


for _key in ("key3", "all", "nothing", "KEY3", "", " ", "key", "alone", "标签"):
    CASES.one(f"key {_key or 'empty'}", QUERY_MESSAGE, _query("plain", _key), masks=WHEN)
for _key in ("unique-03", "unique-99", "key3", "all"):
    CASES.one(f"unique key {_key}", QUERY_MESSAGE, _query("plain", _key, _UNIQUE_KEY_QUERY="true"), masks=WHEN)
    CASES.one(f"unique key {_key}, said otherwise", QUERY_MESSAGE, _query("plain", _key, _UNIQUE_KEY_QUERY="false"), masks=WHEN)
for _kind in ("T", "K", "U", "", "x"):
    for _key in ("TagA", "TagB", "key3", "unique-03"):
        CASES.one(f"index type {_kind or 'empty'} {_key}", QUERY_MESSAGE, _query("plain", _key, indexType=_kind), masks=WHEN)
CASES.one("in batches", QUERY_MESSAGE, _query("batches", "batch-1"), masks=WHEN)
CASES.one("in batches, the whole", QUERY_MESSAGE, _query("batches", "batch", _UNIQUE_KEY_QUERY="true"), masks=WHEN)
CASES.one("binary", QUERY_MESSAGE, _query("plain", "key3"), kind=wire.ROCKETMQ, masks=WHEN)
CASES.one("topic unknown", QUERY_MESSAGE, _query("unheard-of", "key3"), masks=WHEN)
CASES.one("topic without permissions", QUERY_MESSAGE, _query("closed", "key3"), masks=WHEN)
for _count in (0, 1, 2, 64, 65, -1, INT_MAX):
    CASES.one(f"count {_count}", QUERY_MESSAGE, _query("plain", "all", _count), masks=WHEN)
for _begin, _end in ((0, 0), (0, 1), (LONG_MAX, LONG_MAX), (LONG_MAX, 0), (-1, LONG_MAX), (-LONG_MAX - 1, LONG_MAX), (0, -1)):
    CASES.one(f"times {_begin} to {_end}", QUERY_MESSAGE, _query("plain", "all", 32, _begin, _end), masks=WHEN)
for _name in ("topic", "key", "maxNum", "beginTimestamp", "endTimestamp"):
    CASES.one(f"without {_name}", QUERY_MESSAGE, {name: value for name, value in _query("plain", "all").items() if name != _name}, masks=WHEN)
for _kind, _value in BAD_INTS:
    CASES.one(f"count {_kind}", QUERY_MESSAGE, _query("plain", "all", _value), masks=WHEN)
for _kind, _value in BAD_LONGS:
    CASES.one(f"begin {_kind}", QUERY_MESSAGE, _query("plain", "all", 32, _value), masks=WHEN)
CASES.one("nothing at all", QUERY_MESSAGE, {})
CASES.one("no ext fields", QUERY_MESSAGE, None)
CASES.one("last key and count", QUERY_MESSAGE, _query("plain", "all", 5, lastKey="0"), masks=WHEN)


@CASES.steps("view by position")
def _(side):
    """The positions are those that a pull shows."""
    body = side.quietly(PULL, pull_fields("readers", "plain")).body
    positions, at = [], 0
    while at < len(body):
        positions.append(int.from_bytes(body[at + 28:at + 36], "big"))
        at += int.from_bytes(body[at:at + 4], "big")
    for number, position in enumerate(positions):
        side.ask(VIEW, {"offset": position}, name=f"message {number}")
    side.ask(VIEW, {"offset": positions[0], "topic": "plain"}, name="with its topic")
    side.ask(VIEW, {"offset": positions[0], "topic": "empty"}, name="with another topic")
    side.ask(VIEW, {"offset": positions[0]}, name="binary", kind=wire.ROCKETMQ)
    for more in (1, -1, 4):
        side.ask(VIEW, {"offset": positions[3] + more}, name=f"beside by {more}")


for _offset in (-1, LONG_MAX, -LONG_MAX - 1, 1 << 40):
    CASES.one(f"view {_offset}", VIEW, {"offset": _offset})
for _kind, _value in BAD_LONGS:
    CASES.one(f"view {_kind}", VIEW, {"offset": _value})
CASES.one("view nothing at all", VIEW, {})
CASES.one("view no ext fields", VIEW, None)
