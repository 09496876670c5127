"""SEND_REPLY_MESSAGE (324), SEND_REPLY_MESSAGE_V2 (325), and what of them is pushed to whoever asked (326)."""

from suite import wire
from suite.variant import Cases

from .common import (BAD_INTS, BAD_LONGS, HEART_BEAT, REPLY, REPLY_V2, TO_PUSH, UNREGISTER, UPDATE_CONFIG, VIEW, heart_beat, properties, send_fields,
                     send_v2)

CASES = Cases("reply")
TOPIC = "DefaultCluster_REPLY_TOPIC"
TIMES = ("push.fields.storeTimestamp", "push.properties.PUSH_REPLY_TIME", "stored.*.offset")


def reply_text(**more):
    given = {"REPLY_TO_CLIENT": "asker@1", "CORRELATION_ID": "17", "TTL": 3000, "MSG_TYPE": "reply", **more}
    return properties(**{name: value for name, value in given.items() if value is not None})


def _look(side, answer, replier):
    """What is stored of it."""
    if answer.fields.get("msgId", "")[-10:] == "<position>":
        side.ask(VIEW, {"offset": answer.positions[0]}, name="stored", on=replier)


def _pushed(name, code, fields, body=b"reply", masks=(), respond=0, **how):
    """Somebody asked, and is there; the push is answered with this code. Apache's broker forgets a name when the connection of
    anybody who had it before ends: so each has its own."""
    name_of_asker = f"asker@{name}"
    fields = {key: value.replace("asker@1", name_of_asker) if isinstance(value, str) else value for key, value in fields.items()}

    @CASES.steps(name, (*TIMES, *masks))
    def _(side):
        asker, replier = side.connection(), side.connection()
        side.quietly(HEART_BEAT, {}, heart_beat(name_of_asker, producers=["askers"]), on=asker)
        started = side.start(code, fields, body, on=replier, **how)
        push = asker.request(TO_PUSH)
        text = push.fields.pop("properties", None)
        side.keep("push", {"fields": push.fields, "body": push.body.decode(), "flag": push.flag,
                           "properties": dict(pair.split("\x01") for pair in (text or "").split("\x02") if pair)}, replier)
        asker.respond(push, respond, remark="as it was to be")
        _look(side, side.finish(started, "answer"), replier)


_pushed("v1", REPLY, send_fields(TOPIC, 0, reply_text()))
_pushed("v2", REPLY_V2, send_v2(TOPIC, 0, reply_text()))
_pushed("v2 binary", REPLY_V2, send_v2(TOPIC, 0, reply_text()), kind=wire.ROCKETMQ)
_pushed("with tags, keys and flags", REPLY_V2, send_v2(TOPIC, 0, reply_text(TAGS="TagA", KEYS="k1 k2", UNIQ_KEY="U", WAIT="true"), flag=7, reconsumeTimes=3))
_pushed("compressed", REPLY_V2, send_v2(TOPIC, 0, reply_text(), sysFlag=0x301), b"compressed, they say")
_pushed("odd flags", REPLY_V2, send_v2(TOPIC, 0, reply_text(), sysFlag=0xFFF))
_pushed("unit mode", REPLY_V2, send_v2(TOPIC, 0, reply_text(), unitMode=True))
_pushed("to another topic", REPLY_V2, send_v2("plain", 2, reply_text()))
_pushed("queue -1", REPLY_V2, send_v2(TOPIC, -1, reply_text()))
_pushed("refused by whoever asked", REPLY_V2, send_v2(TOPIC, 0, reply_text()), respond=1)
_pushed("not understood by whoever asked", REPLY_V2, send_v2(TOPIC, 0, reply_text()), respond=3)
_pushed("with the times of another push", REPLY_V2, send_v2(TOPIC, 0, reply_text(PUSH_REPLY_TIME=1, MSG_REGION="elsewhere", TRACE_ON="false")))
_pushed("without what has a default", REPLY_V2, send_v2(TOPIC, 0, reply_text(), defaultTopic=None, defaultTopicQueueNums=None, unitMode=None, reconsumeTimes=None, batch=None))
_pushed("the batch flag", REPLY_V2, send_v2(TOPIC, 0, reply_text(), batch=True))


def _alone(name, code, fields, body=b"reply", **how):
    """Nobody is there to take it."""
    @CASES.steps(name, TIMES)
    def _(side):
        replier = side.connection()
        _look(side, side.ask(code, fields, body, on=replier, name="answer", **how), replier)


_alone("to nobody v1", REPLY, send_fields(TOPIC, 0, reply_text(REPLY_TO_CLIENT=None)))
_alone("to nobody v2", REPLY_V2, send_v2(TOPIC, 0, reply_text(REPLY_TO_CLIENT=None)))
_alone("to somebody unknown", REPLY_V2, send_v2(TOPIC, 0, reply_text(REPLY_TO_CLIENT="unheard@of")))
_alone("without properties", REPLY_V2, send_v2(TOPIC, 0, None, properties=None))
_alone("topic unknown", REPLY_V2, send_v2("reply-unknown", 0, reply_text(), defaultTopic="unheard-of"))
_alone("topic made", REPLY_V2, send_v2("reply-made", 0, reply_text(REPLY_TO_CLIENT=None)))
_alone("topic illegal", REPLY_V2, send_v2("a.b", 0, reply_text()))
_alone("topic forbidden", REPLY_V2, send_v2("SCHEDULE_TOPIC_XXXX", 0, reply_text()))
_alone("queue 9", REPLY_V2, send_v2(TOPIC, 9, reply_text()))
_alone("without a topic", REPLY_V2, send_v2(TOPIC, 0, reply_text(), topic=None))
_alone("without a queue", REPLY_V2, send_v2(TOPIC, 0, reply_text(), queueId=None))
_alone("without a birth", REPLY_V2, send_v2(TOPIC, 0, reply_text(), bornTimestamp=None))
_alone("nothing at all", REPLY_V2, {})
_alone("no ext fields", REPLY_V2, None)
for _kind, _value in BAD_INTS:
    _alone(f"queue {_kind}", REPLY_V2, send_v2(TOPIC, 0, reply_text(), queueId=_value))
for _kind, _value in BAD_LONGS:
    _alone(f"birth {_kind}", REPLY_V2, send_v2(TOPIC, 0, reply_text(), bornTimestamp=_value))


@CASES.steps("to somebody who has left", TIMES)
def _(side):
    asker, replier = side.connection(), side.connection()
    side.quietly(HEART_BEAT, {}, heart_beat("leaver@1", producers=["askers", "askers-too"]), on=asker)
    side.quietly(UNREGISTER, {"clientID": "leaver@1", "producerGroup": "askers"}, on=asker)
    side.quietly(UNREGISTER, {"clientID": "leaver@1", "producerGroup": "askers-too"}, on=asker)
    _look(side, side.ask(REPLY_V2, send_v2(TOPIC, 0, reply_text(REPLY_TO_CLIENT="leaver@1")), b"reply", on=replier, name="answer"), replier)


@CASES.steps("to the same name on two connections", TIMES)
def _(side):
    """The one that came last gets it."""
    first, second, replier = side.connection(), side.connection(), side.connection()
    side.quietly(HEART_BEAT, {}, heart_beat("twice@1", producers=["askers"]), on=first)
    side.quietly(HEART_BEAT, {}, heart_beat("twice@1", producers=["askers"]), on=second)
    started = side.start(REPLY_V2, send_v2(TOPIC, 0, reply_text(REPLY_TO_CLIENT="twice@1")), b"reply", on=replier)
    second.respond(second.request(TO_PUSH))
    _look(side, side.finish(started, "answer"), replier)


@CASES.steps("not stored", TIMES)
def _(side):
    side.ask(UPDATE_CONFIG, {}, b"storeReplyMessageEnable=false", name="off")
    asker, replier = side.connection(), side.connection()
    side.quietly(HEART_BEAT, {}, heart_beat("asker@unstored", producers=["askers"]), on=asker)
    try:
        started = side.start(REPLY_V2, send_v2(TOPIC, 0, reply_text(REPLY_TO_CLIENT="asker@unstored")), b"reply", on=replier)
        asker.respond(asker.request(TO_PUSH))
        side.finish(started, "pushed")
        side.ask(REPLY_V2, send_v2(TOPIC, 0, reply_text(REPLY_TO_CLIENT=None)), b"reply", on=replier, name="to nobody")
    finally:
        side.ask(UPDATE_CONFIG, {}, b"storeReplyMessageEnable=true", name="on")


# Only ours stores it in its topic: nothing behind it would stand in the same place.
_pushed("a delayed one", REPLY_V2, send_v2(TOPIC, 0, reply_text(DELAY=3)), masks=("answer.ext.queueOffset",))
