"""CONSUMER_SEND_MSG_BACK (36)."""

import json

from suite import wire
from suite.bodies import parse_json
from suite.variant import Cases

from .common import BAD_INTS, BAD_LONGS, INT_MAX, LONG_MAX, PULL, SEND_BACK, SEND_V2, TOPIC_STATS, properties, pull_fields, send_v2



class Returns(Cases):
    """One message that is sent back, and what is stored then: it waits for its retry, or is a dead letter."""

    def one(self, name, code, fields=None, body=b"", masks=(), **how):
        @self.steps(name, (*masks, "stored *.offset", "stored *.ext", "stored *.REAL_QID"))
        def _(side):
            given = fields(side) if callable(fields) else fields
            before = _ends(side, given)
            side.ask(code, given, body, name="answer", **how)
            side.settle()
            for (topic, queue), end in _ends(side, given).items():
                if end > before.get((topic, queue), 0):
                    side.ask(PULL, pull_fields("readers", topic, queue, end - 1), name=f"stored in {topic} {queue}")


def _ends(side, fields):
    ends = {}
    for topic in ("SCHEDULE_TOPIC_XXXX", "%DLQ%" + str((fields or {}).get("group"))):
        answer = side.main.ask(TOPIC_STATS, {"topic": topic})
        if answer.code == 0:
            for key, bounds in parse_json(answer.body)["offsetTable"].items():
                ends[topic, json.loads(key)["queueId"]] = bounds["maxOffset"]
    return ends


CASES = Returns("retry")


def _position(side):
    body = side.quietly(PULL, pull_fields("readers", "plain", maxMsgNums=1)).body
    return int.from_bytes(body[28:36], "big")


def _back(side, group="readers", /, level=0, **more):
    fields = {"offset": _position(side), "group": group, "delayLevel": level, "originMsgId": "x", "originTopic": "plain", "unitMode": False,
              "maxReconsumeTimes": 16, **more}
    return {name: value for name, value in fields.items() if value is not None}


for _level in (0, 1, 3, 18, 19, 1000, -1, -7, INT_MAX):
    CASES.one(f"level {_level}", SEND_BACK, lambda side, level=_level: _back(side, level=level))
for _name in ("offset", "group", "delayLevel", "originMsgId", "originTopic", "unitMode", "maxReconsumeTimes"):
    CASES.one(f"without {_name}", SEND_BACK, lambda side, name=_name: _back(side, **{name: None}))
for _kind, _value in BAD_INTS:
    CASES.one(f"level {_kind}", SEND_BACK, lambda side, value=_value: _back(side, level=value))
for _kind, _value in BAD_LONGS:
    CASES.one(f"offset {_kind}", SEND_BACK, lambda side, value=_value: _back(side, offset=value))
for _offset in (-1, LONG_MAX, 1 << 40):
    CASES.one(f"offset {_offset}", SEND_BACK, lambda side, offset=_offset: _back(side, offset=offset))
CASES.one("offset beside a message", SEND_BACK, lambda side: _back(side, offset=_position(side) + 1))
CASES.one("binary", SEND_BACK, _back, kind=wire.ROCKETMQ)
CASES.one("nothing at all", SEND_BACK, {})
CASES.one("no ext fields", SEND_BACK, None)
for _group in ("unheard-of", "no-retries", "impatient", "disabled", "a.b", "", "g" * 120, "g" * 121, "g" * 248, "unit-group"):
    CASES.one(f"group {_group[:12] or 'empty'}{len(_group) if len(_group) > 12 else ''}", SEND_BACK, lambda side, group=_group: _back(side, group))
for _attempts in (0, 1, -1, INT_MAX, "text"):
    CASES.one(f"attempts {_attempts}", SEND_BACK, lambda side, attempts=_attempts: _back(side, maxReconsumeTimes=attempts))
CASES.one("attempts 0, old client", SEND_BACK, lambda side: _back(side, maxReconsumeTimes=0), version=120)
CASES.one("attempts of the group", SEND_BACK, lambda side: _back(side, "impatient", maxReconsumeTimes=None))
CASES.one("unit mode", SEND_BACK, lambda side: _back(side, "unit-retries", unitMode=True))
CASES.one("another topic is said", SEND_BACK, lambda side: _back(side, originTopic="empty"))


@CASES.steps("of a batch record")
def _(side):
    body = side.quietly(PULL, pull_fields("readers", "batches", maxMsgNums=3)).body
    side.ask(SEND_BACK, _back(side, offset=int.from_bytes(body[28:36], "big")))


@CASES.steps("of large properties")
def _(side):
    """Behind what is added, there is no room."""
    answer = side.quietly(SEND_V2, send_v2("unit", 1, properties(UNIQ_KEY="k", p="x" * 32_600)), b"large")
    side.ask(SEND_BACK, _back(side, offset=int(answer["msgId"][-16:], 16)))
