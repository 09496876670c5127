"""What may differ, and why: variants, place in the answer, reason. Everything else that differs is a defect of ours."""

from suite.judge import Accepted

NOT_SERVED = "ours does not serve this request, and says so"
# Known defects: what is missing. A row goes when that is mended.
DEFECT = "defect: "

EXCEPTION = r"^((java|org|com|io)\.[\w.$]+(Exception|Error)\b|Cannot invoke |For input string|Index \d)"
NOTHING = r"^\(nothing\)$"
LENIENT = "what is missing and has an obvious default is no error; Apache's broker fails on it"
STRICT = "a number that is none, or a name that is missing, is refused; Apache's broker takes it for absent"
HEARTBEAT = "of a heartbeat ours takes what it understands; Apache's broker fails in the middle of it"
SETTINGS = "a setting that cannot take effect, or that nobody knows, is refused by name, and nothing is changed"
STUMBLES = "Apache's broker fails on a body that is missing or no batch, and its answer then lacks what an answer to a send has"


def rows(reason, *variants, where="*", **how):
    return [Accepted(each, where, reason, **how) for each in variants]


TABLE = [
    # Texts, wherever they stand. Codes are compared by themselves.
    Accepted("*", "*.remark", "a success needs no text", apaches="^not set any response code$", ours=NOTHING),
    Accepted("*", "*.remark", "Apache's text is that of a Java exception, ours says what is wrong", apaches=EXCEPTION, ours=r"^(?!\(nothing\)).+"),
    Accepted("*", "*.remark", "ours says what Apache's says, and more", says_more=True),
    Accepted("admin/*", "*.remark", "ours names its address with the port", ours="the broker.<broker>. ", apaches="the broker.127.0.0.1. "),
    Accepted("topic/create *attributes *", "create.remark", "other words, the same refusal", ours=r"^(?!\(nothing\)).+", apaches=r"^(?!not set|\(nothing\)).+"),
    # Requests that ours does not serve.
    Accepted("unserved/*", "answer.code", NOT_SERVED, ours="^3$"),
    Accepted("unserved/*", "answer.remark", NOT_SERVED, ours=r"^ request type -?\d+ not supported$"),
    Accepted("unserved/*", "answer.body*", NOT_SERVED, ours=r"^(\(nothing\)|None)$"),
    Accepted("unserved/*", "answer.ext.*", NOT_SERVED, ours=NOTHING),
    # Headers.
    *rows("a header's code and version are numbers; Apache's broker makes 0 and 1 of objects and booleans", "frame/* object", "frame/* true",
          ours="connection closed"),
    *rows("text of a header is taken as bytes; Apache's broker closes the connection", "frame/not UTF-8", apaches="connection closed"),
    *rows("lengths in a binary header must be right; Apache's broker takes some that are not", "frame/binary negative ext", "frame/binary bytes behind ext",
          ours="connection closed"),
    # Sends.
    *rows(LENIENT, "send/v? without sysFlag", "send/v? without flag"),
    *rows(STRICT, "send/v1 defaultTopicQueueNums *", "send/v1 reconsumeTimes *", "send/v1 maxReconsumeTimes *"),
    *rows("an empty body is MESSAGE_ILLEGAL, as in Apache's store; its broker fails before", "send/body empty", "timer/body empty", "send/batch without a body", where="answer.code", ours="^13$", apaches="^1$"),
    *rows("the topic is looked at first; Apache's broker fails on the body that is missing", "send/body empty, topic unknown", where="answer.code", ours="^17$", apaches="^1$"),
    *rows(STUMBLES, "send/body empty*", "timer/body empty", "send/batch *", "send/DELAY *", where="answer.ext.*", apaches=NOTHING),
    *rows("seconds that are more milliseconds than 64 bits hold are refused; in Apache's broker they become a time that is over",
          "timer/TIMER_DELAY_SEC too far, over 64 bits of milliseconds"),
    *rows("a key may hold blanks; Apache's broker takes what stands before the first", "timer/recall, handle parts long", where="answer.ext.msgId", ours="^k k$", apaches="^k$"),
    *rows("the sender says that an address has 16 bytes; Apache's broker stores that, and then cannot read the record", "send/sysFlag 0x?0", where="stored 0.body.0",
          apaches="cannot be decoded"),
    *rows("INNER_BASE has a fixed width, as an offset does not have its final length when it is sized", "*", where="*.properties.INNER_BASE", ours=r"^0*\d+$", apaches=r"^\d+$"),
    *rows("INNER_BASE has a fixed width, as an offset does not have its final length when it is sized", "*batch*", where="*size"),
    *rows("the sender says that the broker's address has 16 bytes; Apache's broker puts so many into the message id", "send/sysFlag 0x?0", where="answer.ext.msgId",
          ours="^<broker><position>$"),
    # Pulls and offsets.
    *rows(LENIENT, "pull/without maxMsgNums", "pull/without sysFlag"),
    *rows(LENIENT, "pull/group online", where="no version*"),
    *rows("a subscription of blanks is one to everything", "pull/tags blanks"),
    *rows("a subscription that names no tag is refused, with blanks between its bars or without", "pull/tags bars and blanks"),
    *rows("an empty expression type is TAG, as in a heartbeat", "pull/expression type empty"),
    *rows(STRICT, "offset/update queue *", "offset/update offset *", "offset/update without consumerGroup", where="answer.*", ours="^1$|the custom field"),
    *rows(STRICT, "offset/query without consumerGroup", "query/without topic", "query/without key"),
    # Queries.
    *rows("a message is found once, whether its key is its unique key, too, or not", "query/key alone"),
    *rows("a negative number of messages is none; Apache's broker fails on it", "query/count -1"),
    *rows("where no message begins there is none; Apache's broker sends the bytes that stand there", "query/view by position", where="beside by *"),
    # Retries.
    *rows(STRICT, "retry/attempts text"),
    # Clients.
    *rows(HEARTBEAT, "client/beat null sets", "client/beat sets of the wrong kind", "client/beat consumer without a name", "client/beat consumer null", "client/beat consumer text",
          "client/beat consume type out of range", "client/beat subscriptions null", "client/beat subscription without a topic", "client/beat subscription of version text"),
    *rows("a client whose language is unknown is listed as OTHER", "client/beat language *", where="*.language", ours="^OTHER$", apaches=NOTHING),
    *rows("a group that is not known yet is asked for its subscriptions; Apache's broker would refuse its pulls for ever", "client/beat fingerprint, without subscriptions"),
    *rows(STRICT, "client/unregister *", where="answer.*", ours="^1$|the custom field"),
    *rows(LENIENT, "lock/* without a group", "lock/* without a client", "lock/* queues null", "lock/* queue null", "lock/* queue empty", "lock/* queue id no number", "lock/unlock empty object"),
    *rows("a subscription that is no object is none", "filter/subscription text"),
    *rows("the refusal says why", "filter/sql without an expression", where="answer.remark", apaches=NOTHING),
    # Replies.
    *rows("how a stored reply's body is compressed is kept with it; Apache's broker forgets it", "reply/compressed", "reply/odd flags", where="stored.body.0.sys_flag"),
    *rows("what is missing is pushed with its default, so that the client finds it", "reply/without what has a default", where="push.fields.default*", apaches=NOTHING),
    *rows("a reply is stored where it belongs, whatever delay it names", "reply/a delayed one", where="stored.*"),
    *rows(STRICT, "reply/without a topic"),
    # What consumers are asked.
    *rows("the name that is missing is named", "control/running info without a client", where="answer.remark"),
    *rows("versions are told by their numbers", "control/* of one that is old", where="too old.remark"),
    *rows(STRICT, "control/reset of nobody", "control/reset without a time", "control/reset of queue *", "control/reset to time *", "control/reset to offset *",
          where="answer.*", ours=r"^1$|the custom field|nothing"),
    # Offsets and statistics.
    *rows("all topics are cloned if none is named; Apache's broker then clones nothing", "progress/clone all topics"),
    *rows("groups that are left out keep their offsets; Apache's broker removes them", "progress/correction, groups left out", where="stands.*"),
    *rows("the name that is missing is named", "progress/counters", where="*.remark"),
    *rows("a queue that nobody has sent to is none; Apache's broker makes those that it is asked for", "progress/entries of queue -1", where="answer.*"),
    *rows("Apache's broker fails on a queue without files", "progress/clean queues", where="*.code", ours="^0$", apaches="^1$"),
    *rows("Apache's broker fails on a queue without files", "progress/clean queues", where="*.remark", ours=NOTHING),
    *rows(STRICT, "progress/entries without *", "progress/entries queue *", "progress/entries index *"),
    *rows("the filter that a pull brings is no subscription of its group; Apache's broker remembers it as one", "progress/entries for a group offline", where="answer.body.*"),
    *rows("what is as it should be is passed over; Apache's broker then leaves the rest of the list alone, too", "progress/topics one unchanged, one new", where="list-c.*"),
    *rows("one topic is given back, not all of the group's", "progress/forbidden in two topics", where="empty asked.body.readable"),
    *rows("ours says what is wrong", "progress/resume check *", where="answer.remark", apaches="^Exception was thrown when putting message back"),
    # Topics and groups.
    *rows(STRICT, "topic/create topicSysFlag *", where="answer.code"),
    *rows(STRICT, "topic/create topicSysFlag *", where="answer.remark"),
    *rows("a number of queues is not negative", "topic/create with -1 queues"),
    *rows("the value of an attribute is all behind its first =", "topic/create attributes +message.type=FIFO=x"),
    *rows("topics of what ours does not have: RocksDB's transactions", "topic/all", "topic/system list", where="*topics.RMQ_SYS_ROCKSDB_TRANS*", ours=NOTHING),
    *rows("a topic is the system's by its prefix, whoever made it", "topic/system list", where="*topics.rmq_sys_unheard_of", apaches=NOTHING),
    *rows("what another version may want to know of a group is kept as it is", "group/update unknown members", "group/update subscriptions", "group/update retry policy unheard of"),
    *rows("null is taken for absent", "group/update * None"),
    *rows("a body that is missing is refused; Apache's broker answers success and does nothing", "group/update empty body", "filter/empty body"),
    # Administration.
    *rows(SETTINGS, *(f"admin/update {name}" for name in (
        "one", "one back", "two", "number of text", "number too large", "number negative", "flag of text", "unknown key", "known and unknown", "empty value", "empty value back",
        "no value", "no value back", "not ASCII", "at start alone", "listen port", "store path", "permission of text", "permission out of range", "not text"))),
    *rows("settings that mean nothing to ours are not listed", "admin/settings", where="*.settings.*", ours="^None$"),
    *rows("keys of pools and stores that ours does not have, and those that only ours has", "admin/runtime information", where="*.keys.*"),
    *rows("ours says that it speaks the protocol of 5.3.3", "admin/runtime information", where="*.brokerVersionDesc", ours="^V5_3_3$", apaches="^V5_5_0$"),
    *rows("auto-creation that is turned on again works again", "admin/topics are not made by sends", where="send again*"),
    # Known defects.
    *rows(DEFECT + "__LITE_TOPIC is not made a light queue", "send/lite topic property"),
    *rows(DEFECT + "a group that was deleted without cleanOffset may commit no offsets any more", "group/delete, *"),
]
