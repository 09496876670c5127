import unittest

import support  # noqa: F401
import broker

PRODUCED = {"messages_per_s": 1000, "server_cpu_us": 2, "server_user_s": 1, "server_system_s": 1, "generator_cpu_s": 1, "seconds": 2,
            "unsent": 0, "latency": dict.fromkeys(broker.LATENCIES, 1_000_000)}


def status(**numbers):
    return {name: "0" for name in broker.COUNTERS} | {"putLockSpinLimit": "0", "putLockMode": "spin"} | {k: str(v) for k, v in numbers.items()}


class ValuesOf(unittest.TestCase):
    def test_counts_between_the_two_looks_only(self):
        before = status(putLockAcquisitions=1000, putLockTimed=90, putLockTimedWaitNanos=9_000_000, putLockTimedHoldNanos=1, putLockRetreats=50,
                        msgPutTotalTodayNow=4000, putNotReady=7, putLockSpinLimit=1000, putLockMode="mutex")
        after = status(putLockAcquisitions=1200, putLockTimed=100, putLockTimedWaitNanos=9_100_000, putLockTimedHoldNanos=20_001, putLockRetreats=58,
                       msgPutTotalTodayNow=6000, putNotReady=7, putLockSpinLimit=4000, putLockMode="spin")
        values = broker.values_of(PRODUCED, before, after)
        self.assertEqual((values["acquisitions"], values["records_per_acquisition"], values["timed"]), (200, 10, 10))
        self.assertEqual((values["retreats"], values["retreats_per_1000"], values["not_ready"]), (8, 4, 0))
        self.assertEqual((values["wait_us"], values["hold_us"]), (10, 2))
        self.assertEqual((values["wait_share"], values["hold_share"]), (0.01, 0.002))
        self.assertEqual((values["k"], values["mode"]), (4000, "spin"))

    def test_of_nothing(self):
        values = broker.values_of(PRODUCED, status(), status())
        self.assertEqual((values["wait_us"], values["retreats_per_1000"]), (0, 0))


if __name__ == "__main__":
    unittest.main()
