"""The line of bars under the table of uptime."""

import pytest

from tellergrid.commands.uptime import bars


@pytest.mark.parametrize(
    ("shares", "drawn"),
    [
        ([], ""),
        ([1.0, 1.0], "██"),
        ([0.9, 1.0, None, 0.96], "▁█·▅"),
        ([0.0, 1.0], "▁█"),
        ([None], "·"),
    ],
)
def test_bars_reach_from_the_worst_to_all(shares: list[float | None], drawn: str) -> None:
    """Between 99 and 100 % lies what people look at, so the scale begins at the worst."""
    assert bars(shares) == drawn
