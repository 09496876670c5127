"""LOCK_BATCH_MQ (41) and UNLOCK_BATCH_MQ (42)."""

from suite import wire
from suite.variant import Cases

from .common import INT_MAX, LOCK, UNLOCK, as_json

CASES = Cases("lock")


def _queue(number, topic="plain", broker="broker-a"):
    return {"topic": topic, "brokerName": broker, "queueId": number}


def _body(group, client, *queues, **more):
    return as_json({"consumerGroup": group, "clientId": client, "mqSet": list(queues), **more})


for _code, _name in ((LOCK, "lock"), (UNLOCK, "unlock")):
    CASES.one(f"{_name} one", _code, {}, _body("orderly", "a", _queue(0)))
    CASES.one(f"{_name} three", _code, {}, _body("orderly", "a", _queue(0), _queue(1), _queue(2)))
    CASES.one(f"{_name} none", _code, {}, _body("orderly", "a"))
    CASES.one(f"{_name} no ext fields", _code, None, _body("orderly", "a", _queue(0)))
    CASES.one(f"{_name} binary", _code, {}, _body("orderly", "a", _queue(0)), kind=wire.ROCKETMQ)
    CASES.one(f"{_name} twice the same", _code, {}, _body("orderly", "a", _queue(3), _queue(3)))
    CASES.one(f"{_name} in this broker only", _code, {}, _body("orderly", "a", _queue(0), onlyThisBroker=True))
    CASES.one(f"{_name} queue -1", _code, {}, _body("orderly", "a", _queue(-1)))
    CASES.one(f"{_name} queue that is not there", _code, {}, _body("orderly", "a", _queue(INT_MAX)))
    CASES.one(f"{_name} topic that is not there", _code, {}, _body("orderly", "a", _queue(0, "unheard-of")))
    CASES.one(f"{_name} another broker's", _code, {}, _body("orderly", "a", _queue(0, broker="broker-z")))
    CASES.one(f"{_name} odd group", _code, {}, _body("a.b", "a", _queue(0)))
    CASES.one(f"{_name} empty group", _code, {}, _body("", "a", _queue(0)))
    CASES.one(f"{_name} empty client", _code, {}, _body("orderly-empty", "", _queue(0)))
    CASES.one(f"{_name} without a group", _code, {}, as_json({"clientId": "a", "mqSet": [_queue(0)]}))
    CASES.one(f"{_name} without a client", _code, {}, as_json({"consumerGroup": "orderly-nobody", "mqSet": [_queue(0)]}))
    CASES.one(f"{_name} without queues", _code, {}, as_json({"consumerGroup": "orderly", "clientId": "a"}))
    CASES.one(f"{_name} queues null", _code, {}, as_json({"consumerGroup": "orderly", "clientId": "a", "mqSet": None}))
    CASES.one(f"{_name} queue null", _code, {}, as_json({"consumerGroup": "orderly", "clientId": "a", "mqSet": [None]}))
    CASES.one(f"{_name} queue empty", _code, {}, as_json({"consumerGroup": "orderly", "clientId": "a", "mqSet": [{}]}))
    CASES.one(f"{_name} queue id text", _code, {}, as_json({"consumerGroup": "orderly", "clientId": "a", "mqSet": [{**_queue(0), "queueId": "1"}]}))
    CASES.one(f"{_name} queue id no number", _code, {}, as_json({"consumerGroup": "orderly", "clientId": "a", "mqSet": [{**_queue(0), "queueId": "x"}]}))
    CASES.one(f"{_name} empty object", _code, {}, b"{}")
    CASES.one(f"{_name} empty body", _code, {}, b"")
    CASES.one(f"{_name} no JSON", _code, {}, b"nonsense")
    CASES.one(f"{_name} array", _code, {}, b"[]")


@CASES.steps("two clients")
def _(side):
    for name, code, client, queues in (("a takes 0 and 1", LOCK, "a", (0, 1)), ("b wants 1 and 2", LOCK, "b", (1, 2)), ("a again", LOCK, "a", (0, 1)),
                                       ("b gives back 1", UNLOCK, "b", (1,)), ("b wants 1 still", LOCK, "b", (1,)), ("a gives back 1", UNLOCK, "a", (1,)),
                                       ("b takes 1", LOCK, "b", (1,)), ("a wants all", LOCK, "a", (0, 1, 2, 3))):
        side.ask(code, {}, _body("two-clients", client, *map(_queue, queues)), name=name)
    side.ask(LOCK, {}, _body("another-group", "b", _queue(0), _queue(1)), name="of another group")
