"""What may differ, and why. Everything else that differs is a defect of ours."""

from suite.judge import Accepted

NOT_SERVED = "ours does not serve this request, and says so"
EXCEPTION = r"^((java|org|com|io)\.[\w.$]+(Exception|Error)\b|Cannot invoke )"
NOTHING = r"^\(nothing\)$"

TABLE = [
    Accepted("*", "*.remark", "a success needs no text", apaches="^not set any response code$", ours=NOTHING),
    Accepted("*", "*.remark", "Apache's text is that of a Java exception, ours names field and value", apaches=EXCEPTION, ours="the custom field <"),
    Accepted("*", "*.remark", "Apache's text is that of a Java exception, ours says what is wrong", apaches=EXCEPTION, ours=r"^(?!\(nothing\)).+"),
    Accepted("unserved/*", "answer.code", NOT_SERVED, ours="^3$"),
    Accepted("unserved/*", "answer.remark", NOT_SERVED, ours=r"^ request type -?\d+ not supported$"),
    Accepted("unserved/*", "answer.body*", NOT_SERVED, ours=r"^(\(nothing\)|None)$"),
    Accepted("unserved/*", "answer.ext.*", NOT_SERVED, ours=NOTHING),
]
