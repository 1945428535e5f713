"""Why a message is set aside: the reasons, and the error that carries one."""

from enum import StrEnum


class Reason(StrEnum):
    """A closed set: it is a metric's label and a column's check."""

    MALFORMED = "malformed"
    OVERSIZED = "oversized"
    WRONG_TOPIC = "wrong_topic"
    UNKNOWN_TERMINAL = "unknown_terminal"
    FAR_FUTURE = "far_future"
    FAR_PAST = "far_past"
    CARD_NUMBER = "card_number"
    NUMBER_REUSED = "number_reused"
    RETAINED = "retained"


class Quarantined(Exception):
    """A message cannot be taken; `reason` is the class, `detail` says which field and why."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
