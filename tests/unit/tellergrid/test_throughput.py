"""Messages a second and lag are read from the collector's counters as Prometheus would."""

from math import inf

import pytest

from tellergrid.stack.throughput import Look, between, quantile, read

METRICS = """\
# HELP tellergrid_collector_messages_stored_total Messages committed
# TYPE tellergrid_collector_messages_stored_total counter
tellergrid_collector_messages_stored_total{channel="telemetry"} 900.0
tellergrid_collector_messages_stored_total{channel="status"} 100.0
# HELP tellergrid_collector_lag_seconds From a message's device time to its commit
# TYPE tellergrid_collector_lag_seconds histogram
tellergrid_collector_lag_seconds_bucket{le="0.1"} 500.0
tellergrid_collector_lag_seconds_bucket{le="1.0"} 1000.0
tellergrid_collector_lag_seconds_bucket{le="+Inf"} 1000.0
tellergrid_collector_lag_seconds_count 1000.0
tellergrid_collector_lag_seconds_sum 123.0
"""


def test_every_channel_counts() -> None:
    """The counter is kept by channel; a person asks for all of them."""
    look = read(METRICS, at=5.0)
    assert look == Look(5.0, 1000.0, {0.1: 500.0, 1.0: 1000.0, inf: 1000.0})


def test_the_lag_is_of_what_came_between_the_looks() -> None:
    """An old backlog does not colour what is said of now."""
    first = Look(10.0, 1000.0, {0.1: 0.0, 1.0: 1000.0, inf: 1000.0})
    second = Look(12.0, 1200.0, {0.1: 200.0, 1.0: 1200.0, inf: 1200.0})
    seen = between(first, second)
    assert seen.messages_per_s == 100.0
    assert seen.lag_p50_s == pytest.approx(0.05)
    assert seen.lag_p99_s == pytest.approx(0.099)


def test_a_quiet_second_shows_the_lag_of_the_whole_life() -> None:
    """A small fleet may say nothing for a second; that is no reason to know nothing."""
    look = Look(10.0, 100.0, {0.1: 100.0, inf: 100.0})
    seen = between(look, Look(11.0, 100.0, look.lag))
    assert seen.messages_per_s == 0.0
    assert seen.lag_p50_s == pytest.approx(0.05)


def test_a_restarted_collector_has_no_negative_rate() -> None:
    """Its counters begin again at zero between the looks."""
    assert between(Look(1.0, 500.0, {}), Look(2.0, 3.0, {})).messages_per_s == 0.0


QUANTILES = [
    ("nothing was measured", {}, 0.5, None),
    ("in the first bucket", {1.0: 10.0, inf: 10.0}, 0.5, 0.5),
    ("in a later bucket", {1.0: 0.0, 2.0: 10.0, inf: 10.0}, 0.5, 1.5),
    ("beyond the last bound", {1.0: 0.0, inf: 10.0}, 0.5, 1.0),
]


@pytest.mark.parametrize(
    ("buckets", "share", "value"), [case[1:] for case in QUANTILES], ids=[c[0] for c in QUANTILES]
)
def test_a_quantile_is_linear_within_its_bucket(
    buckets: dict[float, float], share: float, value: float | None
) -> None:
    """As `histogram_quantile` computes it."""
    assert quantile(buckets, share) == value
