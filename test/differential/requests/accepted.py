"""What may differ, and why: variants, place of the answer, reason. Everything else that differs is a defect of ours."""

from suite.judge import Accepted

NOT_SERVED = "ours does not serve this request, and says so"
# These are defects that are known: each names what is missing. A row goes when what it names is mended.
DEFECT = "defect: "

EXCEPTION = r"^((java|org|com|io)\.[\w.$]+(Exception|Error)\b|Cannot invoke |For input string|Index \d)"
NOTHING = r"^\(nothing\)$"
SAYS_MORE = "ours says what Apache's says, and more"
LENIENT = "a field that is missing and has an obvious default: Apache's broker stumbles over it"
STRICT = "a number that is none, or a name that is missing, is refused; Apache's broker takes it for none, or for the name null"
HEARTBEAT = "of a heartbeat ours takes what it understands; Apache's broker stumbles after half of it"

TABLE = [
    # Texts.
    Accepted("*", "*.remark", "a success needs no text", apaches="^not set any response code$", ours=NOTHING),
    Accepted("*", "*.remark", "Apache's text is that of a Java exception, ours says what is wrong", apaches=EXCEPTION, ours=r"^(?!\(nothing\)).+"),
    Accepted("*", "*.remark", SAYS_MORE, says_more=True),
    # Requests that ours does not serve.
    Accepted("unserved/*", "answer.code", NOT_SERVED, ours="^3$"),
    Accepted("unserved/*", "answer.remark", NOT_SERVED, ours=r"^ request type -?\d+ not supported$"),
    Accepted("unserved/*", "answer.body*", NOT_SERVED, ours=r"^(\(nothing\)|None)$"),
    Accepted("unserved/*", "answer.ext.*", NOT_SERVED, ours=NOTHING),
]
