"""What was found and what was done, in codes that can be counted; said when work is resolved."""

from enum import StrEnum


class CauseCode(StrEnum):
    """What was the matter."""

    WEAR = "wear"
    DIRT = "dirt"
    JAM = "jam"
    FOREIGN_OBJECT = "foreign_object"
    CONSUMABLE_USED_UP = "consumable_used_up"
    DEFECTIVE_PART = "defective_part"
    SOFTWARE = "software"
    CONFIGURATION = "configuration"
    POWER = "power"
    NETWORK = "network"
    ENVIRONMENT = "environment"
    HANDLING = "handling"
    VANDALISM = "vandalism"
    FRAUD_DEVICE = "fraud_device"
    NOTHING_FOUND = "nothing_found"
    OTHER = "other"


class ActionCode(StrEnum):
    """What was done about it."""

    CLEANED = "cleaned"
    CLEARED = "cleared"
    RESET = "reset"
    ADJUSTED = "adjusted"
    REPLENISHED = "replenished"
    REPAIRED = "repaired"
    REPLACED = "replaced"
    UPDATED = "updated"
    SECURED = "secured"
    PROVISIONAL = "provisional"
    NONE = "none"
    OTHER = "other"
