"""Requests that Apache's broker knows and ours does not: ours says so, and the connection stays. Last, as they change Apache's."""

from suite import wire
from suite.variant import Cases

from .common import MAX_OFFSET, as_json, topic_fields

CASES = Cases("unserved")

CODES = {
    "END_TRANSACTION": (37, {"producerGroup": "p", "tranStateTableOffset": 0, "commitLogOffset": 0, "commitOrRollback": 8, "msgId": "x"}),
    "GET_TIMER_CHECK_POINT": (60,),
    "CHECK_ROCKSDB_CQ_WRITE_PROGRESS": (354, {"topic": "plain"}),
    "EXPORT_ROCKSDB_CONFIG_TO_JSON": (355, {"configType": "topics"}),
    "UPDATE_AND_CREATE_STATIC_TOPIC": (513, topic_fields("static"), b"{}"),
    "ADD_BROKER": (902,), "REMOVE_BROKER": (903,), "EXCHANGE_BROKER_HA_INFO": (906,), "GET_BROKER_HA_STATUS": (907,),
    "RESET_MASTER_FLUSH_OFFSET": (908, {"masterFlushOffset": 0}), "GET_BROKER_EPOCH_CACHE": (1007,),
    "UPDATE_COLD_DATA_FLOW_CTR_CONFIG": (2001, {}, b"readers=100"), "REMOVE_COLD_DATA_FLOW_CTR_CONFIG": (2002, {}, b"readers"), "GET_COLD_DATA_FLOW_CTR_INFO": (2003,),
    "SET_COMMITLOG_READ_MODE": (2004, {"READ_AHEAD_MODE": 0}), "AUTH_CREATE_USER": (3001,), "AUTH_UPDATE_USER": (3002,), "AUTH_DELETE_USER": (3003,),
    "AUTH_GET_USER": (3004,), "AUTH_LIST_USER": (3005,), "AUTH_CREATE_ACL": (3006,), "AUTH_UPDATE_ACL": (3007,), "AUTH_DELETE_ACL": (3008,), "AUTH_GET_ACL": (3009,),
    "AUTH_LIST_ACL": (3010,), "SWITCH_TIMER_ENGINE": (5001,),
    "POP_ROLLBACK": (200056,),
    "POP_LITE_MESSAGE": (200070,), "LITE_SUBSCRIPTION_CTL": (200071,), "ACK_LITE_MESSAGE": (200072,), "GET_BROKER_LITE_INFO": (200074,),
    "GET_PARENT_TOPIC_INFO": (200075,), "GET_LITE_TOPIC_INFO": (200076,), "GET_LITE_CLIENT_INFO": (200077,), "GET_LITE_GROUP_INFO": (200078,),
    "TRIGGER_LITE_DISPATCH": (200079,),
    # Of others, or of nobody: Apache's broker does not know them either.
    "QUERY_BROKER_OFFSET": (13,), "GET_TOPIC_CONFIG_LIST": (22,), "TRIGGER_DELETE_FILES": (27,), "CHECK_TRANSACTION_STATE": (39,), "NOTIFY_CONSUMER_IDS_CHANGED": (40,),
    "GET_CLIENT_CONFIG": (47,), "GET_ROUTEINFO_BY_TOPIC": (105,), "RESET_CONSUMER_CLIENT_OFFSET": (220,), "GET_CONSUMER_STATUS_FROM_CLIENT": (221,),
    "REGISTER_FILTER_SERVER": (301,), "PUSH_REPLY_MESSAGE_TO_CLIENT": (326,), "zero": (0,), "negative": (-1,), "unheard of": (9_999,), "largest": (2**31 - 1,),
}


def _case(name, code, fields=None, body=b""):
    @CASES.steps(f"{code} {name}")
    def _(side):
        on = side.connection()
        side.ask(code, fields or {}, body, on=on, name="answer")
        side.ask(MAX_OFFSET, {"topic": "unheard-of", "queueId": 0}, on=on, name="then")


for _name, _request in CODES.items():
    _case(_name, *_request)
CASES.one("binary", 9_999, {}, kind=wire.ROCKETMQ)
