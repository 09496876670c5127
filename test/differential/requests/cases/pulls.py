"""PULL_MESSAGE (11) and LITE_PULL_MESSAGE (361)."""

from suite import wire
from suite.variant import Cases

from .common import (BAD_INTS, BAD_LONGS, HEART_BEAT, INT_MAX, LITE_PULL, LONG_MAX, ODD_NAMES, PULL, QUERY_OFFSET, SEND_V2, consumer,
                     heart_beat, properties, pull_fields, send_v2, subscription)

CASES = Cases("pull")
COMMIT, SUSPEND, SUBSCRIPTION, CLASS_FILTER, LITE = 1, 2, 4, 8, 16

for _code, _name in ((PULL, "plain"), (LITE_PULL, "lite")):
    CASES.one(f"{_name}", _code, pull_fields("readers", "plain"))
    CASES.one(f"{_name} binary", _code, pull_fields("readers", "plain"), kind=wire.ROCKETMQ)
    CASES.one(f"{_name} nothing at all", _code, {})
    CASES.one(f"{_name} no ext fields", _code, None)
    for _flag in range(32):
        if _flag & SUSPEND == 0:
            CASES.one(f"{_name} sysFlag {_flag:#x}", _code, pull_fields("readers", "plain", sysFlag=_flag, offset=10))
    CASES.one(f"{_name} suspend, but there is something", _code, pull_fields("readers", "plain", sysFlag=6))

for _name in ("consumerGroup", "topic", "queueId", "queueOffset", "maxMsgNums", "sysFlag", "commitOffset", "suspendTimeoutMillis",
              "subscription", "subVersion", "expressionType"):
    CASES.one(f"without {_name}", PULL, pull_fields("readers", "plain", offset=11, **{_name: None}))
for _name in ("queueId", "maxMsgNums", "sysFlag"):
    for _kind, _value in BAD_INTS:
        CASES.one(f"{_name} {_kind}", PULL, pull_fields("readers", "plain", **{_name: _value}))
for _name in ("queueOffset", "commitOffset", "suspendTimeoutMillis", "subVersion"):
    for _kind, _value in BAD_LONGS:
        CASES.one(f"{_name} {_kind}", PULL, pull_fields("readers", "plain", **{_name: _value}))
CASES.one("unknown fields", PULL, {**pull_fields("readers", "plain"), "nonsense": "x", "AccessKey": "key", "bname": "broker-a", "lo": "false"})
CASES.one("bare numbers", PULL, {**pull_fields("readers", "plain", offset=11), "queueId": wire.Raw(0), "maxMsgNums": wire.Raw(1)})

# --- offsets and counts

for _offset in (0, 1, 11, 12, 13, 1000, LONG_MAX, -1, -1000):
    CASES.one(f"from {_offset}", PULL, pull_fields("readers", "plain", 0, _offset))
for _offset in (0, 1, -1, LONG_MAX):
    CASES.one(f"empty queue from {_offset}", PULL, pull_fields("readers", "plain", 3, _offset))
for _offset in (0, 1, 2, 3, 4, 5):
    CASES.one(f"batches from {_offset}", PULL, pull_fields("readers", "batches", 0, _offset))
for _count in (0, 1, 2, 11, -1, INT_MAX):
    CASES.one(f"count {_count}", PULL, pull_fields("readers", "plain", maxMsgNums=_count))
    CASES.one(f"batches count {_count}", PULL, pull_fields("readers", "batches", maxMsgNums=_count))
for _bytes in (0, 1, 300, -1):
    CASES.one(f"maxMsgBytes {_bytes}", PULL, pull_fields("readers", "plain", maxMsgBytes=_bytes))

# --- queues, topics, groups

for _queue in (-1, 1, 3, 4, INT_MAX):
    CASES.one(f"queue {_queue}", PULL, pull_fields("readers", "plain", _queue))
CASES.one("queue for reading alone", PULL, pull_fields("readers", "wide", 6))
CASES.one("queue for writing alone", PULL, pull_fields("readers", "narrow", 2))
CASES.one("topic unknown", PULL, pull_fields("readers", "unheard-of"))
CASES.one("topic closed", PULL, pull_fields("readers", "closed"))
CASES.one("topic write-only", PULL, pull_fields("readers", "writeonly"))
CASES.one("topic read-only", PULL, pull_fields("readers", "readonly"))
CASES.one("topic of 127", PULL, pull_fields("readers", "t" * 127))
CASES.one("topic of 128", PULL, pull_fields("readers", "t" * 128))
CASES.one("topic unit", PULL, pull_fields("unit-group", "unit"))
CASES.one("topic retry", PULL, pull_fields("readers", "%RETRY%readers"))
CASES.one("topic schedule", PULL, pull_fields("readers", "SCHEDULE_TOPIC_XXXX", 0), masks=("answer.body", "answer.ext.*"))
for _kind, _value in ODD_NAMES:
    CASES.one(f"topic {_kind}", PULL, pull_fields("readers", _value))
    CASES.one(f"group {_kind}", PULL, pull_fields(_value, "plain", offset=11))
CASES.one("group made", PULL, pull_fields("made-by-pull", "plain", offset=11))
CASES.one("group of 120", PULL, pull_fields("p" * 120, "plain", offset=11))
CASES.one("group of 121", PULL, pull_fields("p" * 121, "plain", offset=11))
CASES.one("group of 255", PULL, pull_fields("p" * 255, "plain", offset=11))
CASES.one("group disabled", PULL, pull_fields("disabled", "plain"))
CASES.one("group of the system", PULL, pull_fields("CID_RMQ_SYS_x", "plain", offset=11))

# --- subscriptions that come with the pull

for _name, _value in (("TagA", "TagA"), ("TagA or TagB", "TagA || TagB"), ("no such tag", "TagC"), ("blanks", "   "), ("empty", ""), ("bars", "||"),
                      ("bars and blanks", " || "), ("star and more", "* || TagA"), ("not ASCII", "标签"), ("one empty", "TagA||"), ("long", "T" * 5000)):
    CASES.one(f"tags {_name}", PULL, pull_fields("readers", "plain", subscription=_value))
for _type in ("TAG", "", "tag", "SQL92", "sql92", "PYTHON"):
    CASES.one(f"expression type {_type or 'empty'}", PULL, pull_fields("readers", "plain", subscription="TagA", expressionType=_type))
for _name, _value in (("equal", "colour = 'red'"), ("number", "weight > 8"), ("tags", "TAGS = 'TagB'"), ("none", "colour = 'green'"), ("bad", "colour ="),
                      ("empty", ""), ("constant", "TRUE"), ("null", "other IS NULL"), ("bad type", "colour > 3")):
    CASES.one(f"sql {_name}", PULL, pull_fields("readers", "plain", subscription=_value, expressionType="SQL92", subVersion=7))
CASES.one("tags in batches", PULL, pull_fields("readers", "batches", subscription="TagA"))

# --- subscriptions of the group

CASES.one("group that nobody is in", PULL, pull_fields("readers", "plain", sysFlag=0))


@CASES.steps("group online")
def _(side):
    on = side.connection()
    side.ask(HEART_BEAT, {}, heart_beat("pulls@1", consumer("online", subscription("plain", "TagB", 5, ["TagB"], [2598920]))), on=on)
    for name, more in (("latest", {"subVersion": 5}), ("older", {"subVersion": 4}), ("newer", {"subVersion": 6}), ("no version", {"subVersion": None})):
        side.ask(PULL, pull_fields("online", "plain", sysFlag=0, **more), name=name)
    side.ask(PULL, pull_fields("online", "empty", sysFlag=0), name="another topic")
    side.ask(PULL, pull_fields("online", "%RETRY%online", sysFlag=0), name="retry topic")


@CASES.steps("group online by SQL")
def _(side):
    on = side.connection()
    side.ask(HEART_BEAT, {}, heart_beat("pulls@2", consumer("online-sql", subscription("plain", "weight > 9", 5, expressionType="SQL92"))), on=on)
    side.ask(PULL, pull_fields("online-sql", "plain", sysFlag=0, subVersion=5, expressionType="SQL92"), name="right")
    side.ask(PULL, pull_fields("online-sql", "plain", sysFlag=0, subVersion=5), name="type TAG in the pull")


@CASES.steps("group online, bad SQL")
def _(side):
    on = side.connection()
    side.ask(HEART_BEAT, {}, heart_beat("pulls@3", consumer("online-bad-sql", subscription("plain", "weight >", 5, expressionType="SQL92"))), on=on)
    side.ask(PULL, pull_fields("online-bad-sql", "plain", sysFlag=0, subVersion=5, expressionType="SQL92"))


@CASES.steps("group broadcasting")
def _(side):
    on = side.connection()
    for group in ("broadcasting", "not-broadcasting"):
        side.ask(HEART_BEAT, {}, heart_beat("pulls@4", consumer(group, subscription("plain"), messageModel="BROADCASTING")), on=on, name=f"beat {group}")
        side.ask(PULL, pull_fields(group, "plain", sysFlag=0, subVersion=1, offset=11), name=group)


# --- offsets that come with the pull


@CASES.steps("commit")
def _(side):
    for offset in (5, 1000, -1, 0):
        side.ask(PULL, pull_fields("commits", "plain", sysFlag=5, offset=11, commitOffset=offset), name=f"pull {offset}")
        side.ask(QUERY_OFFSET, {"consumerGroup": "commits", "topic": "plain", "queueId": 0}, name=f"committed {offset}")
    side.ask(PULL, pull_fields("commits", "unheard-of", sysFlag=5, commitOffset=3), name="pull of nothing")
    side.ask(QUERY_OFFSET, {"consumerGroup": "commits", "topic": "unheard-of", "queueId": 0, "setZeroIfNotFound": False}, name="nothing committed")
    side.ask(PULL, pull_fields("commits", "plain", 1, sysFlag=1, commitOffset=1), name="pull refused for its subscription")
    side.ask(QUERY_OFFSET, {"consumerGroup": "commits", "topic": "plain", "queueId": 1, "setZeroIfNotFound": False}, name="refused commits")


# --- pulls that wait


@CASES.steps("woken by messages")
def _(side):
    """One pull each for two tags and for a SQL expression: a message wakes those that it concerns."""
    on = side.connection()
    waiting = {"all": {}, "TagA": {"subscription": "TagA"}, "sql": {"subscription": "colour = 'red'", "expressionType": "SQL92"}}
    opaques = {}
    for name, more in waiting.items():
        opaques[name] = on.next_opaque()
        on.send(wire.frame(wire.json_header(PULL, pull_fields("waiters", "empty", sysFlag=6, suspendTimeoutMillis=25_000, **more), opaques[name])))
    # They have arrived before this one is answered, and wait, or find what it sends.
    side.ask(PULL, pull_fields("waiters", "empty", 1), on=on, name="not waiting")
    side.ask(SEND_V2, send_v2("empty", 0, properties(UNIQ_KEY="wake", TAGS="TagA", colour="red")), b"wake up", name="sent")
    answers = {opaque: on.answer(None) for opaque in opaques}
    by_opaque = {answer.opaque: answer for answer in answers.values()}
    for name, opaque in opaques.items():
        side.keep(name, by_opaque[opaque], on)


@CASES.steps("waited in vain")
def _(side):
    """All at a time, because Apache's broker looks every five seconds."""
    on = side.connection()
    asked = {
        "at the end": pull_fields("waiters", "plain", 1, 1, sysFlag=6, suspendTimeoutMillis=1),
        "queue that never had any": pull_fields("waiters", "plain", 3, 0, sysFlag=6, suspendTimeoutMillis=1),
        "no time at all": pull_fields("waiters", "plain", 1, 1, sysFlag=6, suspendTimeoutMillis=0),
        "negative time": pull_fields("waiters", "plain", 1, 1, sysFlag=6, suspendTimeoutMillis=-1),
        "with a commit": pull_fields("waiters", "plain", 1, 1, sysFlag=7, suspendTimeoutMillis=1, commitOffset=1),
        "nothing for its tag": pull_fields("waiters", "plain", 0, 0, sysFlag=6, suspendTimeoutMillis=1, subscription="TagZ"),
        "behind the end": pull_fields("waiters", "plain", 1, 2, sysFlag=6, suspendTimeoutMillis=1),
        "before the beginning": pull_fields("waiters", "plain", 1, -1, sysFlag=6, suspendTimeoutMillis=1),
    }
    opaques = {}
    for name, fields in asked.items():
        opaques[on.next_opaque()] = name
        on.send(wire.frame(wire.json_header(PULL, fields, max(opaques))))
    for _ in opaques:
        answer = on.answer(None)
        side.keep(opaques[answer.opaque], answer, on)
    side.ask(QUERY_OFFSET, {"consumerGroup": "waiters", "topic": "plain", "queueId": 1}, name="committed")


@CASES.steps("on the fast port")
def _(side):
    on = side.connection(side.port - 2)
    side.ask(PULL, pull_fields("readers", "plain"), on=on, name="pull")
    side.ask(LITE_PULL, pull_fields("readers", "plain"), on=on, name="lite pull")
    side.ask(SEND_V2, send_v2("writable"), b"fast", on=on, name="send")
