"""Settings and runtime information: 25, 26, 28. And what a broker without permissions answers."""

from suite import wire
from suite.bodies import parse_json, properties
from suite.variant import Cases

from .common import GET_CONFIG, LITE_PULL, PULL, RUNTIME_INFO, SEND, SEND_BACK, SEND_BATCH, SEND_V2, UPDATE_CONFIG, batch_item, pull_fields, send_fields, send_v2

CASES = Cases("admin")

# What a tool reads of either.
SETTINGS = ("brokerName", "brokerClusterName", "brokerId", "brokerPermission", "brokerRole", "flushDiskType", "autoCreateTopicEnable", "autoCreateSubscriptionGroup",
            "defaultTopicQueueNums", "maxMessageSize", "messageDelayLevel", "mappedFileSizeCommitLog", "enablePropertyFilter", "longPollingEnable", "traceOn",
            "fileReservedTime", "deleteWhen", "waitTimeMillsInSendQueue", "timerWheelEnable", "brokerIP1", "maxTransferCountOnMessageInMemory",
            "maxTransferBytesOnMessageInMemory", "notifyConsumerIdsChangedEnable", "litePullMessageEnable", "registerNameServerPeriod", "slaveReadEnable",
            "rejectTransactionMessage", "flushIntervalCommitLog", "filterSupportRetry", "transientStorePoolEnable")


def _settings(side, name, *names, **how):
    answer = side.main.ask(GET_CONFIG, how.pop("fields", {}), **how)
    text = properties(answer.body)
    side.keep(name, {"code": answer.code, "ext": sorted(answer.fields), "settings": {each: text.get(each) for each in names}})


@CASES.steps("settings")
def _(side):
    _settings(side, "all of use", *SETTINGS)
    _settings(side, "no ext fields", "brokerName", fields=None)
    _settings(side, "binary", "brokerName", kind=wire.ROCKETMQ)


def _update(name, text, *names):
    @CASES.steps(f"update {name}")
    def _(side):
        side.ask(UPDATE_CONFIG, {}, text.encode(), name="update")
        _settings(side, "then", *names)


_update("one", "brokerFastFailureEnable=false\n", "brokerFastFailureEnable")
_update("one back", "brokerFastFailureEnable=true", "brokerFastFailureEnable")
_update("number", "fileReservedTime=71", "fileReservedTime")
_update("two", "fileReservedTime=72\ndeleteWhen=05", "fileReservedTime", "deleteWhen")
_update("number of text", "fileReservedTime=long", "fileReservedTime")
_update("number too large", "fileReservedTime=99999999999", "fileReservedTime")
_update("number negative", "fileReservedTime=-5", "fileReservedTime")
_update("number back", "fileReservedTime=72", "fileReservedTime")
_update("flag of text", "traceOn=what", "traceOn")
_update("flag back", "traceOn=true", "traceOn")
_update("unknown key", "unheardOf=1", "unheardOf")
_update("known and unknown", "fileReservedTime=73\nunheardOf=1", "fileReservedTime")
_update("empty value", "deleteWhen=", "deleteWhen")
_update("empty value back", "deleteWhen=04", "deleteWhen")
_update("no value", "deleteWhen", "deleteWhen")
_update("no value back", "deleteWhen=04", "deleteWhen")
_update("black list", "brokerConfigPath=/tmp/x")
_update("black list, file of the store", "configBlackList=x")
_update("comment alone", "# nothing")
_update("blank", "  \n  ")
_update("not ASCII", "größe=1")
_update("at start alone", "brokerName=another", "brokerName")
_update("listen port", "listenPort=1")
_update("store path", "storePathRootDir=/tmp/elsewhere")
CASES.one("update empty body", UPDATE_CONFIG, {}, b"")
CASES.one("update not text", UPDATE_CONFIG, {}, b"\xff\xfe\x00")
CASES.one("update no ext fields", UPDATE_CONFIG, None, b"fileReservedTime=72")
CASES.one("update binary", UPDATE_CONFIG, {}, b"fileReservedTime=72", kind=wire.ROCKETMQ)


@CASES.steps("runtime information")
def _(side):
    """Which keys there are, and the values that do not depend on the moment."""
    for name, how in (("plain", {"fields": {}}), ("no ext fields", {"fields": None}), ("binary", {"fields": {}, "kind": wire.ROCKETMQ})):
        answer = side.main.ask(RUNTIME_INFO, how.pop("fields"), **how)
        table = parse_json(answer.body)["table"]
        side.keep(name, {"code": answer.code, "ext": answer.fields, "keys": {key: True for key in table},
                         "values": {key: table.get(key) for key in ("brokerActive", "commitLogMinOffset", "dispatchBehindBytes", "sendThreadPoolQueueSize", "brokerVersionDesc",
                                                                    "msgPutTotalTodayMorning")}})


# --- a broker that may not


def _without(permission, name, *asked):
    @CASES.steps(f"permission {permission}")
    def _(side):
        side.ask(UPDATE_CONFIG, {}, f"brokerPermission={permission}".encode(), name="taken")
        try:
            for number, (code, fields, body) in enumerate(asked):
                side.ask(code, fields, body, name=f"{number}: {code}")
        finally:
            side.ask(UPDATE_CONFIG, {}, b"brokerPermission=6", name="given back")


_ASKED = ((SEND_V2, send_v2("writable"), b"hello"), (SEND, send_fields("writable"), b"hello"), (SEND_V2, send_v2("ordered"), b"hello"),
          (SEND_BATCH, send_v2("writable", 0, "", batch=True), batch_item("x")), (SEND_V2, send_v2("%RETRY%readers"), b"hello"),
          (PULL, pull_fields("readers", "plain"), b""), (LITE_PULL, pull_fields("readers", "plain"), b""),
          (SEND_BACK, {"offset": 0, "group": "readers", "delayLevel": 0}, b""))
_without(4, "read-only", *_ASKED)
_without(2, "write-only", *_ASKED)
_without(0, "closed", *_ASKED)
_without(7, "inheriting", *_ASKED[:1])
_update("permission of text", "brokerPermission=x", "brokerPermission")
_update("permission out of range", "brokerPermission=99", "brokerPermission")
_update("permission back", "brokerPermission=6", "brokerPermission")


@CASES.steps("topics are not made by sends")
def _(side):
    side.ask(UPDATE_CONFIG, {}, b"autoCreateTopicEnable=false", name="off")
    side.ask(SEND_V2, send_v2("not-made-by-send"), b"hello", name="send")
    side.ask(SEND_V2, send_v2("%RETRY%still-made"), b"hello", name="retry topic")
    side.ask(UPDATE_CONFIG, {}, b"autoCreateTopicEnable=true", name="on")
    side.ask(SEND_V2, send_v2("made-by-send-again"), b"hello", name="send again")


@CASES.steps("groups are not made")
def _(side):
    side.ask(UPDATE_CONFIG, {}, b"autoCreateSubscriptionGroup=false", name="off")
    side.ask(PULL, pull_fields("not-made-by-pull", "plain", offset=11), name="pull")
    side.ask(PULL, pull_fields("readers", "plain", offset=11), name="pull of one that is there")
    side.ask(PULL, pull_fields("CID_RMQ_SYS_by-pull", "plain", offset=11), name="pull of the system's")
    side.ask(SEND_BACK, {"offset": 0, "group": "not-made-by-return", "delayLevel": 0}, name="send back")
    side.ask(SEND_V2, send_v2("%RETRY%not-made-by-retry"), b"hello", name="retry topic")
    side.ask(UPDATE_CONFIG, {}, b"autoCreateSubscriptionGroup=true", name="on")


@CASES.steps("lite pulls are off")
def _(side):
    side.ask(UPDATE_CONFIG, {}, b"litePullMessageEnable=false", name="off")
    side.ask(LITE_PULL, pull_fields("readers", "plain", offset=11), name="lite pull")
    side.ask(PULL, pull_fields("readers", "plain", offset=11), name="pull")
    side.ask(UPDATE_CONFIG, {}, b"litePullMessageEnable=true", name="on")
