"""What a queue holds, and where groups stand in it: 14, 15, 29 to 32."""

from suite import wire
from suite.variant import Cases

from .common import (BAD_INTS, BAD_LONGS, BORN, EARLIEST, INT_MAX, LONG_MAX, MAX_OFFSET, MIN_OFFSET, ODD_NAMES, QUERY_OFFSET, SEARCH_OFFSET,
                     UPDATE_OFFSET)

CASES = Cases("offset")
TIME = ("answer.ext.timestamp",)

for _code, _name in ((MAX_OFFSET, "max"), (MIN_OFFSET, "min"), (EARLIEST, "earliest"), (SEARCH_OFFSET, "search")):
    _more = {"timestamp": BORN} if _code == SEARCH_OFFSET else {}
    for _topic, _queue in (("plain", 0), ("plain", 1), ("plain", 3), ("plain", 4), ("plain", -1), ("plain", INT_MAX), ("batches", 0),
                           ("unheard-of", 0), ("closed", 0), ("SCHEDULE_TOPIC_XXXX", 17), ("", 0), ("a.b", 0)):
        CASES.one(f"{_name} of {_topic or 'no name'} {_queue}", _code, {"topic": _topic, "queueId": _queue, **_more},
                  masks=TIME if (_topic, _queue) in (("plain", 0), ("plain", 1), ("batches", 0), ("closed", 0), ("SCHEDULE_TOPIC_XXXX", 17)) else ())
    CASES.one(f"{_name} binary", _code, {"topic": "plain", "queueId": 0, **_more}, kind=wire.ROCKETMQ, masks=TIME)
    CASES.one(f"{_name} without topic", _code, {"queueId": 0, **_more})
    CASES.one(f"{_name} without queue", _code, {"topic": "plain", **_more}, masks=TIME)
    CASES.one(f"{_name} nothing at all", _code, {})
    CASES.one(f"{_name} no ext fields", _code, None)
    CASES.one(f"{_name} with a body and unknown fields", _code, {"topic": "plain", "queueId": 0, "x": "y", **_more}, b"body", masks=TIME)
    for _kind, _value in BAD_INTS:
        CASES.one(f"{_name} queue {_kind}", _code, {"topic": "plain", "queueId": _value, **_more}, masks=TIME)
CASES.one("max committed", MAX_OFFSET, {"topic": "plain", "queueId": 0, "committed": True})
CASES.one("max not committed", MAX_OFFSET, {"topic": "plain", "queueId": 0, "committed": False})
CASES.one("max committed, odd", MAX_OFFSET, {"topic": "plain", "queueId": 0, "committed": "what"})

for _kind, _value in BAD_LONGS:
    CASES.one(f"search timestamp {_kind}", SEARCH_OFFSET, {"topic": "plain", "queueId": 0, "timestamp": _value})
for _value in (0, -1, BORN, LONG_MAX, -LONG_MAX - 1):
    for _boundary in (None, "lower", "upper", "LOWER", "UPPER", "middle", ""):
        _fields = {"topic": "plain", "queueId": 0, "timestamp": _value, **({} if _boundary is None else {"boundaryType": _boundary})}
        CASES.one(f"search {_value} {'no boundary' if _boundary is None else _boundary or 'empty boundary'}", SEARCH_OFFSET, _fields)
for _value in (0, LONG_MAX):
    for _boundary in ("lower", "upper"):
        CASES.one(f"search batches {_value} {_boundary}", SEARCH_OFFSET, {"topic": "batches", "queueId": 0, "timestamp": _value, "boundaryType": _boundary})
        CASES.one(f"search empty queue {_value} {_boundary}", SEARCH_OFFSET, {"topic": "plain", "queueId": 3, "timestamp": _value, "boundaryType": _boundary})

# --- where groups stand


def _commit(group, topic, queue=0, offset=3):
    fields = {"consumerGroup": group, "topic": topic, "queueId": queue, "commitOffset": offset}
    return {name: value for name, value in fields.items() if value is not None}


def _query(group, topic, queue=0, **more):
    return {"consumerGroup": group, "topic": topic, "queueId": queue, **more}


CASES.one("update unknown group", UPDATE_OFFSET, _commit("nobody", "plain"))
CASES.one("update unknown topic", UPDATE_OFFSET, _commit("readers", "unheard-of"))
CASES.one("update both unknown", UPDATE_OFFSET, _commit("nobody", "unheard-of"))
for _name in ("consumerGroup", "topic", "queueId", "commitOffset"):
    CASES.one(f"update without {_name}", UPDATE_OFFSET, {name: value for name, value in _commit("readers", "plain").items() if name != _name})
for _kind, _value in BAD_INTS:
    CASES.one(f"update queue {_kind}", UPDATE_OFFSET, _commit("readers", "plain", _value))
for _kind, _value in BAD_LONGS:
    CASES.one(f"update offset {_kind}", UPDATE_OFFSET, _commit("readers", "plain", 0, _value))
CASES.one("update nothing at all", UPDATE_OFFSET, {})
CASES.one("update no ext fields", UPDATE_OFFSET, None)
for _name, _queue, _offset in (("middle", 0, 5), ("end", 0, 12), ("behind the end", 0, 1000), ("largest", 0, LONG_MAX), ("back", 0, 2), ("negative", 0, -1),
                               ("queue 4 of 4", 4, 3), ("queue -1", -1, 3), ("queue largest", INT_MAX, 3), ("zero", 1, 0), ("empty queue", 3, 7)):
    @CASES.steps(f"update {_name}")
    def _(side, queue=_queue, offset=_offset):
        side.ask(UPDATE_OFFSET, _commit("readers", "plain", queue, offset), name="update")
        side.ask(QUERY_OFFSET, _query("readers", "plain", queue), name="query")
CASES.one("update binary", UPDATE_OFFSET, _commit("readers", "plain", 2, 1), kind=wire.ROCKETMQ)

for _zero in (None, "true", "false", "what"):
    _how = {} if _zero is None else {"setZeroIfNotFound": _zero}
    for _topic, _queue in (("plain", 0), ("plain", 1), ("plain", 3), ("plain", 4), ("batches", 0), ("unheard-of", 0), ("closed", 0)):
        CASES.one(f"query {_topic} {_queue} never committed, zero {_zero}", QUERY_OFFSET, _query("never", _topic, _queue, **_how))
CASES.one("query committed", QUERY_OFFSET, _query("readers", "plain", 0))
CASES.one("query committed binary", QUERY_OFFSET, _query("readers", "plain", 0), kind=wire.ROCKETMQ)
for _name in ("consumerGroup", "topic", "queueId"):
    CASES.one(f"query without {_name}", QUERY_OFFSET, {name: value for name, value in _query("readers", "plain").items() if name != _name})
for _kind, _value in BAD_INTS:
    CASES.one(f"query queue {_kind}", QUERY_OFFSET, _query("readers", "plain", _value))
for _kind, _value in ODD_NAMES:
    CASES.one(f"query group {_kind}", QUERY_OFFSET, _query(_value, "plain"))
CASES.one("query nothing at all", QUERY_OFFSET, {})
CASES.one("query no ext fields", QUERY_OFFSET, None)
