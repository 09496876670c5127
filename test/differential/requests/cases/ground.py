"""Topics, groups and messages that the other variants stand on. Compared as everything else."""

from suite.variant import Cases

from .common import CREATE_TOPIC, SEND_BATCH, SEND_V2, UPDATE_GROUP, as_json, batch_item, properties, send_v2, topic_fields

CASES = Cases("ground")

TOPICS = {
    "plain": {}, "empty": {}, "writable": {}, "readonly": {"perm": 4}, "writeonly": {"perm": 2}, "closed": {"perm": 0}, "priority": {"perm": 14},
    "wide": {"read": 8, "write": 2}, "narrow": {"read": 1, "write": 4}, "ordered": {"order": True},
    "many-tags": {"topicFilterType": "MULTI_TAG"}, "unit": {"topicSysFlag": 1},
    "batches": {"attributes": "+queue.type=BatchCQ"}, "t" * 127: {"read": 1, "write": 1}, "percent%topic|x": {"read": 1, "write": 1},
}
for _name, _how in TOPICS.items():
    CASES.one(f"topic {_name[:20]}", CREATE_TOPIC, topic_fields(_name, **_how))


def group(name, **more):
    return as_json({"groupName": name, "consumeEnable": True, "consumeFromMinEnable": True, "consumeBroadcastEnable": True,
                    "consumeMessageOrderly": False, "retryQueueNums": 1, "retryMaxTimes": 16, "brokerId": 0,
                    "whichBrokerWhenConsumeSlowly": 1, "notifyConsumerIdsChangedEnable": True, "groupSysFlag": 0,
                    "consumeTimeoutMinute": 15, **more})


GROUPS = {"readers": {}, "disabled": {"consumeEnable": False}, "not-broadcasting": {"consumeBroadcastEnable": False},
          "no-retries": {"retryQueueNums": 0}, "impatient": {"retryMaxTimes": 0}, "unit-group": {"groupSysFlag": 1}}
for _name, _how in GROUPS.items():
    CASES.one(f"group {_name}", UPDATE_GROUP, {}, group(_name, **_how))


@CASES.steps("messages")
def _(side):
    """Queue 0 of `plain`: twelve with tags by turns; queue 1: one. The rest is empty."""
    for number in range(12):
        side.ask(SEND_V2, send_v2("plain", 0, properties(UNIQ_KEY=f"unique-{number:02}", KEYS=f"key{number} all", TAGS="TagA" if number % 3 else "TagB",
                                                         colour="red" if number % 2 else "blue", weight=number)), b"message %d" % number)
    side.ask(SEND_V2, send_v2("plain", 1, properties(UNIQ_KEY="alone", KEYS="alone")), b"alone")
    side.ask(SEND_V2, send_v2("writeonly", 0), b"nobody reads me")
    side.ask(SEND_BATCH, send_v2("batches", 0, properties(UNIQ_KEY="batch"), batch=True),
             b"".join(batch_item(f"item {number}", properties(UNIQ_KEY=f"batch-{number}", TAGS="TagA")) for number in range(3)))
    side.ask(SEND_V2, send_v2("batches", 0, properties(UNIQ_KEY="single")), b"by itself")
