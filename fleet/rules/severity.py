"""How much a fault matters."""

from enum import StrEnum


class Severity(StrEnum):
    """How much it matters, worst first; a `warning` is shown and raises no ticket."""

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"
    WARNING = "warning"


_RANK = {severity: rank for rank, severity in enumerate(Severity)}


def worst(*severities: Severity) -> Severity:
    """The worst of some severities."""
    return min(severities, key=_RANK.__getitem__)
