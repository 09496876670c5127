"""Frames as this suite needs them: both header encodings, headers that are wrong on purpose, and whatever comes back."""

import json
import struct
from dataclasses import dataclass, field

from harness import ports, remoting

JSON, ROCKETMQ = 0, 1
RESPONSE, ONE_WAY = 1, 2
# V5_3_3
VERSION = 479
# The longest that anything here takes: Apache's broker looks at the pulls that wait every five seconds.
ANSWER_S = 30


@dataclass
class Answer:
    """What came back; `closed` if that was the end of the connection."""

    code: int = 0
    flag: int = RESPONSE
    opaque: int = 0
    remark: str = ""
    fields: dict = field(default_factory=dict)
    body: bytes = b""
    closed: bool = False
    # Of what a send stored.
    positions: list = field(default_factory=list)

    def __getitem__(self, name):
        return self.fields[name]


def frame(header, body=b"", kind=JSON):
    """`header` is text, or bytes that are already encoded."""
    header = header.encode() if isinstance(header, str) else header
    return struct.pack(">iI", 4 + len(header) + len(body), kind << 24 | len(header)) + header + body


def json_header(code, fields, opaque, **members):
    """Members that are None are left out."""
    header = {"code": code, "flag": 0, "language": "JAVA", "version": VERSION, "opaque": opaque,
              "serializeTypeCurrentRPC": "JSON", "extFields": None if fields is None else {name: text(fields[name]) for name in fields},
              **members}
    return json.dumps({name: value for name, value in header.items() if value is not None}, ensure_ascii=False)


def text(value):
    """As Java writes it. Raw JSON values are left alone: they are there to be odd."""
    if isinstance(value, Raw):
        return value.value
    if isinstance(value, bool):
        return str(value).lower()
    return value if value is None else str(value)


@dataclass
class Request:
    """What a broker asks of a client."""

    code: int
    fields: dict
    body: bytes
    opaque: int
    flag: int


@dataclass
class Raw:
    """An ext field whose JSON value is no string."""

    value: object


def binary_header(code, fields, opaque, flag=0, language=0, version=VERSION, remark=""):
    extra = b""
    for name, value in (fields or {}).items():
        name, value = name.encode(), text(value).encode()
        extra += struct.pack(">h", len(name)) + name + struct.pack(">i", len(value)) + value
    remark = remark.encode()
    return struct.pack(">hbhiii", code, language, version, opaque, flag, len(remark)) + remark + struct.pack(">i", len(extra)) + extra


class Connection(remoting.Connection):
    """Sends any bytes; keeps the requests that the broker sends by itself in `notices`."""

    def __init__(self, port):
        super().__init__(ports.LOOPBACK, port, timeout_s=ANSWER_S)
        self.notices = []

    @property
    def address(self):
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    def next_opaque(self):
        self._opaque += 1
        return self._opaque

    def send(self, data):
        self._socket.sendall(data)

    def end_sending(self):
        self._socket.shutdown(1)

    def answer(self, opaque=None):
        """The answer to `opaque`, or the next one, whatever it answers."""
        while True:
            try:
                header, body = self._receive()
            except (OSError, struct.error) as end:
                if isinstance(end, TimeoutError):
                    raise
                return Answer(closed=True)
            if header.get("flag", 0) & RESPONSE:
                if opaque is None or header["opaque"] == opaque:
                    return Answer(header["code"], header["flag"], header["opaque"], header.get("remark") or "",
                                  header.get("extFields") or {}, body)
            else:
                self.notices.append((header["code"], header.get("extFields") or {}))

    def request(self, code):
        """The next request of this code that the broker sends by itself."""
        while True:
            header, body = self._receive()
            if not header.get("flag", 0) & RESPONSE and header["code"] == code:
                return Request(code, header.get("extFields") or {}, body, header["opaque"], header.get("flag", 0))

    def respond(self, request, code=0, fields=None, body=b"", **members):
        self.send(frame(json_header(code, fields, request.opaque, flag=RESPONSE, **members), body))

    def start(self, code, fields=None, body=b"", opaque=None, kind=JSON, **members):
        """Asks and does not wait; answer() takes what this returns."""
        opaque = self.next_opaque() if opaque is None else opaque
        header = (json_header if kind == JSON else binary_header)(code, fields, opaque, **members)
        self.send(frame(header, body, kind))
        return opaque

    def ask(self, code, fields=None, body=b"", opaque=None, kind=JSON, **members):
        return self.answer(self.start(code, fields, body, opaque, kind, **members))
