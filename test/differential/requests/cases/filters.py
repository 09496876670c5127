"""CHECK_CLIENT_CONFIG (46)."""

from suite import wire
from suite.variant import Cases

from .common import CHECK_CLIENT, as_json, subscription

CASES = Cases("filter")


def _body(given, **more):
    return as_json({"clientId": "c@1", "group": "readers", "namespace": None, "subscriptionData": given, **more})


for _type in ("TAG", "", "tag", "SQL92", "PYTHON", None):
    CASES.one(f"type {_type if _type else repr(_type)}", CHECK_CLIENT, {}, _body(subscription("plain", "a > 1", expressionType=_type)))
for _name, _value in (("good", "a > 1 AND b = 'x'"), ("cut off", "a >"), ("empty", ""), ("blank", " "), ("no expression", "1 + "), ("a constant", "TRUE"),
                      ("number", "3"), ("wrong types", "a > 'x'"), ("deep", "(" * 60 + "a" + " = 1" + ")" * 60), ("unknown function", "f(a)"),
                      ("star", "*"), ("tags", "TagA || TagB"), ("between", "a BETWEEN 1 AND 3"), ("in", "a IN ('x', 'y')"), ("is null", "a IS NOT NULL"),
                      ("contains", "a CONTAINS 'x'"), ("like", "a LIKE 'x%'"), ("large number", "a > 99999999999999999999"), ("quote open", "a = 'x")):
    CASES.one(f"sql {_name}", CHECK_CLIENT, {}, _body(subscription("plain", _value, expressionType="SQL92")))
CASES.one("no subscription", CHECK_CLIENT, {}, as_json({"clientId": "c@1", "group": "readers"}))
CASES.one("subscription null", CHECK_CLIENT, {}, _body(None))
CASES.one("subscription text", CHECK_CLIENT, {}, _body("x"))
CASES.one("sql without an expression", CHECK_CLIENT, {}, _body({"topic": "plain", "expressionType": "SQL92"}))
CASES.one("no ext fields", CHECK_CLIENT, None, _body(subscription("plain")))
CASES.one("binary", CHECK_CLIENT, {}, _body(subscription("plain")), kind=wire.ROCKETMQ)
CASES.one("empty object", CHECK_CLIENT, {}, b"{}")
CASES.one("empty body", CHECK_CLIENT, {}, b"")
CASES.one("no JSON", CHECK_CLIENT, {}, b"nonsense")
CASES.one("array", CHECK_CLIENT, {}, b"[]")
