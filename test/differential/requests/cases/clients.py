"""HEART_BEAT (34), UNREGISTER_CLIENT (35), GET_CONSUMER_LIST_BY_GROUP (38), and the lists of connections (203, 204, 300)."""

from harness.waiting import wait_until
from suite import wire
from suite.bodies import parse_json
from suite.variant import Cases

from .common import (CONSUMER_CONNECTIONS, CONSUMER_LIST, GROUP_CONFIG, HEART_BEAT, ODD_NAMES, PRODUCER_CONNECTIONS, TOPIC_CONFIG, UNREGISTER,
                     WHO_CONSUMES, as_json, consumer, heart_beat, subscription)

CASES = Cases("client")
NOTIFY = 40

CASES.one("beat of nobody", HEART_BEAT, {}, heart_beat("c@0"))
CASES.one("beat without a client id", HEART_BEAT, {}, as_json({"consumerDataSet": [], "producerDataSet": []}))
CASES.one("beat empty object", HEART_BEAT, {}, b"{}")
CASES.one("beat empty body", HEART_BEAT, {}, b"")
CASES.one("beat no ext fields", HEART_BEAT, None, heart_beat("c@0"))
CASES.one("beat no JSON", HEART_BEAT, {}, b"this is no JSON")
CASES.one("beat array", HEART_BEAT, {}, b"[]")
CASES.one("beat cut off", HEART_BEAT, {}, heart_beat("c@0")[:-3])
CASES.one("beat text behind", HEART_BEAT, {}, heart_beat("c@0") + b" more")
CASES.one("beat null sets", HEART_BEAT, {}, as_json({"clientID": "c@0", "consumerDataSet": None, "producerDataSet": None}))
CASES.one("beat sets of the wrong kind", HEART_BEAT, {}, as_json({"clientID": "c@0", "consumerDataSet": "x", "producerDataSet": 3}))
CASES.one("beat binary", HEART_BEAT, {}, heart_beat("c@0"), kind=wire.ROCKETMQ)


def _alone(name, body):
    """A heartbeat whose groups end with it."""
    @CASES.steps(name)
    def _(side):
        side.ask(HEART_BEAT, {}, body, on=side.connection(), name="answer")


def _shown(side, on, group, name):
    """A group, as every list shows it."""
    side.ask(CONSUMER_LIST, {"consumerGroup": group}, on=on, name=f"{name}: members")
    side.ask(CONSUMER_CONNECTIONS, {"consumerGroup": group}, on=on, name=f"{name}: connections")


def _beat(name, *consumers, producers=(), groups=(), **more):
    """One heartbeat on a connection of its own, and all that shows of it."""
    @CASES.steps(f"beat {name}")
    def _(side):
        on = side.connection()
        side.ask(HEART_BEAT, {}, heart_beat(f"beat@{name}", *consumers, producers=producers, **more), on=on, name="beat")
        for group in groups or [each["groupName"] for each in consumers if "groupName" in each]:
            _shown(side, on, group, group)
            side.ask(TOPIC_CONFIG, {"topic": "%RETRY%" + group}, on=on, name=f"{group}: retry topic")
            side.ask(GROUP_CONFIG, {"group": group}, on=on, name=f"{group}: config")
        for group in producers:
            side.ask(PRODUCER_CONNECTIONS, {"producerGroup": group}, on=on, name=f"{group}: producers")


_beat("producer", producers=["beat-producers"])
_beat("two producers", producers=["beat-producers-a", "beat-producers-b"])
_beat("producer odd", producers=["a.b"])
_beat("consumer", consumer("beat-plain", subscription("plain")))
_beat("consumer and producer", consumer("beat-both", subscription("plain")), producers=["beat-both"])
_beat("two consumers", consumer("beat-two-a", subscription("plain")), consumer("beat-two-b", subscription("empty")))
_beat("tags", consumer("beat-tags", subscription("plain", "TagA || TagB", 3, ["TagA", "TagB"], [2598919, 2598920])))
_beat("two topics", consumer("beat-topics", subscription("plain"), subscription("empty")))
_beat("unknown topic", consumer("beat-unknown", subscription("unheard-of")))
_beat("ordered topic", consumer("beat-ordered", subscription("ordered")))
_beat("sql", consumer("beat-sql", subscription("plain", "weight > 3", 3, expressionType="SQL92")))
_beat("bad sql", consumer("beat-bad-sql", subscription("plain", "weight >", 3, expressionType="SQL92")))
_beat("class filter", consumer("beat-class", subscription("plain", "x.Filter", 3, classFilterMode=True, filterClassSource="class")))
_beat("without subscriptions", consumer("beat-nothing"))
_beat("broadcasting", consumer("beat-broadcast", subscription("plain"), messageModel="BROADCASTING"))
_beat("actively", consumer("beat-actively", subscription("plain"), consumeType="CONSUME_ACTIVELY"))
_beat("pop", consumer("beat-pop", subscription("plain"), consumeType="CONSUME_POP"))
_beat("ordinals", consumer("beat-ordinals", subscription("plain"), consumeType=1, messageModel=0, consumeFromWhere=4))
_beat("unit mode", consumer("beat-unit", subscription("plain"), unitMode=True))
for _where in ("CONSUME_FROM_FIRST_OFFSET", "CONSUME_FROM_TIMESTAMP", "CONSUME_FROM_LAST_OFFSET_AND_FROM_MIN_WHEN_BOOT_FIRST"):
    _beat(f"from {_where}", consumer(f"beat-{_where}", subscription("plain"), consumeFromWhere=_where))
_beat("group disabled", consumer("disabled", subscription("plain")))
_beat("group without retry queues", consumer("no-retries", subscription("plain")))
_beat("group of 120", consumer("b" * 120, subscription("plain")))
_beat("group of 121", consumer("b" * 121, subscription("plain")))
_beat("fingerprint", consumer("beat-print", subscription("plain")), heartbeatFingerprint=17, withoutSub=False)
_beat("fingerprint, without subscriptions", consumer("beat-print-without", subscription("plain")), heartbeatFingerprint=17, withoutSub=True)
_beat("without subscriptions, no fingerprint", consumer("beat-without", subscription("plain")), withoutSub=True)
for _kind, _value in ODD_NAMES:
    _alone(f"beat consumer {_kind}", heart_beat("c@odd", consumer(_value, subscription("plain"))))
_alone("beat consumer without a name", heart_beat("c@0", {"subscriptionDataSet": [subscription("plain")]}))
_alone("beat consumer null", as_json({"clientID": "c@0", "consumerDataSet": [None]}))
_alone("beat consumer text", as_json({"clientID": "c@0", "consumerDataSet": ["x"]}))
_alone("beat consume type unheard of", heart_beat("c@0", consumer("beat-odd-type", subscription("plain"), consumeType="CONSUME_LATER")))
_alone("beat consume type out of range", heart_beat("c@0", consumer("beat-odd-ordinal", subscription("plain"), consumeType=9)))
_alone("beat model unheard of", heart_beat("c@0", consumer("beat-odd-model", subscription("plain"), messageModel="x")))
_alone("beat subscriptions null", heart_beat("c@0", consumer("beat-null", subscriptionDataSet=None)))
_alone("beat subscription without a topic", heart_beat("c@0", consumer("beat-no-topic", {"subString": "*"})))
_alone("beat subscription of version text", heart_beat("c@0", consumer("beat-version", subscription("plain", version="text"))))
for _language in ("CPP", "GO", "RUST", "NODE_JS", "COBOL"):
    @CASES.steps(f"beat language {_language}")
    def _(side, language=_language):
        on = side.connection()
        side.ask(HEART_BEAT, {}, heart_beat("c@l", consumer(f"beat-{language}", subscription("plain"))), on=on, language=language, name="beat")
        _shown(side, on, f"beat-{language}", "group")
for _language in (1, 12, 13, 14, -1, 100):
    @CASES.steps(f"beat language number {_language}, binary")
    def _(side, language=_language):
        on = side.connection()
        side.ask(HEART_BEAT, {}, heart_beat("c@n", consumer(f"beat-n{language}", subscription("plain"))), on=on, language=language, kind=wire.ROCKETMQ, name="beat")
        _shown(side, on, f"beat-n{language}", "group")


@CASES.steps("beats that change subscriptions")
def _(side):
    on = side.connection()
    for name, given in (("first", [subscription("plain", "TagA", 1, ["TagA"], [1])]), ("newer", [subscription("plain", "TagB", 2, ["TagB"], [2])]),
                        ("older", [subscription("plain", "TagC", 1, ["TagC"], [3])]), ("same version", [subscription("plain", "TagD", 2, ["TagD"], [4])]),
                        ("one more", [subscription("plain", "TagB", 2), subscription("empty")]), ("one less", [subscription("empty")])):
        side.ask(HEART_BEAT, {}, heart_beat("c@s", consumer("changing", *given)), on=on, name=name)
        side.ask(CONSUMER_CONNECTIONS, {"consumerGroup": "changing"}, on=on, name=f"{name}: connections")


@CASES.steps("beats with fingerprints")
def _(side):
    on = side.connection()
    for name, print_, without in (("first", 5, False), ("again", 5, True), ("another", 6, True), ("another, whole", 6, False), ("none", 0, False), ("back", 6, True)):
        side.ask(HEART_BEAT, {}, heart_beat("c@p", consumer("printing", subscription("plain")), heartbeatFingerprint=print_, withoutSub=without), on=on, name=name)


@CASES.steps("two members")
def _(side):
    """The first hears of the second, and of its leaving. Lists of members come in no order."""
    first, second = side.connection(), side.connection()
    side.ask(HEART_BEAT, {}, heart_beat("m@1", consumer("members", subscription("plain"))), on=first, name="first")
    side.ask(HEART_BEAT, {}, heart_beat("m@2", consumer("members", subscription("plain"))), on=second, name="second")
    members = side.quietly(CONSUMER_LIST, {"consumerGroup": "members"}, on=first)
    side.keep("members", sorted(_ids(members)), first)
    side.ask(UNREGISTER, {"clientID": "m@2", "consumerGroup": "members"}, on=second, name="leaves")
    side.ask(CONSUMER_LIST, {"consumerGroup": "members"}, on=first, name="left")

    def heard():
        side.quietly(HEART_BEAT, {}, heart_beat("m@1", consumer("members", subscription("plain"))), on=first)
        return len([1 for code, _ in first.notices if code == NOTIFY]) >= 3
    wait_until(heard, 20, "three notices")
    side.keep("notices", sorted(map(str, first.notices)), first)


def _ids(answer):
    return parse_json(answer.body)["consumerIdList"]


@CASES.steps("members that are gone")
def _(side):
    """Whoever closes its connection leaves its groups."""
    gone = wire.Connection(side.port)
    gone.ask(HEART_BEAT, {}, heart_beat("gone@1", consumer("vanishing", subscription("plain")), producers=["vanishing"]))
    gone.__exit__()
    wait_until(lambda: side.main.ask(CONSUMER_LIST, {"consumerGroup": "vanishing"}).code != 0, 20, "the member to be gone")
    wait_until(lambda: side.main.ask(PRODUCER_CONNECTIONS, {"producerGroup": "vanishing"}).code != 0, 20, "the producer to be gone")
    side.ask(CONSUMER_LIST, {"consumerGroup": "vanishing"}, name="members")
    side.ask(CONSUMER_CONNECTIONS, {"consumerGroup": "vanishing"}, name="connections")
    side.ask(PRODUCER_CONNECTIONS, {"producerGroup": "vanishing"}, name="producers")


@CASES.steps("unregister")
def _(side):
    on = side.connection()
    side.ask(HEART_BEAT, {}, heart_beat("u@1", consumer("leaving", subscription("plain")), producers=["leaving-producers"]), on=on, name="beat")
    side.ask(UNREGISTER, {"clientID": "u@other", "producerGroup": "leaving-producers", "consumerGroup": "leaving"}, on=on, name="another's id")
    side.ask(CONSUMER_LIST, {"consumerGroup": "leaving"}, on=on, name="then members")
    side.ask(PRODUCER_CONNECTIONS, {"producerGroup": "leaving-producers"}, on=on, name="then producers")
    side.ask(HEART_BEAT, {}, heart_beat("u@1", consumer("leaving", subscription("plain")), producers=["leaving-producers"]), on=on, name="beat again")
    side.ask(UNREGISTER, {"clientID": "u@1", "producerGroup": "", "consumerGroup": ""}, on=on, name="empty groups")
    side.ask(UNREGISTER, {"clientID": "u@1", "producerGroup": "unheard-of", "consumerGroup": "unheard-of"}, on=on, name="unknown groups")
    side.ask(UNREGISTER, {"clientID": "u@1", "producerGroup": "leaving-producers"}, on=on, name="producer")
    side.ask(PRODUCER_CONNECTIONS, {"producerGroup": "leaving-producers"}, on=on, name="producer left")
    side.ask(CONSUMER_LIST, {"consumerGroup": "leaving"}, on=on, name="consumer stays")
    side.ask(UNREGISTER, {"clientID": "u@1", "consumerGroup": "leaving"}, on=on, name="consumer")
    side.ask(CONSUMER_LIST, {"consumerGroup": "leaving"}, on=on, name="consumer left")
    side.ask(CONSUMER_CONNECTIONS, {"consumerGroup": "leaving"}, on=on, name="nobody connected")


CASES.one("unregister without a client id", UNREGISTER, {"producerGroup": "p", "consumerGroup": "c"})
CASES.one("unregister nothing at all", UNREGISTER, {})
CASES.one("unregister no ext fields", UNREGISTER, None)
for _code, _field, _name in ((CONSUMER_LIST, "consumerGroup", "members"), (CONSUMER_CONNECTIONS, "consumerGroup", "connections"),
                             (PRODUCER_CONNECTIONS, "producerGroup", "producers"), (WHO_CONSUMES, "topic", "groups of a topic")):
    CASES.one(f"{_name} of nobody", _code, {_field: "unheard-of"})
    CASES.one(f"{_name} of the empty name", _code, {_field: ""})
    CASES.one(f"{_name} of an odd name", _code, {_field: "a.b"})
    CASES.one(f"{_name} binary", _code, {_field: "unheard-of"}, kind=wire.ROCKETMQ)
    CASES.one(f"{_name} nothing at all", _code, {})
    CASES.one(f"{_name} no ext fields", _code, None)


@CASES.steps("groups of a topic")
def _(side):
    """Those with offsets or members; whose connection has just ended may still be there, and says nothing."""
    on = side.connection()
    side.quietly(HEART_BEAT, {}, heart_beat("w@1", consumer("watching", subscription("plain"))), on=on)
    answer = side.main.ask(WHO_CONSUMES, {"topic": "plain"})
    known = ("readers", "waiters", "commits", "watching", "never", "disabled")
    side.keep("groups", {"code": answer.code, "groups": sorted(each for each in parse_json(answer.body)["groupList"] if each in known)}, on)


CASES.one("connections of a group that nobody is in", CONSUMER_CONNECTIONS, {"consumerGroup": "readers"})
