"""Uptime figures against a model that counts instant by instant."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.availability import Availability, availability, total
from fleet.service_state import OUT_OF_SCOPE, ServiceState

# A terminal's time, one entry a microsecond; None is an instant of which nothing is recorded.
instants = st.lists(st.none() | st.sampled_from(ServiceState), max_size=200)


def measured(line: list[ServiceState | None]) -> Availability:
    recorded = Counter(state for state in line if state is not None)
    return availability(len(line), recorded)


def share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


@given(line=instants)
def test_the_figures_are_those_of_counting_instants(line: list[ServiceState | None]) -> None:
    """Each figure by its definition, counted over single instants."""
    figures = measured(line)
    judged = [state for state in line if state not in OUT_OF_SCOPE]
    known = [state for state in judged if state not in (None, ServiceState.UNKNOWN)]
    up = [s for s in known if s in (ServiceState.IN_SERVICE, ServiceState.DEGRADED)]
    cash_out = known.count(ServiceState.CASH_OUT)
    assert figures.scope_us == len(judged)
    assert figures.up_us == len(up)
    assert figures.unknown_us == len(judged) - len(known)
    assert figures.down_us == len(known) - len(up)
    assert figures.operational == share(len(up), len(known))
    assert figures.technical == share(len(up) + cash_out, len(known))
    assert figures.full_function == share(known.count(ServiceState.IN_SERVICE), len(known))
    assert figures.coverage == share(len(known), len(judged))


@given(lines=st.lists(instants, max_size=8))
def test_a_cell_is_its_members_added_up(lines: list[list[ServiceState | None]]) -> None:
    """Sums of times, not means of percentages: as if all instants were of one terminal."""
    together = [state for line in lines for state in line]
    cell = total(measured(line) for line in lines)
    assert cell == measured(together)
    assert cell.up_us + cell.down_us + cell.unknown_us == cell.scope_us


def test_more_recorded_than_there_was_time_is_an_error() -> None:
    """Intervals that overlap would make such sums: they must not pass as a figure."""
    with pytest.raises(ValueError, match="5 µs more"):
        availability(10, {ServiceState.IN_SERVICE: 15})
