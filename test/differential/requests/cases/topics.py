"""Topics: 17, 215, 351, 21, 202, 305."""

from suite import wire
from suite.bodies import parse_json
from suite.variant import Cases

from .common import (ALL_TOPICS, BAD_INTS, CREATE_TOPIC, DELETE_TOPIC, INT_MAX, MAX_OFFSET, ODD_NAMES, PULL, QUERY_OFFSET, SEND_V2, SYSTEM_TOPICS, TOPIC_CONFIG,
                     TOPIC_STATS, UPDATE_OFFSET, pull_fields, send_v2, topic_fields)
from .ground import TOPICS

CASES = Cases("topic")
TIMES = ("*.body.offsetTable.*.lastUpdateTimestamp", "*.body.topicPutTps")


def _create(name, topic, **how):
    """What is answered, and what the topic is then."""
    @CASES.steps(f"create {name}")
    def _(side):
        side.ask(CREATE_TOPIC, topic_fields(topic, **how), name="create")
        side.ask(TOPIC_CONFIG, {"topic": topic}, name="config")


_create("plain", "new-plain")
_create("anew", "new-plain", read=2, write=3, perm=4)
_create("as it is", "new-plain", read=2, write=3, perm=4)
for _name in ("topic", "defaultTopic", "readQueueNums", "writeQueueNums", "perm", "topicFilterType", "topicSysFlag", "order"):
    CASES.one(f"create without {_name}", CREATE_TOPIC, {each: value for each, value in topic_fields("new-lacking").items() if each != _name})
for _name in ("readQueueNums", "writeQueueNums", "perm", "topicSysFlag"):
    for _kind, _value in BAD_INTS if _name == "readQueueNums" else BAD_INTS[:4:3]:
        CASES.one(f"create {_name} {_kind}", CREATE_TOPIC, {**topic_fields("new-odd"), _name: _value})
for _kind, _value in ODD_NAMES:
    CASES.one(f"create {_kind}", CREATE_TOPIC, topic_fields(_value))
    CASES.one(f"delete {_kind}", DELETE_TOPIC, {"topic": _value})
    CASES.one(f"config {_kind}", TOPIC_CONFIG, {"topic": _value})
    CASES.one(f"stats {_kind}", TOPIC_STATS, {"topic": _value})
for _size in (127, 128):
    _create(f"of {_size}", "n" * _size)
_create("retry topic of 255", "%RETRY%" + "n" * 248)
_create("retry topic of 256", "%RETRY%" + "n" * 249)
for _queues in (0, 1, -1, 65_536):
    _create(f"with {_queues} queues", f"new-{_queues}", read=_queues, write=_queues)
_create("read none", "new-read-none", read=0)
_create("write none", "new-write-none", write=0)
for _perm in (0, 1, 2, 3, 5, 7, 8, 14, 15, 16, -1, INT_MAX):
    _create(f"perm {_perm}", f"new-perm-{_perm}", perm=_perm)
for _type in ("MULTI_TAG", "multi_tag", "NO_TAG", "", "1"):
    _create(f"filter type {_type or 'empty'}", f"new-type-{_type}", topicFilterType=_type)
for _flag in (1, 2, 3, -1, INT_MAX):
    _create(f"sys flag {_flag}", f"new-flag-{_flag}", topicSysFlag=_flag)
for _order in ("true", "TRUE", "yes", ""):
    _create(f"order {_order or 'empty'}", f"new-order-{_order}", order=_order)
for _number, _text in enumerate(("+message.type=FIFO", "+message.type=NORMAL", "+message.type=MIXED", "+message.type=what", "+queue.type=BatchCQ", "+queue.type=SimpleCQ",
                                 "+queue.type=RocksCQ", "+cleanup.policy=COMPACTION", "+cleanup.policy=DELETE", "+reserve.time=1", "+reserve.time=-1", "+reserve.time=-2",
                                 "+reserve.time=x", "+unheard.of=1", "message.type=FIFO", "-message.type", "+message.type", "+message.type=FIFO,+message.type=NORMAL",
                                 "+message.type=FIFO,+reserve.time=5", "", ",", "+", "+=", "+message.type=PRIORITY", "+message.type=LITE", "+lite.topic.expiration=5",
                                 "+lite.topic.expiration=43201", "+lite.topic.expiration=0", " +message.type=FIFO", "+message.type=DELAY", "+message.type=TRANSACTION",
                                 "+message.type=UNSPECIFIED", "+message.type=fifo", "+message.type=FIFO=x", "+reserve.time=9223372036854775808")):
    _create(f"attributes {_text or 'empty'}", f"new-attributes-{_number}", attributes=_text)
for _name, _text in (("mutable", "+message.type=DELAY"), ("immutable", "+queue.type=SimpleCQ"), ("delete", "-message.type"), ("delete again", "-message.type"),
                     ("delete what never was", "-reserve.time"), ("delete immutable", "-queue.type"), ("nothing", "")):
    _create(f"change attributes {_name}", "new-changing", attributes=_text)
_create("after another default", "new-default", defaultTopic="unheard-of")
_create("by force", "new-forced", force=True)
CASES.one("create binary", CREATE_TOPIC, topic_fields("new-binary"), kind=wire.ROCKETMQ)
CASES.one("create nothing at all", CREATE_TOPIC, {})
CASES.one("create no ext fields", CREATE_TOPIC, None)
for _name in ("TBW102", "SCHEDULE_TOPIC_XXXX", "BenchmarkTest", "RMQ_SYS_TRANS_HALF_TOPIC", "DefaultCluster", "broker-a", "DefaultCluster_REPLY_TOPIC",
              "rmq_sys_anything", "SELF_TEST_TOPIC", "OFFSET_MOVED_EVENT", "rmq_sys_REVIVE_LOG_DefaultCluster"):
    CASES.one(f"create system {_name}", CREATE_TOPIC, topic_fields(_name))
    CASES.one(f"delete system {_name}", DELETE_TOPIC, {"topic": _name})
    CASES.one(f"config system {_name}", TOPIC_CONFIG, {"topic": _name})

# --- configs and statistics

for _topic in ("plain", "wide", "many-tags", "unit", "ordered", "batches", "%RETRY%readers", "%DLQ%readers", "made-by-send", "made-for-unit", "made-with-many-queues",
               "made-without-queues", "unheard-of", "t" * 128, "%RETRY%unit-readers"):
    CASES.one(f"config {_topic[:30]}", TOPIC_CONFIG, {"topic": _topic})
    CASES.one(f"stats {_topic[:30]}", TOPIC_STATS, {"topic": _topic}, masks=TIMES)
CASES.one("stats SCHEDULE_TOPIC_XXXX", TOPIC_STATS, {"topic": "SCHEDULE_TOPIC_XXXX"}, masks=(*TIMES, "*.maxOffset"))
for _code, _name in ((TOPIC_CONFIG, "config"), (TOPIC_STATS, "stats"), (DELETE_TOPIC, "delete")):
    CASES.one(f"{_name} nothing at all", _code, {})
    CASES.one(f"{_name} no ext fields", _code, None)
    CASES.one(f"{_name} binary", _code, {"topic": "unheard-of"}, kind=wire.ROCKETMQ)
CASES.one("config logical", TOPIC_CONFIG, {"topic": "plain", "lo": True})


@CASES.steps("all", masks=("*.timestamp", "*.counter", "*.stateVersion"))
def _(side):
    """Those of the ground, and those that every broker has."""
    for name, fields, how in (("plain", {}, {}), ("no ext fields", None, {}), ("paged", {"topicSeq": 0, "maxTopicNum": 3}, {}),
                              ("binary", {}, {"kind": wire.ROCKETMQ}), ("bad page", {"topicSeq": "x", "maxTopicNum": "y"}, {})):
        answer = side.main.ask(ALL_TOPICS, fields, **how)
        body = parse_json(answer.body)
        table = body.pop("topicConfigTable")
        side.keep(name, {"code": answer.code, "counts": int(answer["totalTopicNum"]) == len(table), "body": body, "ext": sorted(answer.fields),
                         "topics": {topic: config for topic, config in table.items() if is_common(topic)}})


def is_common(topic):
    # When Apache's broker makes TRANS_CHECK_MAX_TIME_TOPIC depends on the moment.
    return topic in TOPICS or (not topic.startswith(("TRANS_CHECK", "new-", "made-", "%", "n" * 127, "passing")))


@CASES.steps("system list")
def _(side):
    for name, fields in (("plain", {}), ("no ext fields", None)):
        answer = side.main.ask(SYSTEM_TOPICS, fields)
        body = parse_json(answer.body)
        side.keep(name, {"code": answer.code, "ext": answer.fields, "topics": {topic: True for topic in body.pop("topicList")}, "more": body})


# --- deletion


@CASES.steps("delete", masks=TIMES)
def _(side):
    """Its queues and what groups committed go, too; made anew it begins at zero."""
    topic = "passing"
    side.ask(CREATE_TOPIC, topic_fields(topic), name="create")
    side.ask(SEND_V2, send_v2(topic), b"one", name="send")
    side.ask(UPDATE_OFFSET, {"consumerGroup": "readers", "topic": topic, "queueId": 0, "commitOffset": 1}, name="commit")
    side.ask(DELETE_TOPIC, {"topic": topic}, name="delete")
    side.ask(TOPIC_CONFIG, {"topic": topic}, name="config")
    side.ask(TOPIC_STATS, {"topic": topic}, name="stats")
    side.ask(PULL, pull_fields("readers", topic), name="pull")
    side.ask(MAX_OFFSET, {"topic": topic, "queueId": 0}, name="end")
    side.ask(QUERY_OFFSET, {"consumerGroup": "readers", "topic": topic, "queueId": 0, "setZeroIfNotFound": False}, name="committed")
    side.ask(DELETE_TOPIC, {"topic": topic}, name="delete again")
    side.ask(SEND_V2, send_v2(topic, defaultTopic="nowhere"), b"two", name="send to nothing")
    side.ask(CREATE_TOPIC, topic_fields(topic), name="create again")
    side.ask(SEND_V2, send_v2(topic), b"three", name="send again")


CASES.one("delete unknown", DELETE_TOPIC, {"topic": "unheard-of"})
CASES.one("delete a retry topic", DELETE_TOPIC, {"topic": "%RETRY%new-readers"})
