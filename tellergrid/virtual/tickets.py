"""Tickets in virtual time: the api's rules by the same lifecycle, and nobody who works on them.

A ticket for each open fault that is no warning and that no cell's fault speaks for, one live ticket
a cause; it follows telemetry by `fleet.tickets`, as the api's engine has it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf

import msgspec

from fleet.rules.severity import Severity
from fleet.tickets.following import Cause, follow
from fleet.tickets.lifecycle import Actor, Event, Refusal, Role, decide
from fleet.tickets.outcome import after
from fleet.tickets.ticket import ENDED, State, Ticket
from tellergrid.virtual.said import Fault

VERIFY = timedelta(minutes=60)
"""As the api has it by default."""
_ENGINE = Actor(Role.ENGINE)
_MOST_STEPS = 4
_AGAIN = frozenset({Event.RELAPSE, Event.REOPEN})


class Raised(msgspec.Struct):
    """A ticket as it was raised, and what became of it; `spans` is when its cause was there."""

    scope: str
    subject: str
    cell: str
    rule: str
    item: str
    created_at: float
    state: State = State.NEW
    spans: list[tuple[float, float]] = []


@dataclass(slots=True)
class _Live:
    ticket: Ticket
    raised: Raised
    fault: Fault


class TicketDesk:
    """The tickets of one region."""

    def __init__(self) -> None:
        self.raised: list[Raised] = []
        self._live: dict[tuple[str, str, str, str], _Live] = {}

    def follow(self, faults: Iterable[Fault], now: float) -> None:
        """Raise and move what the faults that changed ask for; cells before their members."""
        for fault in sorted(faults, key=lambda fault: fault.scope):
            live = self._live.get(fault.cause)
            if live is not None:
                self._catch_up(live, now)
                live = self._live.get(fault.cause)
            if live is not None:
                live.fault = fault
                self._move(live, now)
            elif _wants_ticket(fault):
                self._raise(fault, now)

    def _catch_up(self, live: _Live, now: float) -> None:
        """What was resolved and stayed so is closed when the verify window is over."""
        resolved = live.ticket.resolved_at
        if resolved is not None and live.raised.state is State.RESOLVED:
            over = resolved.timestamp() + VERIFY.total_seconds()
            if over <= now:
                self._move(live, over)

    def _raise(self, fault: Fault, now: float) -> None:
        raised = Raised(fault.scope, fault.subject, fault.cell, fault.rule, fault.item, now)
        raised.spans.append((now, inf))
        self.raised.append(raised)
        ticket = Ticket(len(self.raised), 1, State.NEW, fault.id)
        self._live[fault.cause] = _Live(ticket, raised, fault)

    def _move(self, live: _Live, now: float) -> None:
        at = datetime.fromtimestamp(now, UTC)
        for _ in range(_MOST_STEPS):
            step = follow(live.ticket, self._cause(live.fault), at, VERIFY)
            if step is None:
                return
            decision = decide(live.ticket, step.event, _ENGINE, step.said.needs_met())
            if isinstance(decision, Refusal):
                return
            live.ticket = after(live.ticket, decision, step.said, at)
            live.raised.state = live.ticket.state
            if step.event in _AGAIN:
                live.raised.spans.append((now, inf))
            elif step.event is Event.RECOVER and live.raised.spans:
                live.raised.spans[-1] = (live.raised.spans[-1][0], now)
            if live.ticket.state in ENDED:
                del self._live[live.fault.cause]
                return

    def _cause(self, fault: Fault) -> Cause:
        if fault.cleared_at is not None:
            return Cause(cleared_at=datetime.fromtimestamp(fault.cleared_at, UTC))
        speaker = next(
            (each for each in self._live.values() if each.fault.id == fault.speaker), None
        )
        return Cause(
            fault.id, fault.speaker is not None, None if speaker is None else speaker.ticket.id
        )


def _wants_ticket(fault: Fault) -> bool:
    return (
        fault.cleared_at is None
        and fault.speaker is None
        and fault.severity != Severity.WARNING.value
    )
