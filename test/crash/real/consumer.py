"""A consumer as a process of its own, so that it can be killed: writes a line for each message that it gets.

    consumer.py GROUP TOPIC FILE NAME=PORT...

Whenever it meets a broker anew it begins at the offset that is committed there, as a client does that is given a queue.
"""

import os
import pathlib
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1]), str(pathlib.Path(__file__).resolve().parents[2] / "clients")]

from harness import remoting  # noqa: E402
from harness.ports import LOOPBACK  # noqa: E402
from real.pulling import committed, key_of, pull  # noqa: E402
from real.traffic import QUEUES  # noqa: E402

IDLE_S = 0.05


def consume(group, topic, file, name, port):
    while True:
        try:
            with remoting.Connection(LOOPBACK, port, 2.0) as connection:
                offsets = [committed(connection, group, topic, queue) for queue in range(QUEUES)]
                while True:
                    found = 0
                    for queue in range(QUEUES):
                        for offset, body in pull(connection, group, topic, queue, offsets[queue]):
                            sender, number = key_of(body)
                            # One write: a kill leaves no half line.
                            os.write(file, f"{time.monotonic()} {name} {queue} {offset} {sender} {number}\n".encode())
                            offsets[queue] = offset + 1
                            found += 1
                    if not found:
                        time.sleep(IDLE_S)
        except (OSError, remoting.RemotingError):
            time.sleep(IDLE_S)


def main():
    group, topic, path, *brokers = sys.argv[1:]
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for broker in brokers:
        name, port = broker.split("=")
        threading.Thread(target=consume, args=(group, topic, file, name, int(port)), daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
