"""What may differ, and why. Everything else that differs is a defect of ours."""

from suite.judge import Accepted

NOT_SERVED = "ours does not serve this request, and says so"
EXCEPTION = r"^(java|org|com|io)\.[\w.$]+(Exception|Error)"

TABLE = [
]
