"""Pulling one queue: records from an offset on, with the offset consumed so far on the way."""

from harness import remoting

from .records import offsets_and_bodies

QUERY_CONSUMER_OFFSET = 14
GET_MAX_OFFSET, GET_MIN_OFFSET = 30, 31
PULL_NOT_FOUND, PULL_RETRY = 19, 20
QUERY_NOT_FOUND = 22
COMMIT, SUBSCRIPTION = 1, 4  # bits of a pull's system flag
BATCH = 32


def pull(connection, group, topic, queue, offset, commits=True):
    """[(offset, body)], empty if there is nothing."""
    try:
        _, body = connection.call(remoting.PULL_MESSAGE, {
            "consumerGroup": group, "topic": topic, "queueId": queue, "queueOffset": offset, "maxMsgNums": BATCH,
            "sysFlag": SUBSCRIPTION | (COMMIT if commits else 0), "commitOffset": offset, "suspendTimeoutMillis": 0,
            "subscription": "*", "subVersion": 1, "expressionType": "TAG"})
    except remoting.RemotingError as answer:
        if answer.code in (PULL_NOT_FOUND, PULL_RETRY):
            return []
        raise
    return list(offsets_and_bodies(body))


def committed(connection, group, topic, queue):
    try:
        answer, _ = connection.call(QUERY_CONSUMER_OFFSET, {"consumerGroup": group, "topic": topic, "queueId": queue})
    except remoting.RemotingError as answer:
        if answer.code == QUERY_NOT_FOUND:
            return 0
        raise
    return int(answer["extFields"]["offset"])


def bound(connection, code, topic, queue):
    answer, _ = connection.call(code, {"topic": topic, "queueId": queue})
    return int(answer["extFields"]["offset"])


def key_of(body):
    sender, number, _ = body.split(b" ", 2)
    return int(sender), int(number)
