"""What a Server Reference says."""

import pytest

from fleet.mqtt import Broker
from fleet.mqtt.route import referred

HERE = Broker("here", 1884, "ATM-0001", "a-secret-word")


@pytest.mark.parametrize(
    ("reference", "host", "port"),
    [
        ("there", "there", 1884),
        ("there:8883", "there", 8883),
        ("10.20.30.40:1883 another:1", "10.20.30.40", 1883),
        ("[fe80::9610:3eff:fe1c]:1883", "fe80::9610:3eff:fe1c", 1883),
        ("[::1]", "::1", 1884),
    ],
)
def test_a_reference_names_a_server_for_the_same_account(
    reference: str, host: str, port: int
) -> None:
    """The forms that the specification shows; of several, the first."""
    there = referred(HERE, reference)
    assert there is not None
    assert (there.host, there.port) == (host, port)
    assert (there.username, there.password) == (HERE.username, HERE.password)


@pytest.mark.parametrize("reference", [None, "", "  ", "there:", "there:0", "there:99999", "a:b:c"])
def test_what_names_no_server_leads_nowhere(reference: str | None) -> None:
    assert referred(HERE, reference) is None
