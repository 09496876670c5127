"""What brokers ask of consumers for an administrator: 307, 309, 223 (221); and where a group is to go on: 222 (220)."""

from suite import wire
from suite.bodies import parse_json
from suite.judge import NOTHING
from suite.variant import Cases

from .common import (BAD_INTS, BAD_LONGS, BORN, CONSUME_DIRECTLY, CONSUMER_STATUS, HEART_BEAT, INT_MAX, LONG_MAX, PULL, QUERY_OFFSET, RESET_OFFSET, RUNNING_INFO,
                     SEND_V2, TO_RESET, TO_STATUS, UPDATE_CONFIG, UPDATE_GROUP, UPDATE_OFFSET, as_json, consumer, heart_beat, pull_fields, send_v2,
                     subscription)
from .ground import group as group_body

CASES = Cases("control")
INFO = {"consumerGroup": "controlled", "clientId": "controlled@1", "jstackEnable": False}


def _member(side, name="controlled@1", group="controlled", **how):
    on = side.connection()
    side.quietly(HEART_BEAT, {}, heart_beat(name, consumer(group, subscription("plain"))), on=on, **how)
    return on


def _asked(side, member, code, fields, body=b"", name="answer", masked=(), answer=None, **how):
    """The request goes through to the member, who answers."""
    started = side.start(code, fields, body, **how)
    request = member.request(code)
    side.keep(f"{name}: asked", {"fields": {each: "(masked)" if each in masked else value for each, value in request.fields.items()},
                                 "size": len(request.body), "flag": request.flag}, member)
    member.respond(request, **(answer or {"body": b'{"properties":{"a":"b"}}'}))
    return side.finish(started, name)


@CASES.steps("running info")
def _(side):
    member = _member(side)
    _asked(side, member, RUNNING_INFO, INFO)
    _asked(side, member, RUNNING_INFO, {**INFO, "jstackEnable": True, "more": "x"}, b"a body", name="with more")
    _asked(side, member, RUNNING_INFO, INFO, name="binary", kind=wire.ROCKETMQ)
    _asked(side, member, RUNNING_INFO, INFO, name="refused", answer={"code": 77, "remark": "not now", "fields": {"why": "because"}})
    _asked(side, member, RUNNING_INFO, {"consumerGroup": "controlled", "clientId": "controlled@1"}, name="without the flag")


CASES.one("running info of nobody", RUNNING_INFO, {**INFO, "clientId": "unheard@of"})
CASES.one("running info of an unknown group", RUNNING_INFO, {**INFO, "consumerGroup": "unheard-of"})
CASES.one("running info without a group", RUNNING_INFO, {"clientId": "controlled@1"})
CASES.one("running info without a client", RUNNING_INFO, {"consumerGroup": "controlled"})
CASES.one("running info nothing at all", RUNNING_INFO, {})
CASES.one("running info no ext fields", RUNNING_INFO, None)


@CASES.steps("running info of one that is old")
def _(side):
    _member(side, version=61)
    side.ask(RUNNING_INFO, INFO, name="too old")
    _asked(side, _member(side, "controlled@2", version=62), RUNNING_INFO, {**INFO, "clientId": "controlled@2"}, name="old enough")


def _direct(side, **more):
    fields = {"consumerGroup": "controlled", "clientId": "controlled@1", "msgId": f"7F000001{side.port:08X}{side.told:016X}", "brokerName": "elsewhere", "topic": "plain", **more}
    return {name: value for name, value in fields.items() if value is not None}


@CASES.steps("consume directly")
def _(side):
    side.quietly(UPDATE_GROUP, {}, group_body("controlled"))
    member = _member(side)
    side.told = side.ask(SEND_V2, send_v2("plain", 3), b"to be consumed directly", name="sent").positions[0]
    told = {"body": as_json({"autoCommit": True, "consumeResult": "CR_SUCCESS", "order": False, "spentTimeMills": 3})}
    for name, more in (("plain", {}), ("no topic", {"topic": None}), ("unknown topic", {"topic": "unheard-of"}), ("unit topic", {"topic": "unit"}), ("no broker", {"brokerName": None}),
                       ("flags given", {"topicSysFlag": 9, "groupSysFlag": 9}), ("odd host", {"msgId": f"01020304{10911:08X}{side.told:016X}"})):
        _asked(side, member, CONSUME_DIRECTLY, _direct(side, **more), name=name, masked=("msgId",), answer=told)
    side.ask(CONSUME_DIRECTLY, _direct(side, clientId="unheard@of"), name="nobody")
    side.ask(CONSUME_DIRECTLY, _direct(side, msgId=None), name="no id")
    for name, value in (("empty", ""), ("short", "7F00"), ("text", "x" * 32), ("nothing there", "7F000001" + "0" * 8 + f"{10**15:016X}"), ("inside a message", f"7F000001{0:08X}{side.told + 8:016X}")):
        side.ask(CONSUME_DIRECTLY, _direct(side, msgId=value), name=name)
    side.ask(CONSUME_DIRECTLY, {}, name="nothing at all")


STATUS = {"topic": "plain", "group": "controlled"}
TABLE = b'{"messageQueueTable":{{"brokerName":"broker-a","queueId":1,"topic":"plain"}:%d}}'


@CASES.steps("status")
def _(side):
    first = _member(side)
    for name, more in (("one", {}), ("one by name", {"clientAddr": "controlled@1"}), ("blank name", {"clientAddr": " "}), ("empty name", {"clientAddr": ""})):
        started = side.start(CONSUMER_STATUS, {**STATUS, **more})
        request = first.request(TO_STATUS)
        side.keep(f"{name}: asked", {"fields": request.fields, "body": request.body.decode(), "flag": request.flag}, first)
        first.respond(request, body=TABLE % 7)
        side.finish(started, name)
    side.ask(CONSUMER_STATUS, {**STATUS, "clientAddr": "unheard@of"}, name="another")
    for name, answer in (("refuses", {"code": 1}), ("says nothing", {}), ("empty", {"body": b"{}"})):
        started = side.start(CONSUMER_STATUS, STATUS)
        first.respond(first.request(TO_STATUS), **answer)
        side.finish(started, name)


CASES.one("status of an unknown group", CONSUMER_STATUS, {"topic": "plain", "group": "unheard-of"})
CASES.one("status nothing at all", CONSUMER_STATUS, {})


@CASES.steps("status of one that is old")
def _(side):
    _member(side, version=27)
    side.ask(CONSUMER_STATUS, STATUS, name="too old")


# --- where to go on

RESET = {"topic": "plain", "group": "movers", "timestamp": 0, "isForce": True}


def _stands(side, name, *queues):
    for queue in queues:
        side.ask(QUERY_OFFSET, {"consumerGroup": "movers", "topic": "plain", "queueId": queue, "setZeroIfNotFound": False}, name=f"{name}: stands in {queue}")


@CASES.steps("reset, movers")
def _(side):
    side.ask(UPDATE_GROUP, {}, group_body("movers"), name="group")
    for queue in range(4):
        side.ask(UPDATE_OFFSET, {"consumerGroup": "movers", "topic": "plain", "queueId": queue, "commitOffset": 1}, name=f"commit {queue}")


def _plainly(answer):
    """Other variants have sent to queues 2 and 3, perhaps one more to the one broker than to the other."""
    return {"code": answer.code, "remark": answer.remark or NOTHING, "ext": answer.fields,
            "offsets": {key: value for key, value in (parse_json(answer.body)["offsetTable"] if answer.body else {}).items() if '"queueId": 0' in key or '"queueId": 1' in key}}


def _reset(name, fields, code=RESET_OFFSET, **how):
    @CASES.steps(f"reset {name}")
    def _(side):
        side.keep("answer", _plainly(side.main.ask(code, {name: value for name, value in fields.items() if value is not None}, **how)))
        _stands(side, "then", 0, 1)


_reset("to the beginning", RESET)
_reset("to the end", {**RESET, "timestamp": -1})
_reset("before the beginning", {**RESET, "timestamp": -2})
_reset("to what is to come", {**RESET, "timestamp": LONG_MAX})
_reset("to a birth", {**RESET, "timestamp": BORN})
_reset("not by force", {**RESET, "isForce": False})
_reset("without force", {**RESET, "isForce": None})
_reset("of one queue", {**RESET, "queueId": 0, "timestamp": -1})
_reset("of a queue that is not there", {**RESET, "queueId": 1000})
_reset("to an offset", {**RESET, "queueId": 0, "offset": 5})
_reset("to the first offset", {**RESET, "queueId": 0, "offset": 0})
_reset("to an offset of all queues", {**RESET, "queueId": -1, "offset": 5})
_reset("to offset -1", {**RESET, "queueId": 0, "offset": -1})
_reset("to offset -2", {**RESET, "queueId": 0, "offset": -2})
_reset("to an offset behind the end", {**RESET, "queueId": 1, "offset": 1000})
_reset("binary", RESET, kind=wire.ROCKETMQ)
_reset("by a tool in C++", RESET, language="CPP")
_reset("of an unknown topic", {**RESET, "topic": "unheard-of"})
_reset("of an unknown group", {**RESET, "group": "unheard-of"})
_reset("of nobody", {**RESET, "group": None})
_reset("of nothing", {**RESET, "topic": None})
_reset("without a time", {**RESET, "timestamp": None})
_reset("nothing at all", {})
for _kind, _value in BAD_INTS:
    _reset(f"of queue {_kind}", {**RESET, "queueId": _value})
for _kind, _value in BAD_LONGS:
    _reset(f"to time {_kind}", {**RESET, "timestamp": _value})
    _reset(f"to offset {_kind}", {**RESET, "queueId": 0, "offset": _value})


@CASES.steps("reset, then pulled and committed")
def _(side):
    fields = {"consumerGroup": "movers", "topic": "plain", "queueId": 0}
    side.ask(RESET_OFFSET, {**RESET, "queueId": 0, "offset": 3}, name="reset")
    side.ask(UPDATE_OFFSET, {**fields, "commitOffset": 9}, name="commit before")
    _stands(side, "before", 0)
    side.ask(PULL, pull_fields("movers", "plain", 0, 9, maxMsgNums=1), name="pull elsewhere")
    side.ask(PULL, pull_fields("movers", "plain", 0, 3, maxMsgNums=1), name="pull there")
    side.ask(UPDATE_OFFSET, {**fields, "commitOffset": 4}, name="commit behind")
    _stands(side, "behind", 0)


def _told(name, fields, member_offsets=(1, 1, 1, 1), **how):
    """The broker tells the members, one by one."""
    @CASES.steps(f"told {name}")
    def _(side):
        member = side.connection()
        side.quietly(HEART_BEAT, {}, heart_beat("mover@1", consumer("movers", subscription("plain"))), on=member)
        side.ask(UPDATE_CONFIG, {}, b"useServerSideResetOffset=false", name="off")
        try:
            for queue, offset in enumerate(member_offsets):
                side.quietly(UPDATE_OFFSET, {"consumerGroup": "movers", "topic": "plain", "queueId": queue, "commitOffset": offset})
            side.keep("answer", _plainly(side.main.ask(RESET_OFFSET, fields, **how)))
            request = member.request(TO_RESET)
            body = parse_json(request.body)["offsetTable"]
            side.keep("told", {"fields": request.fields, "flag": request.flag, "list": isinstance(body, list),
                               "entry": body[0] if isinstance(body, list) else None}, member)
            _stands(side, "then", 0)
        finally:
            side.ask(UPDATE_CONFIG, {}, b"useServerSideResetOffset=true", name="on")


@CASES.steps("told, pulled free")
def _(side):
    """No reset of before is left."""
    for queue in range(4):
        side.main.ask(PULL, pull_fields("movers", "plain", queue, INT_MAX, maxMsgNums=1))
    side.main.ask(PULL, pull_fields("movers", "plain", 0, INT_MAX, maxMsgNums=1))


_told("by force", {**RESET, "timestamp": -1})
_told("not by force", {**RESET, "timestamp": -1, "isForce": False}, (0, 0, 0, 0))
_told("back", {**RESET, "isForce": False})
_told("one queue", {**RESET, "queueId": 1})
_told("by a tool in C++, back", RESET, language="CPP")


@CASES.steps("told nobody")
def _(side):
    side.ask(UPDATE_CONFIG, {}, b"useServerSideResetOffset=false", name="off")
    try:
        side.ask(RESET_OFFSET, {**RESET, "group": "readers"}, name="no offset in some queue")
        side.ask(RESET_OFFSET, {**RESET, "group": "unheard-of"}, name="unknown group")
        side.ask(RESET_OFFSET, {**RESET, "topic": "unheard-of"}, name="unknown topic")
        side.quietly(UPDATE_OFFSET, {"consumerGroup": "readers", "topic": "t" * 127, "queueId": 0, "commitOffset": 1})
        side.ask(RESET_OFFSET, {**RESET, "topic": "t" * 127, "group": "readers"}, name="offline")
    finally:
        side.ask(UPDATE_CONFIG, {}, b"useServerSideResetOffset=true", name="on")
