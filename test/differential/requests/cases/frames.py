"""Headers and frames that are odd or wrong. Those that end a connection have one of their own."""

import json
import struct

from suite import wire
from suite.variant import Cases

from .common import INT_MAX, MAX_OFFSET, SEND_V2, send_v2

CASES = Cases("frame")
FIELDS = {"topic": "plain", "queueId": "0"}


def _raw(name, data, whole=False):
    """Bytes on a connection of their own; `whole`: nothing comes after them, so that the broker waits for no more."""
    @CASES.steps(name)
    def _(side):
        on = side.connection()
        on.send(data)
        if whole:
            on.end_sending()
        side.keep("answer", on.answer(), on)


def _header(name, header, kind=wire.JSON, body=b""):
    _raw(name, wire.frame(header, body, kind))


def _json(**members):
    return json.dumps({name: value for name, value in {"code": MAX_OFFSET, "flag": 0, "language": "JAVA", "version": 479, "opaque": 77,
                                                        "serializeTypeCurrentRPC": "JSON", "extFields": FIELDS, **members}.items() if value is not ...})


_header("plain", _json())
for _name in ("code", "flag", "language", "version", "opaque", "serializeTypeCurrentRPC", "extFields"):
    _header(f"without {_name}", _json(**{_name: ...})) if _name not in ("opaque", "code") else None
    _header(f"{_name} null", _json(**{_name: None})) if _name not in ("opaque", "code") else None
for _name, _value in (("text", "0"), ("number text", "30"), ("fraction", 30.0), ("over-int", INT_MAX + 1), ("no number", "x"), ("object", {}), ("true", True)):
    _header(f"code {_name}", _json(code=_value))
    _header(f"version {_name}", _json(version=_value))
for _name, _value in (("number", 9), ("last", 13), ("out of range", 14), ("negative", -1), ("unheard of", "COBOL"), ("lower", "java"), ("empty", "")):
    _header(f"language {_name}", _json(language=_value))
for _name, _value in (("unheard of", "XML"), ("ROCKETMQ", "ROCKETMQ"), ("number", 1)):
    _header(f"serialize type {_name}", _json(serializeTypeCurrentRPC=_value))
for _value in (0, -1, INT_MAX, -INT_MAX - 1):
    _header(f"opaque {_value}", _json(opaque=_value))
for _value in (4, 0x7C, -4 & ~3):
    _header(f"flag {_value:#x}", _json(flag=_value))
_header("unknown members", _json(nonsense={"a": [1, 2, {"b": None}]}, remark="hello"))
_header("remark not ASCII", _json(remark="größe"))
_header("ext fields of other kinds", _json(extFields={"topic": "plain", "queueId": 0, "flag": True, "none": None, "list": [1], "object": {"a": 1}}))
_header("ext fields text", _json(extFields="x"))
_header("ext fields list", _json(extFields=[]))
_header("ext field twice", '{"code":30,"opaque":77,"flag":0,"language":"JAVA","version":479,"extFields":{"topic":"empty","queueId":"0","topic":"plain"}}')
_header("member twice", '{"code":31,"code":30,"opaque":77,"flag":0,"language":"JAVA","version":479,"extFields":{"topic":"plain","queueId":"0"}}')
_header("single quotes", _json().replace('"', "'"))
_header("blanks", _json().replace(",", " ,\n\t").replace(":", " : "))
_header("comment", "/* hello */" + _json())
_header("names without quotes", _json().replace('"code"', "code"))
_header("text behind", _json() + " x")
_header("new line behind", _json() + "\n")
_header("escapes", _json().replace("plain", "\\u0070lain"))
_header("cut off", _json()[:-5])
_header("null", "null")
for _name, _text in (("empty object", "{}"), ("array", "[]"), ("number", "3"), ("text", '"x"')):
    @CASES.steps(_name)
    def _(side, text=_text):
        """Perhaps nothing comes back: then the next request on the connection is what is answered."""
        on = side.connection()
        on.send(wire.frame(text) + wire.frame(_json(opaque=78)))
        side.keep("next answer", on.answer(), on)
_header("not JSON", "this is no header")
_header("not UTF-8", _json().replace("plain", "pl@in").encode().replace(b"@", b"\xff"))
_header("zero byte", _json().replace("plain", "pl\\u0000ain"))
_header("deep", _json(extFields={**FIELDS, "x": ...} | {"x": json.loads("[" * 50 + "]" * 50)}))
_header("large field", _json(extFields={**FIELDS, "x": "y" * 100_000}))
_header("many fields", _json(extFields={**FIELDS, **{f"x{number}": number for number in range(2000)}}))
_header("body that nobody wants", _json(), body=b"body" * 1000)

# --- binary headers

_header("binary plain", wire.binary_header(MAX_OFFSET, FIELDS, 77), wire.ROCKETMQ)
_header("binary with a remark", wire.binary_header(MAX_OFFSET, FIELDS, 77, remark="hello"), wire.ROCKETMQ)
_header("binary language 99", wire.binary_header(MAX_OFFSET, FIELDS, 77, language=99), wire.ROCKETMQ)
_header("binary language -1", wire.binary_header(MAX_OFFSET, FIELDS, 77, language=-1), wire.ROCKETMQ)
_header("binary version 0", wire.binary_header(MAX_OFFSET, FIELDS, 77, version=0), wire.ROCKETMQ)
_header("binary version -1", wire.binary_header(MAX_OFFSET, FIELDS, 77, version=-1), wire.ROCKETMQ)
_header("binary code unheard of", wire.binary_header(3442, FIELDS, 77), wire.ROCKETMQ)
_header("binary empty value", wire.binary_header(MAX_OFFSET, {"topic": "", "queueId": "0"}, 77), wire.ROCKETMQ)
_header("binary field twice", wire.binary_header(MAX_OFFSET, {"topic": "empty", "queueId": "0"}, 77)[:17]
        + struct.pack(">i", 39) + b"".join(struct.pack(">h", 5) + b"topic" + struct.pack(">i", 5) + value for value in (b"empty", b"plain"))
        + struct.pack(">h", 1) + b"q" + b"\0\0\0\0", wire.ROCKETMQ)
_header("binary negative remark", struct.pack(">hbhiii", MAX_OFFSET, 0, 479, 77, 0, -1) + struct.pack(">i", 0), wire.ROCKETMQ)
_header("binary long remark", struct.pack(">hbhiii", MAX_OFFSET, 0, 479, 77, 0, 1000) + struct.pack(">i", 0), wire.ROCKETMQ)
_header("binary negative ext", struct.pack(">hbhiii", MAX_OFFSET, 0, 479, 77, 0, 0) + struct.pack(">i", -1), wire.ROCKETMQ)
_header("binary long ext", struct.pack(">hbhiii", MAX_OFFSET, 0, 479, 77, 0, 0) + struct.pack(">i", 1000), wire.ROCKETMQ)
_header("binary bytes behind ext", wire.binary_header(MAX_OFFSET, FIELDS, 77) + b"xyz", wire.ROCKETMQ)
_header("binary short ext", wire.binary_header(MAX_OFFSET, {}, 77)[:17] + struct.pack(">i", 5) + struct.pack(">h", 5) + b"top", wire.ROCKETMQ)
_header("binary cut off", wire.binary_header(MAX_OFFSET, FIELDS, 77)[:9], wire.ROCKETMQ)
_header("binary that is JSON", _json(), wire.ROCKETMQ)
_header("JSON that is binary", wire.binary_header(MAX_OFFSET, FIELDS, 77))
for _kind in (2, 7, 255):
    _header(f"serialize type {_kind}", _json(), _kind)

# --- frames

_raw("length 0", struct.pack(">i", 0) + bytes(12))
_raw("length 3", struct.pack(">i", 3) + bytes(12))
_raw("length 4, no header", struct.pack(">ii", 4, 0) + bytes(12))
_raw("length negative", struct.pack(">i", -1) + bytes(12))
_raw("length too large", struct.pack(">i", 16_777_213) + bytes(12))
_raw("length largest", struct.pack(">i", INT_MAX) + bytes(12))
_raw("header longer than its frame", struct.pack(">ii", 104, 101) + bytes(100))
_raw("header of no length", struct.pack(">ii", 14, 0) + bytes(10))
_raw("web request", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
_raw("end within a frame", wire.frame(_json())[:-10], whole=True)
_raw("end within a length", b"\0\0", whole=True)
_raw("nothing at all", b"", whole=True)


@CASES.steps("good ones before a bad one")
def _(side):
    on = side.connection()
    on.send(wire.frame(_json(opaque=1)) + wire.frame(_json(opaque=2)))
    side.keep("opaques", sorted(on.answer().opaque for _ in range(2)), on)
    on.send(struct.pack(">i", -1) + bytes(12))
    side.keep("then", on.answer(), on)


@CASES.steps("in pieces of one byte")
def _(side):
    on = side.connection()
    for byte in wire.frame(_json()):
        on.send(bytes((byte,)))
    side.keep("answer", on.answer(), on)


@CASES.steps("hundred at once")
def _(side):
    on = side.connection()
    on.send(b"".join(wire.frame(_json(opaque=number)) for number in range(100)))
    side.keep("opaques", sorted(on.answer().opaque for _ in range(100)), on)


@CASES.steps("same opaque, one after the other")
def _(side):
    for number in range(3):
        side.ask(MAX_OFFSET, FIELDS, opaque=1234)


@CASES.steps("answer to nothing")
def _(side):
    """A response that nobody waits for is dropped; the connection stays."""
    on = side.connection()
    on.send(wire.frame(_json(flag=1, opaque=5)))
    on.send(wire.frame(_json(flag=3, opaque=5)))
    side.ask(MAX_OFFSET, FIELDS, on=on, name="then")


@CASES.steps("one-way of an unknown code")
def _(side):
    on = side.connection()
    on.send(wire.frame(_json(code=9999, flag=2)))
    side.ask(MAX_OFFSET, FIELDS, on=on, name="then")


for _version in (0, -1, 28, 479, 513, 9999, None):
    CASES.one(f"version {_version}", SEND_V2, send_v2("unit", 0), b"hello", version=_version)
