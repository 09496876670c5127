"""A loopback port through which a running suite asks for things to happen to the daemons.

One line per request, one line in answer, `ok ...` or `error ...`; the answer comes when the thing has happened.

    list                          ok nameserver-a broker-a
    stop NAME                     TERM, wait
    start NAME                    start in place
    restart NAME                  one after the other
    crash NAME                    kill -9, start in place
"""

import socketserver
import threading

from .ports import LOOPBACK


class Control:
    """A context manager; `address` is valid inside. All requests are served by one thread, in order."""

    def __init__(self, cluster):
        self._cluster = cluster
        control = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                for line in self.rfile:
                    self.wfile.write((control.perform(line.decode().strip()) + "\n").encode())

        self._server = socketserver.TCPServer((LOOPBACK, 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def address(self):
        host, port = self._server.server_address
        return f"{host}:{port}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def perform(self, line):
        try:
            verb, *words = line.split()
            if verb == "list":
                return "ok " + " ".join(daemon.name for daemon in self._cluster.daemons)
            daemon = self._cluster.daemon(words[0])
            if verb == "stop":
                daemon.stop()
            elif verb == "start":
                daemon.start()
            elif verb == "restart":
                daemon.restart()
            elif verb == "crash":
                daemon.crash()
            else:
                return f"error unknown request {verb}"
            self._cluster.wait_registered()
            return "ok"
        except Exception as failure:  # Whatever went wrong, the suite must hear of it, or it would wait for ever.
            return "error " + str(failure).replace("\n", " | ")
