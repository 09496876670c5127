"""A client of the remoting protocol in miniature: one blocking connection, JSON headers.

The harness asks the nameserver with it who has registered, and the mqadmin suite lays out its data with it. What is
under test is always a published client, never this one.
"""

import json
import socket
import struct

SUCCESS = 0
SEND_MESSAGE = 10
PULL_MESSAGE = 11
UPDATE_CONSUMER_OFFSET = 15
HEART_BEAT = 34
GET_ROUTE_BY_TOPIC = 105
GET_CLUSTER_INFO = 106

# What a Java 5.x client says about itself; the route's JSON dialect depends on it.
LANGUAGE = "JAVA"
VERSION = 401
# Well above any answer the harness asks for.
FRAME_SIZE_MAX = 16 * 1024 * 1024


class RemotingError(Exception):
    """The peer answered, and the answer was not success."""

    def __init__(self, code, remark):
        super().__init__(f"response code {code}: {remark}")
        self.code = code


class Connection:
    """Use as a context manager. Not for use from two threads."""

    def __init__(self, host, port, timeout_s=5.0):
        self._socket = socket.create_connection((host, port), timeout=timeout_s)
        self._opaque = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def call(self, code, fields=None, body=b""):
        """Returns (header, body) of a success; raises RemotingError for any other code, OSError for a broken pipe."""
        self._opaque += 1
        header = json.dumps({
            "code": code, "flag": 0, "language": LANGUAGE, "version": VERSION, "opaque": self._opaque,
            "serializeTypeCurrentRPC": "JSON", "extFields": {k: str(v) for k, v in (fields or {}).items()},
        }).encode()
        frame = struct.pack(">ii", 4 + len(header) + len(body), len(header)) + header + body
        self._socket.sendall(frame)
        while True:
            answer, answer_body = self._receive()
            # A broker may send requests of its own over this connection; they are not for us.
            if answer.get("flag", 0) & 1 and answer.get("opaque") == self._opaque:
                break
        if answer["code"] != SUCCESS:
            raise RemotingError(answer["code"], answer.get("remark"))
        return answer, answer_body

    def _receive(self):
        size, = struct.unpack(">i", self._read(4))
        if not 4 <= size <= FRAME_SIZE_MAX:
            raise OSError(f"frame of {size} bytes")
        frame = self._read(size)
        header_size = struct.unpack(">i", frame[:4])[0] & 0xFFFFFF
        return json.loads(frame[4:4 + header_size]), frame[4 + header_size:]

    def _read(self, size):
        parts = bytearray()
        while len(parts) < size:
            part = self._socket.recv(size - len(parts))
            if not part:
                raise OSError("connection closed by the peer")
            parts += part
        return bytes(parts)
