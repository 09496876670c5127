"""Messages with a time of their own in a directory that changes hands: each is delivered once, by whoever has the directory then."""

import time

from harness.waiting import wait_until

from .traffic import message

TOPIC = "timed"
PRECISION_MS = 1000
# Who has the directory, and whether it ends with a kill. After a kill messages may come again.
TURNS = [("tern", False), ("apache", False), ("tern", False), ("apache", True), ("tern", True), ("apache", False), ("tern", False)]
# Some are due while the broker runs that took them, some while a later one does.
DELAYS_MS = (100, 1_500, 3_000, 25_000, 26_500, 60_000, 61_000, 90_000)
DELIVERY_S = 60


def run(context):
    due, covered = {}, {"turns": 0, "messages": 0, "delivered twice": 0}
    with context.place(settings={"flushDiskType": "SYNC_FLUSH"}) as place:
        kills = 0
        before = {}
        for turn, (kind, is_killed) in enumerate(TURNS):
            place.open(kind)
            with context.session() as session:
                if turn == 0:
                    place.create_topic(TOPIC, 1)
                else:
                    before = _expect_delivered(session, due, kills, before)
                for number, delay in enumerate(DELAYS_MS):
                    at = int(time.time() * 1000) + delay
                    label = f"{turn}-{kind}-{number}"
                    (result,) = session.send([message(TOPIC, 0, label, deliver_at=at)])
                    assert result["status"] == "SEND_OK", result
                    due[label] = at
                _expect_delivered(session, due, kills, before)
                if turn == len(TURNS) - 1:
                    _wait_for_all(session, due)
                before = _expect_delivered(session, due, kills, before)
            place.kill() if is_killed else place.close()
            kills += is_killed
            context.say(f"{kind} {'killed' if is_killed else 'stopped'}: {len(before)} of {len(due)} delivered")
            covered["turns"] += 1
    covered["messages"] = len(due)
    covered["delivered twice"] = sum(count > 1 for count in before.values())
    return covered


def _delivered(session):
    counts, stored = {}, {}
    for view in session.read(TOPIC):
        label = view["properties"]["label"]
        counts[label] = counts.get(label, 0) + 1
        stored.setdefault(label, view["stored"])
    return counts, stored


def _expect_delivered(session, due, kills, before):
    """What is due by now comes, and what is not due does not; nothing comes twice unless somebody was killed."""
    now = int(time.time() * 1000)
    expected = {label for label, at in due.items() if at + PRECISION_MS < now}
    wait_until(lambda: expected <= set(_delivered(session)[0]), DELIVERY_S, f"all of {sorted(expected)}")
    counts, stored = _delivered(session)
    for label, at in stored.items():
        assert at >= due[label], f"{label} came {due[label] - at} ms early"
    for label, count in counts.items():
        assert count == 1 or kills, f"{label} came {count} times, {before.get(label, 0)} of them in earlier turns"
    return counts


def _wait_for_all(session, due):
    time.sleep(max(0, (max(due.values()) + 2 * PRECISION_MS) / 1000 - time.time()))
