"""Requests that many variants are made of, and the codes by name."""

import json
import struct

SEND, PULL, QUERY_MESSAGE, QUERY_OFFSET, UPDATE_OFFSET, CREATE_TOPIC = 10, 11, 12, 14, 15, 17
ALL_TOPICS, UPDATE_CONFIG, GET_CONFIG, RUNTIME_INFO = 21, 25, 26, 28
ALL_OFFSETS, ALL_DELAY_OFFSETS, CREATE_TOPICS, UPDATE_GROUPS = 43, 45, 18, 225
RESET_OFFSET, CONSUMER_STATUS, TIME_SPAN, RUNNING_INFO, CORRECTION, CONSUME_DIRECTLY = 222, 223, 303, 307, 308, 309
CLONE_OFFSET, VIEW_STATS, ALL_CONSUME_STATS, QUEUE_ENTRIES, RESUME_CHECK = 314, 315, 317, 321, 323
REPLY, REPLY_V2, ALL_PRODUCERS, SUBSCRIPTION_OF, FORBIDDEN = 324, 325, 328, 345, 353
CLEAN_QUEUES, CLEAN_TOPICS, DELETE_EXPIRED = 306, 316, 329
# What brokers ask of clients.
TO_RESET, TO_STATUS, TO_PUSH = 220, 221, 326
SEARCH_OFFSET, MAX_OFFSET, MIN_OFFSET, EARLIEST, VIEW, HEART_BEAT, UNREGISTER = 29, 30, 31, 32, 33, 34, 35
SEND_BACK, CONSUMER_LIST, LOCK, UNLOCK, CHECK_CLIENT = 36, 38, 41, 42, 46
UPDATE_GROUP, ALL_GROUPS, TOPIC_STATS, CONSUMER_CONNECTIONS, PRODUCER_CONNECTIONS = 200, 201, 202, 203, 204
DELETE_GROUP, CONSUME_STATS, DELETE_TOPIC, WHO_CONSUMES, SYSTEM_TOPICS = 207, 208, 215, 300, 305
SEND_V2, SEND_BATCH, TOPICS_OF_GROUP, TOPIC_CONFIG, GROUP_CONFIG, LITE_PULL = 310, 320, 343, 351, 352, 361

INT_MAX, LONG_MAX = 2**31 - 1, 2**63 - 1
BORN = 1_700_000_000_000
# (name, value): what an int field may be given instead of one.
BAD_INTS = (("text", "four"), ("empty", ""), ("blank-around", " 1"), ("over-int", str(INT_MAX + 1)), ("over-long", str(LONG_MAX + 1)),
            ("fraction", "1.0"), ("hex", "0x1"))
BAD_LONGS = (("text", "four"), ("empty", ""), ("over-long", str(LONG_MAX + 1)), ("fraction", "1.5"))
ODD_NAMES = (("blank", " "), ("empty", ""), ("dot", "a.b"), ("slash", "a/b"), ("umlaut", "größe"), ("space-inside", "a b"),
             ("control", "a\x01b"))

SHORT = {"producerGroup": "a", "topic": "b", "defaultTopic": "c", "defaultTopicQueueNums": "d", "queueId": "e", "sysFlag": "f",
         "bornTimestamp": "g", "flag": "h", "properties": "i", "reconsumeTimes": "j", "unitMode": "k", "maxReconsumeTimes": "l",
         "batch": "m", "bname": "n"}


def properties(**pairs):
    return "".join(f"{name}\x01{value}\x02" for name, value in pairs.items())


# Nobody asks for a message by it.
UNIQUE_KEY = "7F000001ABCD00000000000000000001"


def send_fields(topic, queue=0, text=None, /, key=True, **more):
    """Long names. `text`: the properties; without it, a unique key alone. A field that is None is left out."""
    given = text if text is not None else properties(UNIQ_KEY=UNIQUE_KEY) if key else ""
    fields = {"producerGroup": "producers", "topic": topic, "defaultTopic": "TBW102", "defaultTopicQueueNums": 4, "queueId": queue,
              "sysFlag": 0, "bornTimestamp": BORN, "flag": 0, "properties": given, "reconsumeTimes": 0, "unitMode": False,
              "batch": False, **more}
    return {name: value for name, value in fields.items() if value is not None}


def short(fields):
    return {SHORT.get(name, name): value for name, value in fields.items()}


def send_v2(topic, queue=0, text=None, /, **more):
    return short(send_fields(topic, queue, text, **more))


def batch_item(body, text="", flag=0):
    body, text = body.encode(), text.encode()
    return struct.pack(">iiiii", 22 + len(body) + len(text), 0, 0, flag, len(body)) + body + struct.pack(">h", len(text)) + text


def pull_fields(group, topic, queue=0, start=0, /, offset=None, **more):
    """With its own subscription: to everything."""
    fields = {"consumerGroup": group, "topic": topic, "queueId": queue, "queueOffset": start if offset is None else offset, "maxMsgNums": 32, "sysFlag": 4,
              "commitOffset": 0, "suspendTimeoutMillis": 1000, "subscription": "*", "subVersion": 0, "expressionType": "TAG", **more}
    return {name: value for name, value in fields.items() if value is not None}


def topic_fields(topic, /, read=4, write=4, perm=6, **more):
    fields = {"topic": topic, "defaultTopic": "TBW102", "readQueueNums": read, "writeQueueNums": write, "perm": perm,
              "topicFilterType": "SINGLE_TAG", "topicSysFlag": 0, "order": False, **more}
    return {name: value for name, value in fields.items() if value is not None}


def as_json(value):
    return json.dumps(value, ensure_ascii=False).encode()


def subscription(topic, expression="*", version=1, tags=(), codes=(), **more):
    return {"topic": topic, "subString": expression, "subVersion": version, "tagsSet": list(tags), "codeSet": list(codes),
            "classFilterMode": False, "expressionType": "TAG", **more}


def consumer(group, *subscriptions, **more):
    return {"groupName": group, "consumeType": "CONSUME_PASSIVELY", "messageModel": "CLUSTERING",
            "consumeFromWhere": "CONSUME_FROM_LAST_OFFSET", "subscriptionDataSet": list(subscriptions), "unitMode": False, **more}


def heart_beat(client, *consumers, producers=(), **more):
    return as_json({"clientID": client, "consumerDataSet": list(consumers),
                    "producerDataSet": [{"groupName": name} for name in producers], **more})
