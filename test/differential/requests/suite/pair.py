"""The two brokers: the same name, the same settings, each with a nameserver of its own, which is ours."""

import concurrent.futures

from harness.cluster import Cluster
from harness.suites import mqadmin
from harness.waiting import wait_until

from . import bodies, wire

RUNTIME_INFO = 28
# Sends, and what looks at the log and at nothing else.
LOG_ALONE = (10, 33, 310, 320, 324, 325)

# Nothing that is delayed becomes due: where it is delivered would depend on the moment.
SETTINGS = {
    "messageDelayLevel": " ".join(f"{hours}h" for hours in range(10, 28)),
    "waitTimeMillsInPullQueue": "60000",
    "waitTimeMillsInSendQueue": "60000",
    "waitTimeMillsInHeartbeatQueue": "60000",
    # Apache's default, which ours does not have.
    "timerMaxDelaySec": "259200",
}


class Pair:
    """A context manager. Apache's broker takes some seconds to start; ours waits for it."""

    def __init__(self, work, tern, apache):
        self._work = work
        self._clusters = {}
        for kind, flavour in (("apache", apache), ("tern", tern)):
            cluster = Cluster(work / kind, [tern], [flavour])
            cluster.brokers[0].settings.update(SETTINGS)
            self._clusters[kind] = cluster

    def __enter__(self):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            starts = [pool.submit(cluster.__enter__) for cluster in self._clusters.values()]
            concurrent.futures.wait(starts)
        failures = [start.exception() for start in starts if start.exception()]
        if failures:
            for cluster, start in zip(self._clusters.values(), starts):
                if not start.exception():
                    cluster.__exit__(Exception)
            raise failures[0]
        return self

    def __exit__(self, kind, *more):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            stops = [pool.submit(cluster.__exit__, kind, *more) for cluster in self._clusters.values()]
        for stop in stops:
            stop.result()

    def side(self, kind):
        return Side(kind, self._clusters[kind], self._work / kind)

    def tails(self):
        return "\n".join(cluster.tails() for cluster in self._clusters.values())


class Side:
    """One broker, as a variant sees it: it asks, and every answer is kept for the comparison."""

    def __init__(self, kind, cluster, work):
        broker = cluster.brokers[0]
        self.kind = kind
        self._cluster, self.work, self._tool = cluster, work, None
        self.port = broker.port
        self.broker_name = broker.name
        self.answers = []
        self._connections = []
        self._main = None
        self._ends = {}
        self._has_stored = False

    def _behind(self):
        """None if the broker does not say: it may just have closed the connection, late, for what an earlier variant sent."""
        answer = self.main.ask(RUNTIME_INFO, {})
        if getattr(answer, "closed", False):
            self._main = None
        if not answer.body:
            return None
        return int(bodies.parse_json(answer.body)["table"]["dispatchBehindBytes"])

    def settle(self):
        """Until queues and index have what the log has: they follow it."""
        wait_until(lambda: self._behind() == 0, 20, f"{self.kind}'s queues to have what the log has")
        self._has_stored = False

    def begin(self):
        self.answers = []
        for connection in self._connections:
            connection.__exit__()
        self._connections = []

    @property
    def main(self):
        """Of all variants, until one of them makes the broker close it."""
        if self._main is None:
            self._main = wire.Connection(self.port)
        return self._main

    def connection(self, port=None):
        """One that ends with the variant. The broker forgets its clients then, which takes a moment."""
        self._connections.append(wire.Connection(port or self.port))
        return self._connections[-1]

    def keep(self, name, answer, connection=None):
        """For what is no answer to ask(), or is one but has to be made comparable first."""
        self.answers.append((name, answer, (connection or self.main).address))
        if getattr(answer, "closed", False) and connection is None:
            self._main = None
        return answer

    def ask(self, code, fields=None, body=b"", name=None, on=None, **how):
        if self._has_stored and code not in LOG_ALONE:
            self.settle()
        answer = (on or self.main).ask(code, fields, body, **how)
        self.make_relative(fields or {}, answer)
        return self.keep(name or str(len(self.answers) + 1), answer, on)

    @property
    def nameserver(self):
        return self._cluster.nameserver_addresses

    def mqadmin(self, *arguments):
        """What Apache's tool prints."""
        self.settle()
        if self._tool is None:
            self._tool = mqadmin.tool(self._cluster, self.work)
        return self._tool(*arguments)

    def start(self, code, fields=None, body=b"", on=None, **how):
        """Asks and does not wait: finish() does."""
        if self._has_stored and code not in LOG_ALONE:
            self.settle()
        return (on or self.main).start(code, fields, body, **how), fields or {}, on

    def finish(self, started, name):
        opaque, fields, on = started
        answer = (on or self.main).answer(opaque)
        self.make_relative(fields, answer)
        return self.keep(name, answer, on)

    def make_relative(self, fields, answer):
        """A message that only one of the two stored must not count against those behind it: the queue offset of a send becomes
        the distance from where the last one ended. Positions in the log say nothing at all."""
        if "msgId" not in answer.fields or "queueId" not in answer.fields:  # a recall's has no place
            return
        self._has_stored = True
        queue = fields.get("b", fields.get("topic")), answer["queueId"]
        positions = answer["msgId"].split(",")
        offset = int(answer["queueOffset"])
        if "DELAY\x01" in str(fields.get("i") or fields.get("properties")):
            answer.fields["queueOffset"] = "<that of its level>"
        elif "recallHandle" in answer.fields:
            answer.fields["queueOffset"] = "<that of the timer>"
        elif offset >= self._ends.get(queue, 0):
            answer.fields["queueOffset"] = f"{offset - self._ends.get(queue, 0):+}"
            self._ends[queue] = offset + len(positions)
        answer.fields["msgId"] = ",".join(each[:-16] + "<position>" for each in positions)
        answer.positions = [int(each[-16:], 16) for each in positions]

    def quietly(self, code, fields=None, body=b"", on=None, **how):
        """Prepares something: must succeed, and is not compared."""
        if self._has_stored and code not in LOG_ALONE:
            self.settle()
        answer = (on or self.main).ask(code, fields, body, **how)
        if answer.closed or answer.code != 0:
            raise AssertionError(f"{self.kind}: request {code} of {fields} was to succeed: {answer}")
        self._has_stored |= "msgId" in answer.fields
        return answer
