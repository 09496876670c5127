"""Free ports on the loopback interface, outside the range from which outgoing connections take theirs."""

import random
import socket

LOOPBACK = "127.0.0.1"
LOWEST, HIGHEST = 10_000, 30_000


def is_open(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def _can_bind(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def _free(neighbours):
    for _ in range(1000):
        port = random.randint(LOWEST, HIGHEST)
        if all(_can_bind(port + offset) for offset in neighbours):
            return port
    raise OSError("no free port found")


def free_port():
    return _free((0,))


def free_broker_port():
    """A port whose neighbours are free too: the fast channel is two below, Apache's replication port one above."""
    return _free((-2, 0, 1))
