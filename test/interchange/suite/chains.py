"""A directory that goes from one broker to the other and back, with all kinds of messages in it each time."""

import socket
from dataclasses import dataclass, field

from harness import ports
from harness.waiting import wait_until

from . import filters, judge, log_files, traffic
from .log_files import SCHEDULE_TOPIC

# Acknowledged while the kill is on its way.
LOAD_MIN = 300
IPV6_LOOPBACK = "::1"


@dataclass
class Chain:
    """`kinds` in the order in which they have the directory; each is stopped as `is_killed` says."""

    kinds: tuple
    is_killed: bool
    settings: dict                                  # of every broker
    apache: dict = field(default_factory=dict)      # of Apache's alone
    is_ipv6: bool = False

    def run(self, context):
        host = IPV6_LOOPBACK if self.is_ipv6 and _has_ipv6() else ports.LOOPBACK
        with context.place(host, self.settings) as place:
            ledger = traffic.Ledger()
            for turn, kind in enumerate(self.kinds):
                is_last = turn == len(self.kinds) - 1
                settings = dict(self.apache if kind == "apache" else {})
                if is_last:
                    settings["messageDelayLevel"] = " ".join(place.layout.shortened_delays)
                place.open(kind, settings)
                context.say(f"{kind} opened it")
                with context.session() as session:
                    if turn > 0:
                        traffic.verify(place, session, ledger, is_last)
                    if not is_last:
                        traffic.write(place, session, ledger, f"{turn}{kind}")
                    if turn == 0:
                        filters.subscribe(place, traffic.PLAIN)
                    traffic.remember(place, session, ledger)
                    if self.is_killed:
                        # It is saved every second; what is killed before the save comes again.
                        wait_until(lambda: _are_saved(place, ledger), 30, "all progress to be saved")
                        session.start_load(traffic.LOAD, traffic.QUEUES)
                        wait_until(lambda: session.loaded() >= LOAD_MIN, 60, "some load")
                    if not is_last:
                        traffic.send_short(place, session, ledger, f"{turn}{kind}")
                    if self.is_killed:
                        place.kill()
                        ledger.loaded += session.end_load()
                    else:
                        place.close()
                verdict = judge.judge(place.layout, place.root, kind, not self.is_killed)
                self._look_at_extensions(verdict, ledger)
                self._look_at_filter(place, ledger)
                place.verify()
                context.say(f"{kind} {'was killed' if self.is_killed else 'closed it'}: {verdict.summary}")
                self._look_at_delayed(verdict, ledger, is_last)
            if self.is_ipv6:
                ledger.count("IPv6 hosts" if host == IPV6_LOOPBACK else "IPv6 hosts wanted, but this machine has none")
            return ledger.counts

    def _look_at_extensions(self, verdict, ledger):
        extended = sum(queue.extended for queue in verdict.queues.values())
        assert (extended > 0) == ("enableConsumeQueueExt" in self.settings), f"{extended} entries have an extension"
        if extended:
            ledger.count("tag codes in extension files", extended)

    def _look_at_filter(self, place, ledger):
        """As the first turn left it, although nobody has asked for it since."""
        if self.is_killed:
            return  # it is saved every ten seconds
        found = filters.saved(place.root, traffic.PLAIN)
        ledger.filter = ledger.filter or found
        assert found == ledger.filter, f"the filter of {filters.GROUP} was {ledger.filter}, and is {found}"
        ledger.count("saved filters as they were")

    def _look_at_delayed(self, verdict, ledger, is_last):
        waiting = traffic.waiting_delayed(verdict, verdict.layout.long_level)
        assert is_last or set(waiting) == set(ledger.long), f"waiting for the long level: {waiting} instead of {ledger.long}"
        # On a slow machine some may have come by now; after a kill the next broker need not know that.
        delivered = {record.properties["label"] for record in verdict.log.records if record.topic == traffic.DELAY}
        if self.is_killed:
            ledger.may_come_twice |= delivered & set(ledger.short)


def _has_ipv6():
    with socket.socket(socket.AF_INET6) if socket.has_ipv6 else socket.socket() as probe:
        try:
            probe.bind((IPV6_LOOPBACK, 0))
        except OSError:
            return False
        return True


def _are_saved(place, ledger):
    """Whether the files know all progress: offsets of groups, and which delayed messages have been delivered."""
    try:
        offsets = log_files.read_table(place.root / "config" / "consumerOffset.json")["offsetTable"]
        done = log_files.read_table(place.root / "config" / "delayOffset.json")["offsetTable"]
    except (FileNotFoundError, ValueError):
        # For a moment there is only the backup, or half a file; or nothing has been saved yet.
        return False
    levels = place.layout.retry_level, place.layout.short_level
    return (all(offsets.get(f"{topic}@{group}", {}).get(str(queue)) == offset for (group, topic, queue), offset in ledger.offsets.items())
            and all(done.get(str(level)) == place.end(SCHEDULE_TOPIC, level - 1) for level in levels
                    if place.end(SCHEDULE_TOPIC, level - 1) > 0))


CLEAN_A = Chain(("apache", "tern", "apache", "tern"), False,
                {"flushDiskType": "ASYNC_FLUSH", "enableConsumeQueueExt": "true"})
CLEAN_T = Chain(("tern", "apache", "tern"), False, {"flushDiskType": "SYNC_FLUSH"})
KILLED_A = Chain(("apache", "tern", "apache", "tern"), True, {"flushDiskType": "SYNC_FLUSH"}, {"enabledAppendPropCRC": "true"})
KILLED_T = Chain(("tern", "apache", "tern", "apache"), True, {"flushDiskType": "ASYNC_FLUSH"}, is_ipv6=True)
