"""Fleets on a machine that may be busy."""

import pytest

from tests.machine import PATIENCE_S


@pytest.fixture(autouse=True)
def patient_farewell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who leaves waits as long as it takes until all that was said is acknowledged."""
    monkeypatch.setattr("simulator.fleet.FLUSH_S", PATIENCE_S)
    monkeypatch.setattr("simulator.fleet.LEAVE_S", PATIENCE_S)
