"""What apt prints is read right, and what it complains of is named."""

import pytest

from tellergrid.engines.apt import Package, failure, read_package
from tellergrid.engines.errors import EnginesError, OfflineError, UnverifiedError


def test_a_package_is_read_from_the_line_apt_would_fetch_it_by() -> None:
    """Epochs are quoted in file names; versions may hold anything but an underscore."""
    line = "'http://m/p.deb' libcap2_1%3a2.75-10+deb13u1+b3_amd64.deb 28988 SHA256:00ff"
    assert read_package(line) == Package("libcap2", "1:2.75-10+deb13u1+b3", 28988)


@pytest.mark.parametrize(
    ("complaints", "kind"),
    [
        ("E: The repository 'http://m/debian trixie InRelease' is not signed.", UnverifiedError),
        ("W: GPG error: ... NO_PUBKEY 6ED0E7B82643E131", UnverifiedError),
        ("E: Failed to fetch http://m/x.deb  Hash Sum mismatch", UnverifiedError),
        ("E: Failed to fetch http://m/InRelease  Could not resolve 'm'", OfflineError),
        ("E: Unable to locate package postgresql-17-timescaledb", EnginesError),
    ],
)
def test_a_failure_is_named_by_its_cause(complaints: str, kind: type[EnginesError]) -> None:
    """A person offline is not sent looking for keys, and the other way round."""
    problem = failure("update", complaints)
    assert type(problem) is kind
    assert complaints in str(problem)
    assert "docker compose up" in str(problem)
    assert "TELLERGRID_DATABASE_URL" in str(problem)
