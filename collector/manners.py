"""How a terminal is asked to send something again."""

from dataclasses import dataclass
from datetime import timedelta

from fleet.telemetry import Resend

Key = tuple[int, int]
"""A terminal's id and a boot."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How insistently is asked; the last three are of what is behind a boot (`Tails`)."""

    grace: timedelta = timedelta(seconds=3)
    first_wait: timedelta = timedelta(seconds=15)
    longest: timedelta = timedelta(minutes=10)
    give_up: timedelta = timedelta(days=1)
    rounds: int = 12
    numbers: int = 500
    spans: int = 4
    boots: int = 20
    per_second: float = 50
    times: int = 2
    between: int = 20
    step: int = 100


MANNERS = Manners()


@dataclass(frozen=True, slots=True)
class Ask:
    """One command to send; it is of no use after `expiry`, when it is asked again."""

    terminal_id: int
    command: Resend
    expiry: timedelta
