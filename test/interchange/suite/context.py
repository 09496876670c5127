"""What a scenario runs in: daemons to start, the client, a directory, and a voice."""

import pathlib
import time
from dataclasses import dataclass

from harness import ports
from harness.cluster import Cluster

from .client import Client
from .place import Layout, Place


@dataclass(frozen=True)
class Shared:
    """Of all scenarios of a run."""

    tern: object
    apache: object
    client: Client


class Context:
    """A context manager: the nameserver runs inside. It is ours; brokers of both kinds register with it."""

    def __init__(self, name, work, shared):
        self.name = name
        self.work = pathlib.Path(work) / name
        self.flavours = {"tern": shared.tern, "apache": shared.apache}
        self._client = shared.client
        self._cluster = Cluster(self.work, [shared.tern], [])
        self._places = 0
        self._began = time.monotonic()

    def __enter__(self):
        self._cluster.__enter__()
        return self

    def __exit__(self, *failure):
        self._cluster.__exit__(*failure)

    def place(self, host=ports.LOOPBACK, settings=None, port=None, layout=None):
        self._places += 1
        return Place(self.work / f"place-{self._places}", self.flavours, self._cluster.nameservers[0], layout or Layout(),
                     host, settings, port)

    def session(self):
        return self._client.session(self._cluster.nameserver_addresses)

    def say(self, text):
        print(f"  {self.name} at {time.monotonic() - self._began:.0f} s: {text}", flush=True)
