"""One function per thing that an administrator does. They run in this order, on the same topic and group."""

import re
import time

from harness import remoting
from harness.ports import LOOPBACK
from harness.waiting import wait_until

CLUSTER = "DefaultCluster"
QUEUES = 3
# Messages in each queue, and how many of them the group has consumed.
SENT = 7
CONSUMED = 4
NO_PERMISSION = 16
NO_NEW_MESSAGE = 19


class Admin:
    """What the checks share: the tool, the cluster, and the names of this run."""

    def __init__(self, tool, cluster):
        self.run = tool
        self.brokers = cluster.brokers
        run = format(time.time_ns(), "x")
        self.topic = f"admin_{run}"
        self.group = f"admingroup_{run}"
        self.member = f"{LOOPBACK}@member_{run}"
        self._members = []

    def connect(self, broker):
        return remoting.Connection(LOOPBACK, broker.port)

    def has_route(self):
        return '"queueDatas"' in self.run("topicRoute", "-t", self.topic)

    def fill(self):
        """Messages in every queue, and a group with a member that stays and offsets in every queue."""
        for broker in self.brokers:
            connection = self.connect(broker)
            self._members.append(connection)
            connection.call(remoting.HEART_BEAT, body=heartbeat(self.member, self.group, self.topic))
            for queue in range(QUEUES):
                for number in range(SENT):
                    send(connection, self.topic, queue, f"message {number}")
                connection.call(remoting.UPDATE_CONSUMER_OFFSET, {
                    "consumerGroup": self.group, "topic": self.topic, "queueId": queue, "commitOffset": CONSUMED})

    def leave(self):
        for connection in self._members:
            connection.__exit__()


def heartbeat(member, group, topic):
    def subscription(name):
        return (f'{{"classFilterMode":false,"codeSet":[],"expressionType":"TAG","subString":"*","subVersion":1,"tagsSet":[],'
                f'"topic":"{name}"}}')
    return (f'{{"clientID":"{member}","producerDataSet":[],"consumerDataSet":[{{"groupName":"{group}",'
            f'"consumeType":"CONSUME_PASSIVELY","messageModel":"CLUSTERING","consumeFromWhere":"CONSUME_FROM_FIRST_OFFSET",'
            f'"subscriptionDataSet":[{subscription(topic)},{subscription("%RETRY%" + group)}],"unitMode":false}}]}}').encode()


def send(connection, topic, queue, text):
    connection.call(remoting.SEND_MESSAGE, {
        "producerGroup": "adminproducers", "topic": topic, "defaultTopic": "TBW102", "defaultTopicQueueNums": 4, "queueId": queue,
        "sysFlag": 0, "bornTimestamp": int(time.time() * 1000), "flag": 0, "properties": "", "reconsumeTimes": 0,
        "unitMode": "false", "batch": "false"}, text.encode())


def pull_code(connection, group, topic):
    """The answer's code for a pull at the end of queue 0, which need not wait."""
    try:
        connection.call(remoting.PULL_MESSAGE, {
            "consumerGroup": group, "topic": topic, "queueId": 0, "queueOffset": SENT, "maxMsgNums": 1, "sysFlag": 4,
            "commitOffset": 0, "suspendTimeoutMillis": 0, "subscription": "*", "subVersion": 1, "expressionType": "TAG"})
    except remoting.RemotingError as answer:
        return answer.code
    return remoting.SUCCESS


def rows(text, *first):
    """The printed rows that begin with these words, each as its words."""
    return [words for words in map(str.split, text.splitlines()) if words[:len(first)] == list(first)]


def expect(condition, printed):
    if not condition:
        raise AssertionError("the tool printed:\n" + printed)


def cluster_list_shows_every_broker(admin):
    printed = admin.run("clusterList")
    for broker in admin.brokers:
        found = rows(printed, CLUSTER, broker.name, "0", broker.address)
        expect(len(found) == 1 and re.fullmatch(r"V\d+_\d+_\d+\w*", found[0][4]), printed)


def cluster_list_shows_message_counts(admin):
    printed = admin.run("clusterList", "-m")
    for broker in admin.brokers:
        found = rows(printed, CLUSTER, broker.name)
        expect(len(found) == 1 and all(count.isdigit() for count in found[0][2:]), printed)


def update_topic_creates(admin):
    printed = admin.run("updateTopic", "-c", CLUSTER, "-t", admin.topic, "-r", "2", "-w", "2")
    for broker in admin.brokers:
        expect(f"create topic to {broker.address} success." in printed, printed)
    expect(f"topicName={admin.topic}, readQueueNums=2, writeQueueNums=2, perm=RW-" in printed, printed)
    wait_until(admin.has_route, 30, "a route to the new topic")


def update_topic_changes(admin):
    for broker in admin.brokers:
        printed = admin.run("updateTopic", "-b", broker.address, "-t", admin.topic, "-r", str(QUEUES), "-w", str(QUEUES), "-p", "6")
        expect(f"create topic to {broker.address} success." in printed, printed)


def topic_route_shows_every_broker(admin):
    def printed_route():
        printed = admin.run("topicRoute", "-t", admin.topic)
        return printed if printed.count(f'"readQueueNums":{QUEUES}') == len(admin.brokers) else None
    printed = wait_until(printed_route, 30, "the route to tell of all queues")
    expect(printed.count(f'"writeQueueNums":{QUEUES}') == len(admin.brokers), printed)
    expect(printed.count('"perm":6') == len(admin.brokers), printed)
    for broker in admin.brokers:
        expect(f'0:"{broker.address}"' in printed and f'"brokerName":"{broker.name}"' in printed, printed)


def topic_route_lists_queues(admin):
    printed = admin.run("topicRoute", "-t", admin.topic, "-l")
    for broker in admin.brokers:
        expect(rows(printed, CLUSTER, broker.name, f"{{0={broker.address}}}", str(QUEUES), str(QUEUES), "6"), printed)
    total = str(QUEUES * len(admin.brokers))
    expect(rows(printed, "Total:", str(len(admin.brokers)), total, total), printed)


def topic_list_shows_the_topic(admin):
    printed = admin.run("topicList")
    expect(rows(printed, admin.topic), printed)
    expect(rows(printed, "TBW102"), printed)


def topic_status_shows_offsets(admin):
    admin.fill()
    def printed_status():
        printed = admin.run("topicStatus", "-t", admin.topic)
        found = [row for broker in admin.brokers for row in rows(printed, broker.name)]
        return printed if all(row[3] == str(SENT) for row in found) else None
    printed = wait_until(printed_status, 30, "all messages in the queues")
    for broker in admin.brokers:
        for queue in range(QUEUES):
            found = rows(printed, broker.name, str(queue), "0", str(SENT))
            # And when the last one came.
            expect(len(found) == 1 and len(found[0]) == 6, printed)


def update_sub_group_creates(admin):
    group = admin.group + "_new"
    printed = admin.run("updateSubGroup", "-c", CLUSTER, "-g", group, "-r", "5")
    for broker in admin.brokers:
        expect(f"create subscription group to {broker.address} success." in printed, printed)
    expect(f"groupName={group}" in printed and "retryMaxTimes=5" in printed, printed)


def update_sub_group_takes_effect(admin):
    """A group that may not consume gets nothing; one that may, does."""
    group = admin.group + "_switched"
    for allowed, code in (("false", NO_PERMISSION), ("true", NO_NEW_MESSAGE)):
        for broker in admin.brokers:
            printed = admin.run("updateSubGroup", "-b", broker.address, "-g", group, "-s", allowed)
            expect(f"create subscription group to {broker.address} success." in printed, printed)
            with admin.connect(broker) as connection:
                got = pull_code(connection, group, admin.topic)
                expect(got == code, f"{printed}\nand a pull was answered with {got}")


def consumer_progress_shows_the_group(admin):
    printed = admin.run("consumerProgress", "-g", admin.group)
    for broker in admin.brokers:
        for queue in range(QUEUES):
            found = rows(printed, admin.topic, broker.name, str(queue), str(SENT), str(CONSUMED))
            expect(len(found) == 1 and str(SENT - CONSUMED) in found[0][5:], printed)
    behind = len(admin.brokers) * QUEUES * (SENT - CONSUMED)
    expect(re.search(rf"Diff Total: {behind}\b", printed), printed)


def consumer_progress_shows_all_groups(admin):
    printed = admin.run("consumerProgress")
    found = rows(printed, admin.group)
    behind = len(admin.brokers) * QUEUES * (SENT - CONSUMED)
    expect(len(found) == 1 and found[0][1] == "1" and found[0][3:5] == ["PUSH", "CLUSTERING"], printed)
    expect(found[0][-1] == str(behind), printed)


def topic_list_shows_consumers(admin):
    printed = admin.run("topicList", "-c")
    expect(rows(printed, CLUSTER, admin.topic, admin.group), printed)


def broker_status_of_a_cluster(admin):
    printed = admin.run("brokerStatus", "-c", CLUSTER)
    for broker in admin.brokers:
        expect(rows(printed, broker.address, "brokerVersionDesc"), printed)


def broker_status_counts(admin):
    for broker in admin.brokers:
        printed = admin.run("brokerStatus", "-b", broker.address)
        values = dict(re.findall(r"^(\w+)\s*: (.*?)\s*$", printed, re.MULTILINE))
        expect(int(values.get("msgPutTotalTodayNow", -1)) >= QUEUES * SENT, printed)
        expect(int(values.get("commitLogMaxOffset", -1)) > int(values.get("commitLogMinOffset", -1)) >= 0, printed)
        expect(abs(int(values.get("bootTimestamp", 0)) / 1000 - time.time()) < 24 * 3600, printed)
        for key in ("putTps", "getTotalTps", "dispatchBehindBytes", "sendThreadPoolQueueSize", "runtime"):
            expect(values.get(key), f"no {key}\n{printed}")


def update_broker_config_takes_effect(admin):
    for broker in admin.brokers:
        for value in ("501", "500"):
            printed = admin.run("updateBrokerConfig", "-b", broker.address, "-k", "flushIntervalCommitLog", "-v", value)
            expect("update broker config success" in printed, printed)
            printed = admin.run("getBrokerConfig", "-b", broker.address)
            expect(re.search(rf"^flushIntervalCommitLog\s*=\s*{value}\s*$", printed, re.MULTILINE), printed)


def delete_topic_removes(admin):
    admin.leave()
    printed = admin.run("deleteTopic", "-c", CLUSTER, "-t", admin.topic)
    expect(f"delete topic [{admin.topic}] from cluster [{CLUSTER}] success." in printed, printed)
    expect(f"delete topic [{admin.topic}] from NameServer success." in printed, printed)
    printed = admin.run("topicList")
    expect(not rows(printed, admin.topic) and rows(printed, "TBW102"), printed)


def topic_route_of_an_unknown_topic_says_so(admin):
    printed = admin.run("topicRoute", "-t", admin.topic)
    expect(re.search(rf"CODE: 17\b.*{admin.topic}", printed), printed)


CHECKS = (
    cluster_list_shows_every_broker,
    cluster_list_shows_message_counts,
    update_topic_creates,
    update_topic_changes,
    topic_route_shows_every_broker,
    topic_route_lists_queues,
    topic_list_shows_the_topic,
    topic_status_shows_offsets,
    update_sub_group_creates,
    update_sub_group_takes_effect,
    consumer_progress_shows_the_group,
    consumer_progress_shows_all_groups,
    topic_list_shows_consumers,
    broker_status_of_a_cluster,
    broker_status_counts,
    update_broker_config_takes_effect,
    delete_topic_removes,
    topic_route_of_an_unknown_topic_says_so,
)
