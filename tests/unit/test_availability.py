"""Error budgets: what a target allows, to the microsecond."""

import pytest

from fleet.availability import availability, error_budget
from fleet.service_state import ServiceState

HOUR = 3_600_000_000


@pytest.mark.parametrize(
    ("unknown", "target", "allowed"),
    [
        (0, 0.995, 18_000_000),
        (HOUR // 2, 0.995, 9_000_000),
        (0, 1, 0),
        (HOUR, 0.9, 0),
        (HOUR - 1, 0.5, 0),
        (0, 0.7, 1_080_000_000),
    ],
)
def test_a_target_is_taken_as_it_is_written(unknown: int, target: float, allowed: int) -> None:
    """0.995 of a known hour allows 18 seconds, not one microsecond less for its binary form."""
    part = availability(HOUR, {ServiceState.IN_SERVICE: HOUR - unknown})
    assert error_budget(part, target) == allowed
