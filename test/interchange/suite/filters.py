"""What consumerFilter.json says of a group that filters by SQL92."""

import json

from harness import remoting

from . import log_files

GROUP = "interchange_filtering"
EXPRESSION = "a > 5 AND b IS NOT NULL OR c IN ('x', 'ключ')"
VERSION = 1_700_000_000_001


def subscribe(place, topic):
    """A consumer comes, says what it wants, and is gone."""
    body = {"clientID": "interchange@1", "producerDataSet": [], "consumerDataSet": [{
        "groupName": GROUP, "consumeType": "CONSUME_PASSIVELY", "messageModel": "CLUSTERING",
        "consumeFromWhere": "CONSUME_FROM_LAST_OFFSET", "unitMode": False, "subscriptionDataSet": [{
            "classFilterMode": False, "topic": topic, "subString": EXPRESSION, "tagsSet": [], "codeSet": [],
            "subVersion": VERSION, "expressionType": "SQL92"}]}]}
    with remoting.Connection(place.host, place.broker.port, timeout_s=30) as connection:
        connection.call(remoting.HEART_BEAT, body=json.dumps(body, ensure_ascii=False).encode())


def saved(root, topic):
    """Without the moments in which it came and went, which the harness does not choose."""
    table = log_files.read_table(root / "config" / "consumerFilter.json")["filterDataByTopic"]
    entry = table[topic]["groupFilterData"][GROUP]
    assert entry["expression"] == EXPRESSION and entry["clientVersion"] == VERSION and entry["expressionType"] == "SQL92", entry
    assert entry["bornTime"] > 0, entry
    return {name: value for name, value in entry.items() if name not in ("bornTime", "deadTime", "dead")}, entry["bornTime"]
