"""Bodies as values that can be compared: JSON in Apache's dialect, stored messages, properties texts."""

import base64
import importlib.util
import json
import pathlib
import struct
import sys


def _decoder():
    """The decoder of stored records that the interchange suite has, by its path: its package is named as ours is."""
    path = pathlib.Path(__file__).resolve().parents[3] / "interchange" / "suite" / "log_files.py"
    spec = importlib.util.spec_from_file_location("log_files", path)
    module = sys.modules["log_files"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


log_files = _decoder()


class _Dialect:
    """Reads what Apache's brokers write: keys may be numbers or objects. An object as a key is taken as its sorted text."""

    def __init__(self, text):
        self.text, self.at = text, 0
        self.plain = json.JSONDecoder()

    def whole(self):
        value = self.value()
        self.blanks()
        if self.at != len(self.text):
            raise ValueError(f"text behind the end at {self.at}")
        return value

    def blanks(self):
        while self.at < len(self.text) and self.text[self.at] in " \t\r\n":
            self.at += 1

    def value(self):
        self.blanks()
        first = self.text[self.at:self.at + 1]
        if first == "{":
            return self.members("}", self.pair, dict)
        if first == "[":
            return self.members("]", self.value, list)
        value, self.at = self.plain.raw_decode(self.text, self.at)
        return value

    def members(self, close, one, make):
        self.at += 1
        found = []
        self.blanks()
        while self.text[self.at:self.at + 1] != close:
            found.append(one())
            self.blanks()
            if self.text[self.at:self.at + 1] == ",":
                self.at += 1
                self.blanks()
            elif self.text[self.at:self.at + 1] != close:
                raise ValueError(f"neither a comma nor {close} at {self.at}")
        self.at += 1
        return make(found)

    def pair(self):
        key = self.value()
        self.blanks()
        if self.text[self.at:self.at + 1] != ":":
            raise ValueError(f"no colon at {self.at}")
        self.at += 1
        return key if isinstance(key, str) else json.dumps(key, sort_keys=True), self.value()


def parse_json(body):
    return _Dialect(body.decode()).whole()


def records(body):
    """The messages of a pull or a query, as dictionaries of what does not depend on the moment."""
    found = []
    at = 0
    while at < len(body):
        size = struct.unpack(">i", body[at:at + 4])[0]
        if size < 4 or at + size > len(body):
            raise ValueError(f"a record of {size} bytes at {at} of {len(body)}")
        try:
            record = log_files.parse_record(body[at:at + size], at)
        except log_files.Damaged as damage:
            found.append(f"cannot be decoded: {damage}")
            at += size
            continue
        found.append({**{name: value for name, value in vars(record).items()
                         if name not in ("position", "stored", "born_host", "store_host", "body", "property_text", "stored_position")},
                      "born_host": record.born_host[:-4].hex(),
                      "store_host": record.store_host[:-4].hex(), "body": record.body[:64].decode(errors="backslashreplace"),
                      "body size": len(record.body), "property size": len(record.property_text)})
        at += size
    return found


def properties(body):
    lines = [line for line in body.decode().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) if "=" in line else (line, "") for line in lines)


def value_of(body):
    """By its looks. Anything that is none of the three stays as it is, in Base64."""
    if not body:
        return None
    if body[:1] in (b"{", b"["):
        return parse_json(body)
    if body[4:7] == b"\xda\xa3\x20":
        return records(body)
    try:
        return properties(body)
    except UnicodeDecodeError:
        return base64.b64encode(body).decode()
