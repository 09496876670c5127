"""POP in a directory that changes hands: what one broker handed out, the next takes acknowledgements' word for, and hands out
again what nobody acknowledged. Names are so long that retry topics need records of the second version."""

import json
import struct
import time

from harness import remoting
from harness.waiting import wait_until

from . import log_files
from .traffic import message

TOPIC, GROUP = "pop-" + "t" * 100, "pop_" + "g" * 50
RETRY_TOPIC = f"%RETRY%{GROUP}_{TOPIC}"
QUEUES, BATCH = 2, 6
INVISIBLE_MS, POLL_MS = 5000, 3000
UPDATE_GROUP, POP, ACK, NOT_FOUND = 200, 200050, 200051, 210
TURNS = [("apache", False), ("tern", False), ("apache", False), ("tern", True), ("apache", False), ("tern", False)]
REDELIVERY_S = 90  # Apache's reviver looks once a second, but a broker needs a while to get there


def run(context):
    waiting, done = {}, set()  # label -> how often it was handed out; acknowledged
    covered = {"turns": 0, "messages": 0, "handed out again": 0, "records of the second version": 0}
    with context.place(settings={"flushDiskType": "SYNC_FLUSH"}) as place:
        for turn, (kind, is_killed) in enumerate(TURNS):
            is_last = turn == len(TURNS) - 1
            place.open(kind)
            with context.session() as session:
                if turn == 0:
                    place.create_topic(TOPIC, QUEUES)
                    place.call(UPDATE_GROUP, {}, json.dumps({"groupName": GROUP, "consumeEnable": True, "retryMaxTimes": 16}).encode())
                again = _pop(place, set(waiting), done)
                for label, (record, receipt) in again.items():
                    assert record.reconsume_times == waiting[label], f"{label}: {record.reconsume_times} instead of {waiting[label]}"
                covered["handed out again"] += len(again)
                labels = [] if is_last else [f"{turn}-{kind}-{number}" for number in range(BATCH)]
                for number, label in enumerate(labels):
                    (sent,) = session.send([message(TOPIC, number % QUEUES, label)])
                    assert sent["status"] == "SEND_OK", sent
                fresh = _pop(place, set(labels), done)
            # Of what comes anew the odd ones stay, of what comes again the first: it is to come a third time.
            left = set() if is_last else set(labels[1::2]) | set(sorted(again)[:1])
            for label, (record, receipt) in {**again, **fresh}.items():
                if label in left:
                    waiting[label] = waiting.get(label, 0) + 1
                    continue
                place.call(ACK, {"consumerGroup": GROUP, "topic": RETRY_TOPIC if receipt[4] != "0" else TOPIC, "queueId": receipt[6],
                                 "extraInfo": " ".join(receipt), "offset": receipt[7]})
                waiting.pop(label, None)
                done.add(label)
            if is_killed:
                # Offsets are saved every second; what Apache's finds behind them it hands out anew, acknowledged or not.
                wait_until(lambda: _are_saved(place), 30, "the offsets to be saved")
            place.kill() if is_killed else place.close()
            place.verify()
            log = log_files.read_log(place.root, place.layout.segment_size)
            long = [record for record in log.records if record.magic == log_files.MAGIC_V2]
            assert all(record.topic == RETRY_TOPIC for record in long), {record.topic for record in long}
            context.say(f"{kind} {'killed' if is_killed else 'stopped'}: {len(done)} acknowledged, {len(waiting)} wait, {len(long)} long records")
            covered["turns"] += 1
    covered["messages"] = len(done)
    covered["records of the second version"] = len(long)
    assert not waiting and long, waiting
    return covered


def _are_saved(place):
    try:
        saved = log_files.read_table(place.root / "config" / "consumerOffset.json")["offsetTable"]
    except (FileNotFoundError, ValueError):
        return False  # for a moment there is only the backup
    return all(saved.get(f"{topic}@{GROUP}", {}).get(str(queue)) == place.end(topic, queue)
               for topic, queues in ((TOPIC, QUEUES), (RETRY_TOPIC, 1)) for queue in range(queues))


def _pop(place, wanted, done):
    """Until all of `wanted` have come: label -> (record, receipt). Nothing that was acknowledged comes, and nothing twice."""
    found = {}

    def ask():
        for record, receipt in _pop_once(place):
            label = record.properties["label"]
            assert label in wanted and label not in done and label not in found, f"{label} came, wanted {sorted(wanted)}"
            found[label] = record, receipt
        return set(found) == wanted

    wait_until(ask, REDELIVERY_S, f"{sorted(wanted)}")
    return found


def _pop_once(place):
    fields = {"consumerGroup": GROUP, "topic": TOPIC, "queueId": -1, "maxMsgNums": 32, "invisibleTime": INVISIBLE_MS, "pollTime": POLL_MS,
              "bornTime": int(time.time() * 1000), "initMode": 0, "expType": "TAG", "exp": "*", "order": "false"}
    try:
        answer, body = place.call(POP, fields)
    except remoting.RemotingError as failure:
        if failure.code != NOT_FOUND:
            raise
        return []
    given = answer["extFields"]
    starts = {(flag, queue): start for flag, queue, start in _entries(given["startOffsetInfo"])}
    popped = []
    while body:
        size, = struct.unpack_from(">i", body)
        stored_position, = struct.unpack_from(">q", body, 28)
        record, body = log_files.parse_record(body[:size], stored_position), body[size:]
        # What is retried comes with its receipt, everything else gets it from the answer.
        receipt = record.properties.get("POP_CK", "").split(" ")
        if len(receipt) < 8:
            queue = str(record.queue)
            receipt = [starts["0", queue], given["popTime"], given["invisibleTime"], given["reviveQid"], "0", place.broker.name, queue,
                       str(record.offset)]
        popped.append((record, receipt))
    return popped


def _entries(text):
    return [entry.split(" ") for entry in text.split(";") if entry]
