"""A small service area: one district of two cells, and somebody to send."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from fleet.dispatch.place import Place
from fleet.dispatch.technician import Technician
from fleet.dispatch.visit import Job

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
HERE = Place(30.27, 120.15)


def near(km: float) -> Place:
    """So many kilometres north of here."""
    return Place(HERE.latitude + km / 111.195, HERE.longitude)


def job(key: int, **changes: Any) -> Job:
    """A card reader in cell C1 of district D, to be reached within the day."""
    usual = Job(key, "card", 2, "major", ("C1", "D"), f"site {key}", HERE, NOW + 10 * HOUR)
    return replace(usual, **changes)


def technician(key: int, **changes: Any) -> Technician:
    """Somebody of cell C1 who knows card readers."""
    usual = Technician(
        key, f"T{key}", frozenset({"card"}), frozenset({1, 2}), frozenset({"C1"}), place=HERE
    )
    return replace(usual, **changes)
