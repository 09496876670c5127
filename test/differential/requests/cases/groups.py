"""Groups: 200, 207, 352, 201, 208, 343."""

from suite import wire
from suite.bodies import parse_json
from suite.variant import Cases

from .common import (ALL_GROUPS, CONSUME_STATS, DELETE_GROUP, GROUP_CONFIG, HEART_BEAT, INT_MAX, ODD_NAMES, PULL, QUERY_OFFSET, TOPICS_OF_GROUP, UPDATE_GROUP,
                     UPDATE_OFFSET, as_json, consumer, heart_beat, pull_fields, subscription)
from .ground import GROUPS
from .ground import group as group_body

CASES = Cases("group")


def _update(name, group, body):
    @CASES.steps(f"update {name}")
    def _(side):
        side.ask(UPDATE_GROUP, {}, body, name="update")
        side.ask(GROUP_CONFIG, {"group": group}, name="config")


_update("plain", "g-plain", group_body("g-plain"))
_update("anew", "g-plain", group_body("g-plain", retryMaxTimes=3, consumeEnable=False))
_update("by its name alone", "g-name", as_json({"groupName": "g-name"}))
_update("unknown members", "g-more", group_body("g-more", nonsense=7, text="x"))
for _name in ("consumeEnable", "consumeFromMinEnable", "consumeBroadcastEnable", "consumeMessageOrderly", "notifyConsumerIdsChangedEnable"):
    for _value in (True, False, "true", "false", 1, None):
        _update(f"{_name} {_value!r}", f"g-{_name}-{_value}", group_body(f"g-{_name}-{_value}", **{_name: _value}))
for _name in ("retryQueueNums", "retryMaxTimes", "brokerId", "whichBrokerWhenConsumeSlowly", "groupSysFlag", "consumeTimeoutMinute"):
    for _value in (0, -1, INT_MAX, "5", None):
        _update(f"{_name} {_value!r}", f"g-{_name}-{_value}", group_body(f"g-{_name}-{_value}", **{_name: _value}))
_update("retryMaxTimes too large", "g-overflow", group_body("g-overflow", retryMaxTimes=INT_MAX + 1))
_update("retryMaxTimes text", "g-text", group_body("g-text", retryMaxTimes="many"))
_update("retry policy exponential", "g-exponential", group_body("g-exponential", groupRetryPolicy={"type": "EXPONENTIAL", "exponentialRetryPolicy": {"initial": 1000, "max": 9000, "multiplier": 2}}))
_update("retry policy customized", "g-customized", group_body("g-customized", groupRetryPolicy={"type": "CUSTOMIZED", "customizedRetryPolicy": {"next": [1000, 2000]}}))
_update("retry policy unheard of", "g-policy", group_body("g-policy", groupRetryPolicy={"type": "RANDOM"}))
_update("retry policy null", "g-policy-null", group_body("g-policy-null", groupRetryPolicy=None))
_update("subscriptions", "g-subscriptions", group_body("g-subscriptions", subscriptionDataSet=[{"topic": "plain", "subString": "*"}]))
_update("attributes", "g-attributes", group_body("g-attributes", attributes={"+priority.factor": "5"}))
_update("attributes unknown", "g-attributes-bad", group_body("g-attributes-bad", attributes={"+unheard.of": "5"}))
_update("attributes without a sign", "g-attributes-sign", group_body("g-attributes-sign", attributes={"priority.factor": "5"}))
_update("of the system", "CID_RMQ_SYS_mine", group_body("CID_RMQ_SYS_mine"))
_update("built in", "TOOLS_CONSUMER", group_body("TOOLS_CONSUMER", retryMaxTimes=2))
for _size in (120, 121, 255, 256):
    _update(f"of {_size}", "z" * _size, group_body("z" * _size))
for _kind, _value in ODD_NAMES:
    CASES.one(f"update {_kind}", UPDATE_GROUP, {}, group_body(_value))
    CASES.one(f"config {_kind}", GROUP_CONFIG, {"group": _value})
    CASES.one(f"delete {_kind}", DELETE_GROUP, {"groupName": _value})
CASES.one("update without a name", UPDATE_GROUP, {}, as_json({"retryMaxTimes": 3}))
CASES.one("update name null", UPDATE_GROUP, {}, as_json({"groupName": None}))
CASES.one("update name number", UPDATE_GROUP, {}, as_json({"groupName": 17}))
CASES.one("update empty object", UPDATE_GROUP, {}, b"{}")
CASES.one("update empty body", UPDATE_GROUP, {}, b"")
CASES.one("update no JSON", UPDATE_GROUP, {}, b"nonsense")
CASES.one("update array", UPDATE_GROUP, {}, b"[]")
CASES.one("update no ext fields", UPDATE_GROUP, None, group_body("g-no-ext"))
CASES.one("update binary", UPDATE_GROUP, {}, group_body("g-binary"), kind=wire.ROCKETMQ)

for _group in ("readers", "disabled", "no-retries", "impatient", "unit-group", "TOOLS_CONSUMER", "SELF_TEST_C_GROUP", "CID_RMQ_SYS_TRANS", "CID_ONSAPI_PULL",
               "made-by-asking", "CID_RMQ_SYS_made", "q" * 120, "q" * 121):
    CASES.one(f"config {_group[:20]}{len(_group) if len(_group) > 20 else ''}", GROUP_CONFIG, {"group": _group})
CASES.one("config nothing at all", GROUP_CONFIG, {})
CASES.one("config no ext fields", GROUP_CONFIG, None)
CASES.one("config binary", GROUP_CONFIG, {"group": "readers"}, kind=wire.ROCKETMQ)


@CASES.steps("all", masks=("*.timestamp", "*.counter", "*.stateVersion"))
def _(side):
    """Those of the ground, and those that every broker has."""
    for name, fields in (("plain", {}), ("no ext fields", None), ("paged", {"groupSeq": 0, "maxGroupNum": 2}), ("bad page", {"groupSeq": "x", "maxGroupNum": "y"})):
        answer = side.main.ask(ALL_GROUPS, fields)
        body = parse_json(answer.body)
        table = body.pop("subscriptionGroupTable")
        side.keep(name, {"code": answer.code, "counts": int(answer["totalGroupNum"]) == len(table), "body": body, "ext": sorted(answer.fields),
                         "groups": {each: config for each, config in table.items() if each in GROUPS or each.isupper() or each.startswith("CID_ONS")}})


# --- statistics

TIMES = ("*.body.offsetTable.*.lastTimestamp", "*.body.consumeTps")


@CASES.steps("stats", masks=TIMES)
def _(side):
    for topic, queue, offset in (("plain", 0, 5), ("plain", 1, 1), ("empty", 0, 0), ("wide", 7, 3)):
        side.ask(UPDATE_OFFSET, {"consumerGroup": "readers", "topic": topic, "queueId": queue, "commitOffset": offset}, name=f"commit {topic} {queue}")
    for name, more in (("all topics", {}), ("one topic", {"topic": "plain"}), ("a list", {"topicList": "plain;empty"}), ("a topic and a list", {"topic": "wide", "topicList": "plain"}),
                       ("an unknown topic", {"topic": "unheard-of"}), ("a topic without offsets", {"topic": "closed"}), ("an empty topic", {"topic": ""}),
                       ("an empty list", {"topicList": ""}), ("separators", {"topicList": ";;"})):
        side.ask(CONSUME_STATS, {"consumerGroup": "readers", **more}, name=name)
    side.ask(CONSUME_STATS, {"consumerGroup": "readers"}, kind=wire.ROCKETMQ, name="binary")


@CASES.steps("stats of a group online", masks=TIMES)
def _(side):
    on = side.connection()
    side.ask(HEART_BEAT, {}, heart_beat("s@1", consumer("stats-online", subscription("plain"))), on=on, name="beat")
    side.ask(CONSUME_STATS, {"consumerGroup": "stats-online"}, on=on, name="nothing committed")
    for topic in ("plain", "empty"):
        side.ask(UPDATE_OFFSET, {"consumerGroup": "stats-online", "topic": topic, "queueId": 0, "commitOffset": 2}, on=on, name=f"commit {topic}")
    side.ask(CONSUME_STATS, {"consumerGroup": "stats-online"}, on=on, name="one topic is not subscribed")
    side.ask(CONSUME_STATS, {"consumerGroup": "stats-online", "topic": "empty"}, on=on, name="asked for the other")
    side.ask(CONSUME_STATS, {"consumerGroup": "stats-online", "topic": "%RETRY%stats-online"}, on=on, name="asked for its retries")


@CASES.steps("stats of a group that pulls", masks=TIMES)
def _(side):
    side.ask(PULL, pull_fields("stats-pulls", "plain", 0, 3, maxMsgNums=2), name="pull")
    side.ask(UPDATE_OFFSET, {"consumerGroup": "stats-pulls", "topic": "plain", "queueId": 0, "commitOffset": 3}, name="commit")
    side.ask(CONSUME_STATS, {"consumerGroup": "stats-pulls"}, name="stats")


CASES.one("stats of nobody", CONSUME_STATS, {"consumerGroup": "unheard-of"})
CASES.one("stats nothing at all", CONSUME_STATS, {})
CASES.one("stats no ext fields", CONSUME_STATS, None)


@CASES.steps("topics of a group")
def _(side):
    for group in ("readers", "stats-online", "unheard-of", ""):
        answer = side.main.ask(TOPICS_OF_GROUP, {"group": group})
        body = parse_json(answer.body) if answer.body else {"topicList": []}
        side.keep(group or "empty", {"code": answer.code, "remark": answer.remark, "topics": sorted(body.pop("topicList")), "more": body})


CASES.one("topics of a group nothing at all", TOPICS_OF_GROUP, {})
CASES.one("topics of a group no ext fields", TOPICS_OF_GROUP, None)

# --- deletion

for _clean in (None, True, False):
    @CASES.steps(f"delete, clean offsets {_clean}")
    def _(side, clean=_clean):
        group = f"g-deleted-{clean}"
        side.ask(UPDATE_GROUP, {}, group_body(group, retryMaxTimes=5), name="make")
        side.ask(UPDATE_OFFSET, {"consumerGroup": group, "topic": "plain", "queueId": 0, "commitOffset": 4}, name="commit")
        side.ask(DELETE_GROUP, {"groupName": group, **({} if clean is None else {"cleanOffset": clean})}, name="delete")
        side.ask(UPDATE_OFFSET, {"consumerGroup": group, "topic": "plain", "queueId": 0, "commitOffset": 6}, name="commit again")
        side.ask(QUERY_OFFSET, {"consumerGroup": group, "topic": "plain", "queueId": 0, "setZeroIfNotFound": False}, name="committed")
        side.ask(DELETE_GROUP, {"groupName": group}, name="delete again")
        side.ask(GROUP_CONFIG, {"group": group}, name="config")


@CASES.steps("delete, nothing committed")
def _(side):
    group = "g-deleted-before"
    side.ask(UPDATE_GROUP, {}, group_body(group), name="make")
    side.ask(DELETE_GROUP, {"groupName": group}, name="delete")
    side.ask(UPDATE_OFFSET, {"consumerGroup": group, "topic": "plain", "queueId": 0, "commitOffset": 6}, name="commit")
    side.ask(QUERY_OFFSET, {"consumerGroup": group, "topic": "plain", "queueId": 0, "setZeroIfNotFound": False}, name="committed")


@CASES.steps("delete, committed for another topic")
def _(side):
    group = "g-deleted-another"
    side.ask(UPDATE_GROUP, {}, group_body(group), name="make")
    side.ask(UPDATE_OFFSET, {"consumerGroup": group, "topic": "empty", "queueId": 0, "commitOffset": 6}, name="commit")
    side.ask(DELETE_GROUP, {"groupName": group}, name="delete")
    side.ask(UPDATE_OFFSET, {"consumerGroup": group, "topic": "plain", "queueId": 0, "commitOffset": 6}, name="commit again")
    side.ask(QUERY_OFFSET, {"consumerGroup": group, "topic": "plain", "queueId": 0, "setZeroIfNotFound": False}, name="committed")


CASES.one("delete unknown", DELETE_GROUP, {"groupName": "unheard-of"})
CASES.one("delete built in", DELETE_GROUP, {"groupName": "SELF_TEST_C_GROUP"})
CASES.one("delete nothing at all", DELETE_GROUP, {})
CASES.one("delete no ext fields", DELETE_GROUP, None)
CASES.one("delete odd flag", DELETE_GROUP, {"groupName": "unheard-of", "cleanOffset": "what"})
CASES.one("delete binary", DELETE_GROUP, {"groupName": "unheard-of"}, kind=wire.ROCKETMQ)
