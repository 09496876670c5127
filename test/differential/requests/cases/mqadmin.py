"""What Apache's administration tool prints of either broker, with a consumer and a producer that are there and say always the same."""

import json
import re
import threading

from suite import wire
from suite.variant import Cases

from .common import (CONSUME_DIRECTLY, CREATE_TOPIC, HEART_BEAT, PULL, RUNNING_INFO, SEND_V2, TO_STATUS, UPDATE_GROUP, UPDATE_OFFSET, as_json, consumer, heart_beat, properties,
                     pull_fields, send_v2, subscription, topic_fields)
from .ground import group as group_body

CASES = Cases("mqadmin")
TOPIC, GROUP, MEMBER, PRODUCERS = "tool-topic", "tool-group", "127.0.0.1@member", "tool-producers"
QUEUE = b'{"brokerName":"broker-a","queueId":1,"topic":"tool-topic"}'
PROCESS = (b'{"cachedMsgCount":0,"cachedMsgMaxOffset":0,"cachedMsgMinOffset":0,"cachedMsgSizeInMiB":0,"commitOffset":4,"droped":false,"lastConsumeTimestamp":1700000000000,'
           b'"lastLockTimestamp":1700000000000,"lastPullTimestamp":1700000000000,"locked":false,"transactionMsgCount":0,"transactionMsgMaxOffset":0,"transactionMsgMinOffset":0,'
           b'"tryUnlockTimes":0}')
ANSWERS = {
    RUNNING_INFO: b'{"jstack":"a stack","mqPopTable":{},"mqTable":{' + QUEUE + b":" + PROCESS + b'},"properties":{"PROP_CONSUME_TYPE":"CONSUME_PASSIVELY","PROP_CLIENT_VERSION":"V5_5_0",'
                  b'"PROP_CONSUMER_START_TIMESTAMP":"1700000000000","PROP_CONSUMEORDERLY":"false","PROP_NAMESERVER_ADDR":"x","PROP_THREADPOOL_CORE_SIZE":"4"},"statusTable":{},'
                  b'"subscriptionSet":[],"userConsumerInfo":{}}',
    TO_STATUS: b'{"messageQueueTable":{' + QUEUE + b":4}}",
    CONSUME_DIRECTLY: as_json({"autoCommit": True, "consumeResult": "CR_SUCCESS", "order": False, "remark": "well", "spentTimeMills": 3}),
}
TIMES = ((re.compile(r"^\d\d:\d\d:\d\d\.\d{3} "), ""), (re.compile(r"\d{4}-\d\d-\d\d[ #]\d\d:\d\d:\d\d([,:]\d{3})?"), "<time>"), (re.compile(r"\b1[6-9]\d{11}\b"), "<time>"), (re.compile(r"\d+@\d+(#\d+)+"), "<tool>"),
         (re.compile(r"\b\d+ms\b"), "<time>"), (re.compile(r"127\.0\.0\.1:\d+"), "<address>"), (re.compile(r"7F000001[0-9A-F]{24}"), "<message>"))
# What the tool says of itself, of topics that it looks for, and of connections that end while it does, with where it was.
NOISE = re.compile(r" (WARN|ERROR) +(RocketmqCommon|RocketmqRemoting|MQClientAPIImpl) |^\s+at |^(Caused by: )?(java\.(io|net|nio)|io\.netty)\.")


class Member(threading.Thread):
    """Serves what a broker asks of a consumer, until the connection ends."""

    def __init__(self, side):
        super().__init__(daemon=True)
        self._on = side.connection()
        side.quietly(HEART_BEAT, {}, heart_beat(MEMBER, consumer(GROUP, subscription(TOPIC), subscription("%RETRY%" + GROUP)), producers=[PRODUCERS]), on=self._on)
        self.start()

    def run(self):
        while True:
            try:
                header, _ = self._on._receive()
            except Exception:
                return
            if not header.get("flag", 0) & (wire.RESPONSE | wire.ONE_WAY):
                request = wire.Request(header["code"], {}, b"", header["opaque"], 0)
                self._on.respond(request, body=ANSWERS.get(request.code, b""))


def _masked(line):
    for pattern, text in TIMES:
        line = pattern.sub(text, line)
    return " ".join(line.split())


def _kept(side, name, *arguments, lines=lambda line: True, more=()):
    # The tool waits a few seconds for an answer, which a broker on a busy machine may not keep to.
    for _ in range(10):
        printed = side.mqadmin(*arguments)
        if "wait response timeout" not in printed and "RemotingTimeoutException" not in printed:
            break
    kept = [_masked(line) for line in printed.splitlines() if line.strip() and not NOISE.search(line) and lines(line)]
    for pattern, text in more:
        kept = [re.sub(pattern, text, line) for line in kept]
    side.keep(name, kept)


# Whatever the tool's own connections have to say stands between.
TPS = ((r"Consume TPS: [\d.]+", "Consume TPS"),)


def _is_progress(line):
    return line.startswith(("#Topic", TOPIC, "%RETRY%", "Consume "))


@CASES.steps("ground")
def _(side):
    side.ask(CREATE_TOPIC, topic_fields(TOPIC, 2, 2), name="topic")
    for group in (GROUP, GROUP + "-clone"):
        side.ask(UPDATE_GROUP, {}, group_body(group), name=group)
    for number in range(6):
        side.quietly(SEND_V2, send_v2(TOPIC, number % 2, properties(UNIQ_KEY=f"tool-{number}", TAGS="TagA")), b"message %d" % number)
    for queue in range(2):
        side.quietly(UPDATE_OFFSET, {"consumerGroup": GROUP, "topic": TOPIC, "queueId": queue, "commitOffset": 1})


@CASES.steps("a consumer")
def _(side):
    Member(side)
    _kept(side, "consumerStatus", "consumerStatus", "-g", GROUP, lines=lambda line: ".txt" not in line)
    _kept(side, "consumerStatus of a client", "consumerStatus", "-g", GROUP, "-i", MEMBER, "-s")
    _kept(side, "consumerStatus of nobody", "consumerStatus", "-g", GROUP, "-i", "unheard@of", lines=lambda line: "DESC" in line)
    _kept(side, "getConsumerStatus", "getConsumerStatus", "-g", GROUP, "-t", TOPIC)
    _kept(side, "consumerConnection", "consumerConnection", "-g", GROUP)
    _kept(side, "producerConnection", "producerConnection", "-g", PRODUCERS, "-t", TOPIC)
    _kept(side, "producer", "producer", "-b", f"127.0.0.1:{side.port}", lines=lambda line: PRODUCERS in line)
    _kept(side, "consumerProgress", "consumerProgress", "-g", GROUP, more=TPS, lines=_is_progress)
    sent = side.ask(SEND_V2, send_v2(TOPIC, 0, properties(UNIQ_KEY="tool-direct")), b"direct", name="sent").positions[0]
    _kept(side, "queryMsgById to a client", "queryMsgById", "-i", f"7F000001{side.port:08X}{sent:016X}", "-g", GROUP, "-d", MEMBER, "-t", TOPIC,
          lines=lambda line: "CR_" in line or "consumeResult" in line)
    _kept(side, "resetOffsetByTime, online", "resetOffsetByTime", "-g", GROUP, "-t", TOPIC, "-s", "0")


@CASES.steps("offsets")
def _(side):
    _kept(side, "resetOffsetByTime", "resetOffsetByTime", "-g", GROUP, "-t", TOPIC, "-s", "now")
    _kept(side, "resetOffsetByTime, one queue", "resetOffsetByTime", "-g", GROUP, "-t", TOPIC, "-s", "0", "-b", f"127.0.0.1:{side.port}", "-q", "1", "-o", "2")
    _kept(side, "resetOffsetByTime, unknown group", "resetOffsetByTime", "-g", "unheard-of", "-t", TOPIC, "-s", "0", lines=lambda line: "CODE" in line or "offset" in line)
    _kept(side, "skipAccumulatedMessage", "skipAccumulatedMessage", "-g", GROUP, "-t", TOPIC)
    _kept(side, "cloneGroupOffset", "cloneGroupOffset", "-s", GROUP, "-d", GROUP + "-clone", "-t", TOPIC, "-o", "true")
    _kept(side, "consumerProgress of the clone", "consumerProgress", "-g", GROUP + "-clone", more=TPS, lines=_is_progress)
    _kept(side, "brokerConsumeStats", "brokerConsumeStats", "-b", f"127.0.0.1:{side.port}", lines=lambda line: TOPIC in line and GROUP in line)
    side.main.ask(PULL, pull_fields(GROUP, TOPIC, 0, 0))
    _kept(side, "statsAll", "statsAll", "-t", TOPIC, more=((r"\d+\.\d+", "<rate>"), (r"(?<= )\d+$", "<number>"), (r"(?<= )\d+ (?=<number>)", "<number> ")))


@CASES.steps("queues")
def _(side):
    address = f"127.0.0.1:{side.port}"
    _kept(side, "queryCq", "queryCq", "-t", TOPIC, "-q", "0", "-i", "0", "-c", "2", "-b", address, more=((r"physicOffset=\d+", "physicOffset"),))
    _kept(side, "queryCq, unknown", "queryCq", "-t", "unheard-of", "-q", "0", "-i", "0", "-c", "2", "-b", address, lines=lambda line: "CODE" in line)
    for command in ("cleanExpiredCQ", "cleanUnusedTopic", "deleteExpiredCommitLog"):
        _kept(side, command, command, "-b", address)


@CASES.steps("lists")
def _(side):
    topics, groups = side.work / "topics.json", side.work / "groups.json"
    topics.write_text(json.dumps([{"topicName": "tool-list-a", "readQueueNums": 3, "writeQueueNums": 3, "perm": 6}, {"topicName": "tool-list-b", "order": True}]))
    groups.write_text(json.dumps([{"groupName": "tool-list-g", "retryMaxTimes": 5}, {"groupName": "tool-list-h"}]))
    _kept(side, "updateTopicList", "updateTopicList", "-b", f"127.0.0.1:{side.port}", "-f", str(topics), more=((r"/\S+/", ""),))
    _kept(side, "topicStatus", "topicStatus", "-t", "tool-list-a")
    _kept(side, "updateSubGroupList", "updateSubGroupList", "-b", f"127.0.0.1:{side.port}", "-f", str(groups), more=((r"/\S+/", ""),))
    _kept(side, "getConsumerConfig", "getConsumerConfig", "-g", "tool-list-g")
