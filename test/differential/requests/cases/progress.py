"""Offsets and statistics that tools look at (43, 45, 303, 308, 314, 315, 317, 321, 328, 345), lists of topics and groups (18, 225), what a
group may not read (353), maintenance (306, 316, 329), and half messages that are asked about again (323)."""

from harness.waiting import wait_until
from suite import wire
from suite.bodies import parse_json
from suite.variant import Cases

from .common import (ALL_CONSUME_STATS, ALL_DELAY_OFFSETS, ALL_OFFSETS, ALL_PRODUCERS, BAD_INTS, BAD_LONGS, CLEAN_QUEUES, CLEAN_TOPICS, CLONE_OFFSET, CORRECTION,
                     CREATE_TOPIC, CREATE_TOPICS, DELETE_EXPIRED, FORBIDDEN, GROUP_CONFIG, HEART_BEAT, INT_MAX, LONG_MAX, MAX_OFFSET, ODD_NAMES, PULL, QUERY_OFFSET,
                     QUEUE_ENTRIES, RESUME_CHECK, SEND_V2, SUBSCRIPTION_OF, TIME_SPAN, TOPIC_CONFIG, UPDATE_GROUP, UPDATE_GROUPS, UPDATE_OFFSET, VIEW_STATS, as_json,
                     consumer, heart_beat, properties, pull_fields, send_v2, subscription, topic_fields)
from .ground import group as group_body

CASES = Cases("progress")


def _without(fields, *names):
    return {name: value for name, value in fields.items() if name not in names}


def _commit(side, group, topic, queue, offset):
    side.quietly(UPDATE_OFFSET, {"consumerGroup": group, "topic": topic, "queueId": queue, "commitOffset": offset})


def _stands(side, group, topic, queue, name):
    side.ask(QUERY_OFFSET, {"consumerGroup": group, "topic": topic, "queueId": queue, "setZeroIfNotFound": False}, name=name)


@CASES.steps("groups of this module")
def _(side):
    side.ask(CREATE_TOPIC, topic_fields("spanless", 1, 1), name="topic")
    for name in ("cloned", "smallest-a", "smallest-b", "smallest-c", "timed", "behind"):
        side.ask(UPDATE_GROUP, {}, group_body(name), name=name)
        side.quietly(HEART_BEAT, {}, heart_beat(f"p@{name}"))


# --- offsets


@CASES.steps("clone")
def _(side):
    _commit(side, "cloned", "plain", 0, 5)
    _commit(side, "cloned", "plain", 1, 1)
    _commit(side, "cloned", "empty", 0, 0)
    side.ask(CLONE_OFFSET, {"srcGroup": "cloned", "destGroup": "clone-a", "topic": "plain", "offline": True}, name="one topic")
    for queue in range(3):
        _stands(side, "clone-a", "plain", queue, f"queue {queue}")
    _stands(side, "clone-a", "empty", 0, "another topic")
    _commit(side, "cloned", "plain", 0, 6)
    _stands(side, "clone-a", "plain", 0, "it stays")
    side.ask(CLONE_OFFSET, {"srcGroup": "cloned", "destGroup": "clone-a", "topic": "plain"}, name="again")
    _stands(side, "clone-a", "plain", 0, "it follows")
    side.ask(CLONE_OFFSET, {"srcGroup": "cloned", "destGroup": "clone-a", "topic": "unheard-of"}, name="unknown topic")
    side.ask(CLONE_OFFSET, {"srcGroup": "unheard-of", "destGroup": "clone-a", "topic": "plain"}, name="unknown group")
    _stands(side, "clone-a", "plain", 0, "unchanged")


@CASES.steps("clone of a group online")
def _(side):
    _commit(side, "cloned", "plain", 0, 7)
    _commit(side, "cloned", "empty", 0, 0)
    side.quietly(HEART_BEAT, {}, heart_beat("o@1", consumer("cloned", subscription("plain"))), on=side.connection())
    for topic in ("plain", "empty"):
        side.ask(CLONE_OFFSET, {"srcGroup": "cloned", "destGroup": "clone-online", "topic": topic}, name=topic)
        _stands(side, "clone-online", topic, 0, f"{topic}: stands")
    side.ask(CLONE_OFFSET, {"srcGroup": "cloned", "destGroup": "clone-online", "topic": "empty", "offline": True}, name="as if offline")
    _stands(side, "clone-online", "empty", 0, "as if offline: stands")


@CASES.steps("clone all topics")
def _(side):
    side.ask(CLONE_OFFSET, {"srcGroup": "cloned", "destGroup": "clone-all", "offline": True}, name="clone")
    _stands(side, "clone-all", "plain", 0, "stands")


CASES.one("clone from nobody", CLONE_OFFSET, {"destGroup": "clone-a", "topic": "plain"})
CASES.one("clone nothing at all", CLONE_OFFSET, {})


@CASES.steps("correction")
def _(side):
    for group, queue, offset in (("smallest-a", 0, 5), ("smallest-b", 0, 3), ("smallest-b", 1, 1), ("smallest-c", 0, 4)):
        _commit(side, group, "narrow", queue, offset)
    for name, more in (("of nobody", {"compareGroup": "unheard-of"}), ("of the smallest", {"compareGroup": "smallest-b"}), ("of another", {"compareGroup": "smallest-c"}),
                       ("of an empty name", {"compareGroup": ""}), ("of another topic", {"compareGroup": "smallest-a", "topic": "unheard-of"})):
        side.ask(CORRECTION, {"topic": "narrow", **more}, name=name)


@CASES.steps("correction, groups left out")
def _(side):
    side.ask(CORRECTION, {"topic": "narrow", "compareGroup": "unheard-of", "filterGroups": "smallest-b,x"}, name="one")
    _stands(side, "smallest-b", "narrow", 0, "stands")


CASES.one("correction nothing at all", CORRECTION, {})


@CASES.steps("all offsets")
def _(side):
    for name, fields, how in (("plain", {}, {}), ("no ext fields", None, {}), ("binary", {}, {"kind": wire.ROCKETMQ})):
        answer = side.main.ask(ALL_OFFSETS, fields, **how)
        body = parse_json(answer.body)
        side.keep(name, {"code": answer.code, "ext": answer.fields, "members": sorted(body), "of a group": body["offsetTable"].get("plain@cloned")})


@CASES.steps("all delay offsets")
def _(side):
    answer = side.main.ask(ALL_DELAY_OFFSETS, {})
    body = parse_json(answer.body)
    side.keep("answer", {"code": answer.code, "ext": answer.fields, "members": sorted(body), "zero": set(body["offsetTable"].values()) <= {0}})


# --- times and statistics

SPANS = ("*TimeStamp*", "*.delayTime")


@CASES.steps("time span", masks=SPANS)
def _(side):
    _commit(side, "timed", "plain", 0, 5)
    for topic, group in (("plain", "timed"), ("plain", "unheard-of"), ("empty", "timed"), ("narrow", "timed"), ("unheard-of", "timed"), ("plain", "")):
        side.ask(TIME_SPAN, {"topic": topic, "group": group}, name=f"{topic} {group}")


@CASES.steps("time span, its texts")
def _(side):
    """They are those of the numbers."""
    answer = side.main.ask(TIME_SPAN, {"topic": "spanless", "group": "timed"})
    side.keep("spanless", [{name: value for name, value in span.items() if name != "delayTime"} for span in parse_json(answer.body)["consumeTimeSpanSet"]])


CASES.one("time span nothing at all", TIME_SPAN, {})


@CASES.steps("stats of all groups")
def _(side):
    _commit(side, "behind", "plain", 1, 0)
    _commit(side, "behind", "ordered", 0, 0)
    for name, fields in (("plain", {"isOrder": False}), ("ordered", {"isOrder": True}), ("no flag", {})):
        answer = side.main.ask(ALL_CONSUME_STATS, fields)
        body = parse_json(answer.body)
        groups = {group: stats for entry in body["consumeStatsList"] for group, stats in entry.items()}
        tables = {key: {at: offset for at, offset in row.items() if at in ("consumerOffset", "pullOffset")}
                  for stats in groups["behind"] for key, row in stats["offsetTable"].items()}
        side.keep(name, {"code": answer.code, "remark": answer.remark, "members": sorted(body), "address": body["brokerAddr"], "one each": len(groups) == len(body["consumeStatsList"]),
                         "behind": tables, "numbers": isinstance(body["totalDiff"], int)})


@CASES.steps("counters")
def _(side):
    for name, key in (("TOPIC_PUT_NUMS", "unheard-of"), ("UNHEARD_OF", "plain"), ("", ""), ("GROUP_GET_NUMS", "plain@unheard-of")):
        side.ask(VIEW_STATS, {"statsName": name, "statsKey": key}, name=f"{name} {key}")
    side.ask(VIEW_STATS, {"statsName": "TOPIC_PUT_NUMS"}, name="no key")
    side.ask(VIEW_STATS, {}, name="nothing at all")


@CASES.steps("counters of what was sent and pulled", masks=("*.sum", "*.tps", "*.avgpt"))
def _(side):
    """Both look at them every ten seconds."""
    side.quietly(SEND_V2, send_v2("plain", 3), b"to be counted")
    side.main.ask(PULL, pull_fields("readers", "plain", 0, 0))
    for name, key in (("TOPIC_PUT_NUMS", "plain"), ("GROUP_GET_NUMS", "plain@readers"), ("GROUP_GET_SIZE", "plain@readers"), ("BROKER_PUT_NUMS", "DefaultCluster"),
                      ("BROKER_GET_NUMS", "DefaultCluster")):
        wait_until(lambda: side.main.ask(VIEW_STATS, {"statsName": name, "statsKey": key}).code == 0, 30, f"{name} {key}")
        side.ask(VIEW_STATS, {"statsName": name, "statsKey": key}, name=f"{name} {key}")


# --- entries of a queue

ENTRIES = {"topic": "batches", "queueId": 0, "index": 0, "count": 2}
POSITIONS = ("*.physicOffset",)
# Sizes of records with an offset in their properties are not alike.
CASES.one("entries of batches", QUEUE_ENTRIES, ENTRIES, masks=(*POSITIONS, "*.physicSize"))
ENTRIES = {"topic": "plain", "queueId": 0, "index": 0, "count": 2}
for _name, _more in (("plain", {}), ("more than there are", {"index": 10, "count": 1000}), ("none", {"count": 0}), ("-1 of them", {"count": -1}), ("from the middle", {"index": 5}),
                     ("from the end", {"index": 12}), ("from behind the end", {"index": 1000}), ("from -1", {"index": -1}), ("from the largest", {"index": LONG_MAX}),
                     ("of an unknown topic", {"topic": "unheard-of"}), ("of queue -1", {"queueId": -1}), ("of an unknown queue", {"queueId": 77}),
                     ("for a group offline", {"consumerGroup": "readers"}), ("for an empty group", {"consumerGroup": ""})):
    CASES.one(f"entries {_name}", QUEUE_ENTRIES, {**ENTRIES, **_more}, masks=POSITIONS)
for _name in ENTRIES:
    CASES.one(f"entries without {_name}", QUEUE_ENTRIES, _without(ENTRIES, _name), masks=POSITIONS)
for _kind, _value in BAD_INTS:
    CASES.one(f"entries queue {_kind}", QUEUE_ENTRIES, {**ENTRIES, "queueId": _value}, masks=POSITIONS)
for _kind, _value in BAD_LONGS:
    CASES.one(f"entries index {_kind}", QUEUE_ENTRIES, {**ENTRIES, "index": _value}, masks=POSITIONS)


@CASES.steps("entries for a group online", masks=POSITIONS)
def _(side):
    on = side.connection()
    side.quietly(HEART_BEAT, {}, heart_beat("e@1", consumer("entries-online", subscription("plain", "TagA", 3, ["TagA"], [2598919]))), on=on)
    side.ask(QUEUE_ENTRIES, {**ENTRIES, "consumerGroup": "entries-online"}, on=on, name="answer")


# --- who is there


@CASES.steps("producers", masks=("*.lastUpdateTimestamp",))
def _(side):
    on = side.connection()
    side.quietly(HEART_BEAT, {}, heart_beat("all@1", producers=["all-producers-a", "all-producers-b"]), on=on)
    for name, fields in (("plain", {}), ("no ext fields", None)):
        answer = on.ask(ALL_PRODUCERS, fields)
        data = parse_json(answer.body)["data"]
        side.keep(name, {"code": answer.code, "ext": answer.fields, "groups": {group: data.get(group) for group in ("all-producers-a", "all-producers-b")}}, on)


@CASES.steps("subscription")
def _(side):
    on = side.connection()
    side.quietly(HEART_BEAT, {}, heart_beat("s@1", consumer("subscribed", subscription("plain", "TagA || TagB", 3, ["TagA", "TagB"], [2598919, 2598920]))), on=on)
    for group, topic in (("subscribed", "plain"), ("subscribed", "empty"), ("unheard-of", "plain"), ("subscribed", "unheard-of")):
        side.ask(SUBSCRIPTION_OF, {"group": group, "topic": topic}, on=on, name=f"{group} {topic}")
    side.ask(SUBSCRIPTION_OF, {}, on=on, name="nothing at all")


# --- lists


def _topic(name, **more):
    return {"topicName": name, "readQueueNums": 3, "writeQueueNums": 3, "perm": 6, "topicFilterType": "SINGLE_TAG", "topicSysFlag": 0, "order": False, "attributes": {}, **more}


def _topics(name, *topics, **how):
    @CASES.steps(f"topics {name}")
    def _(side):
        side.ask(CREATE_TOPICS, {}, as_json({"topicConfigList": list(topics)}), name="make", **how)
        for topic in topics:
            side.ask(TOPIC_CONFIG, {"topic": topic["topicName"]}, name=topic["topicName"] or "no name")


_topics("two", _topic("list-a"), _topic("list-b", readQueueNums=8, writeQueueNums=2, perm=4, order=True, topicSysFlag=1, topicFilterType="MULTI_TAG"))
_topics("one anew", _topic("list-a", readQueueNums=5))
_topics("one with attributes", _topic("list-attributes", attributes={"+message.type": "FIFO"}))
_topics("one unchanged, one new", _topic("list-b", readQueueNums=8, writeQueueNums=2, perm=4, order=True, topicSysFlag=1, topicFilterType="MULTI_TAG"), _topic("list-c"))
_topics("one illegal", _topic("list-d"), _topic("a.b"))
_topics("one of the system", _topic("list-d"), _topic("TBW102"))
_topics("one mixed", _topic("list-d"), _topic("list-mixed", attributes={"+message.type": "MIXED"}))
_topics("one with attributes unknown", _topic("list-unknown", attributes={"+unheard.of": "x"}))
_topics("of no name", _topic(""))
CASES.one("topics none", CREATE_TOPICS, {}, as_json({"topicConfigList": []}))
CASES.one("topics no list", CREATE_TOPICS, {}, b"{}")
CASES.one("topics no JSON", CREATE_TOPICS, {}, b"nonsense")
CASES.one("topics no body", CREATE_TOPICS, {})


def _groups(name, *bodies):
    @CASES.steps(f"groups {name}")
    def _(side):
        side.ask(UPDATE_GROUPS, {}, b'{"groupConfigList":[' + b",".join(bodies) + b"]}", name="make")
        for group in ("list-g", "list-h"):
            side.ask(GROUP_CONFIG, {"group": group}, name=group)


_groups("one", group_body("list-g", retryMaxTimes=3))
_groups("two", group_body("list-g", retryMaxTimes=4), group_body("list-h", consumeEnable=False))
_groups("one illegal", group_body("list-g", retryMaxTimes=5), group_body("a/b"))
_groups("none")
CASES.one("groups no list", UPDATE_GROUPS, {}, b"{}")
CASES.one("groups no JSON", UPDATE_GROUPS, {}, b"nonsense")
CASES.one("groups no body", UPDATE_GROUPS, {})
for _kind, _value in ODD_NAMES:
    CASES.one(f"groups name {_kind}", UPDATE_GROUPS, {}, b'{"groupConfigList":[' + group_body(_value) + b"]}")

# --- what a group may not read


@CASES.steps("forbidden")
def _(side):
    on = side.connection()
    side.quietly(HEART_BEAT, {}, heart_beat("f@1", consumer("forbidden", subscription("plain"))), on=on)
    pulled = pull_fields("forbidden", "plain", 0, 12, sysFlag=0, subVersion=1, subscription=None, expressionType=None)
    for name, more in (("asked", {}), ("taken", {"readable": False}), ("asked again", {}), ("taken again", {"readable": False}), ("given", {"readable": True}),
                       ("given again", {"readable": True}), ("odd", {"readable": "what"}), ("given back", {"readable": "TRUE"})):
        side.ask(FORBIDDEN, {"group": "forbidden", "topic": "plain", **more}, on=on, name=name)
        side.ask(PULL, pulled, on=on, name=f"{name}: pull")
    side.ask(FORBIDDEN, {"group": "unheard-of", "topic": "unheard-of"}, on=on, name="unknown")


@CASES.steps("forbidden in two topics")
def _(side):
    for name, more in (("plain", {"topic": "plain", "readable": False}), ("empty", {"topic": "empty", "readable": False}), ("plain given", {"topic": "plain", "readable": True}), ("empty asked", {"topic": "empty"})):
        side.ask(FORBIDDEN, {"group": "twice-forbidden", **more}, name=name)


CASES.one("forbidden nothing at all", FORBIDDEN, {})

# --- maintenance

for _code, _name in ((CLEAN_QUEUES, "clean queues"), (CLEAN_TOPICS, "clean topics"), (DELETE_EXPIRED, "delete expired")):
    @CASES.steps(_name)
    def _(side, code=_code):
        side.ask(code, {}, name="plain")
        side.ask(code, None, name="no ext fields")
        side.ask(code, {}, kind=wire.ROCKETMQ, name="binary")
        side.ask(PULL, pull_fields("readers", "plain", 0, 11), name="what is there stays")

# --- half messages


@CASES.steps("resume check", masks=("half.ext.queueOffset",))
def _(side):
    sent = side.ask(SEND_V2, send_v2("plain", 3, properties(UNIQ_KEY="resumed", TRAN_MSG="true", PGROUP="resumers"), sysFlag=4), b"half", name="half")
    side.settle()
    before = int(side.main.ask(MAX_OFFSET, {"topic": "RMQ_SYS_TRANS_HALF_TOPIC", "queueId": 0})["offset"])
    side.ask(RESUME_CHECK, {"msgId": f"7F000001{side.port:08X}{sent.positions[0]:016X}"}, name="resume")
    side.settle()
    after = int(side.main.ask(MAX_OFFSET, {"topic": "RMQ_SYS_TRANS_HALF_TOPIC", "queueId": 0})["offset"])
    side.keep("one more", after > before)


for _name, _id in (("no message", "7F000001" + "0" * 8 + f"{10**15:016X}"), ("no id", "x"), ("empty", "")):
    CASES.one(f"resume check {_name}", RESUME_CHECK, {"msgId": _id})
CASES.one("resume check nothing at all", RESUME_CHECK, {})
