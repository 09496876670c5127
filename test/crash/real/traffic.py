"""Senders that remember: what they sent, how often, and where the broker said that it stands."""

import itertools
import random
import threading
import time

from harness import remoting
from harness.ports import LOOPBACK

from .judge import Attempts

QUEUES = 4
ANSWER_S = 1.0      # without an answer for so long, a message is sent again
DOWN_S = 0.2        # how long a broker that failed is left alone
BODY_SIZES = (20, 200, 1000, 4000)
FAILURES = (OSError, remoting.RemotingError)


class Acknowledgement:
    def __init__(self, broker, when):
        self.broker = broker
        self.when = when


class Load:
    """So many messages a second, and for two of every ten seconds `peak` times as many."""

    def __init__(self, rate, peak):
        self._rate = rate
        self._peak = peak
        self._start = time.monotonic()

    def pause(self, senders):
        is_peak = (time.monotonic() - self._start) % 10 >= 8
        return senders / (self._rate * (self._peak if is_peak else 1))


class Sender(threading.Thread):
    """One message at a time, round the brokers; what is not acknowledged is sent again, elsewhere if need be."""

    def __init__(self, number, senders, brokers, topic, load):
        super().__init__(daemon=True)
        self.journal = {}
        self.acknowledgements = []
        self.refusals = {}  # answers other than success: how many, by text
        self._number = number
        self._senders = senders
        self._brokers = brokers
        self._topic = topic
        self._load = load
        self._random = random.Random(number)
        self._connections = {}
        self._down_until = {}
        self._stopped = threading.Event()

    def stop(self):
        self._stopped.set()
        self.join()

    def run(self):
        turn = itertools.cycle(self._brokers)
        for message in itertools.count():
            if self._stopped.wait(self._load.pause(self._senders)):
                return
            attempts = self.journal[self._number, message] = Attempts()
            filler = "x" * self._random.choice(BODY_SIZES)
            while not self._stopped.is_set():
                broker = next(turn)
                if time.monotonic() < self._down_until.get(broker, 0):
                    if min(self._down_until.get(b, 0) for b in self._brokers) > time.monotonic():
                        self._stopped.wait(DOWN_S / 4)
                    continue
                if self._send(broker, attempts, f"{self._number} {message} {filler}"):
                    break

    def _send(self, broker, attempts, body):
        try:
            connection = self._connections.get(broker)
            if connection is None:
                connection = self._connections[broker] = remoting.Connection(LOOPBACK, broker.port, ANSWER_S)
            attempts.tries += 1
            queue = self._number % QUEUES
            answer, _ = connection.call(remoting.SEND_MESSAGE, {
                "producerGroup": "crash", "topic": self._topic, "defaultTopic": "TBW102", "defaultTopicQueueNums": QUEUES,
                "queueId": queue, "sysFlag": 0, "bornTimestamp": int(time.time() * 1000), "flag": 0, "properties": "",
                "reconsumeTimes": 0, "unitMode": "false", "batch": "false"}, body.encode())
        except FAILURES as failure:
            # An answer that is an error leaves the connection in order; whether the message is stored is open all the same.
            if isinstance(failure, remoting.RemotingError):
                self.refusals[str(failure)] = self.refusals.get(str(failure), 0) + 1
            else:
                self._forget(broker)
            self._down_until[broker] = time.monotonic() + DOWN_S
            return False
        attempts.acknowledged.append((broker.name, queue, int(answer["extFields"]["queueOffset"])))
        self.acknowledgements.append(Acknowledgement(broker.name, time.monotonic()))
        return True

    def _forget(self, broker):
        connection = self._connections.pop(broker, None)
        if connection is not None:
            connection.__exit__()
