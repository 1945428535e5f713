"""How tickets follow telemetry: what the engine does with a ticket when its cause comes or goes."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from fleet.rules.severity import Severity
from fleet.tickets.lifecycle import ALL_TRUE, Event, Fact
from fleet.tickets.outcome import Said
from fleet.tickets.ticket import State, Ticket

_BEFORE_ACCEPTANCE = frozenset({State.NEW, State.ASSIGNED})


@dataclass(frozen=True, slots=True)
class Cause:
    """What telemetry says of a ticket's cause now.

    `open_fault` is the open fault of the same cause, which may be a later one than the ticket's.
    `suppressed`: a cell fault speaks for it, with the live ticket `spoken_for_by` if it has one.
    `cleared_at` is when the ticket's own fault cleared, `severity` how severe the open one is.
    `wanted`: since telemetry said that it is gone, a person asked for somebody all the same.
    """

    open_fault: UUID | None = None
    suppressed: bool = False
    spoken_for_by: int | None = None
    cleared_at: datetime | None = None
    severity: Severity | None = None
    wanted: bool = False


class Desertion(StrEnum):
    """Why whoever accepted a ticket does nothing more with it."""

    DISABLED = "account disabled"
    ABSENT = "absent"
    OTHER_CELLS = "other cells"


@dataclass(frozen=True, slots=True)
class Step:
    """An event that the engine brings to a ticket."""

    event: Event
    said: Said = field(default_factory=Said)


def follow(ticket: Ticket, cause: Cause, at: datetime, verify: timedelta) -> Step | None:
    """The engine's next step with a live ticket, if there is one; `verify` is the verify window."""
    if ticket.by_hand:
        return Step(Event.CLOSE) if verified(ticket, at, verify) else None
    if cause.open_fault is None:
        return _gone(ticket, cause, at, verify)
    if cause.suppressed:
        return _spoken_for(ticket, cause)
    return _there(ticket, cause.open_fault, at, verify) or _rated(ticket, cause.severity)


def _gone(ticket: Ticket, cause: Cause, at: datetime, verify: timedelta) -> Step | None:
    """Gone while somebody was on the way who gave it back: nobody else is sent for nothing."""
    given_back = ticket.state in _BEFORE_ACCEPTANCE and not cause.wanted
    if ticket.recovered_at is None or given_back:
        return Step(Event.RECOVER, Said(recovered_at=cause.cleared_at))
    if verified(ticket, at, verify):
        return Step(Event.CLOSE)
    return None


def _spoken_for(ticket: Ticket, cause: Cause) -> Step | None:
    """Merge while nobody travels; who does keeps the ticket, for they will be there anyway."""
    if ticket.state in _BEFORE_ACCEPTANCE and cause.spoken_for_by is not None:
        said = Said(reason="part of a wider fault", parent_id=cause.spoken_for_by)
        return Step(Event.MERGE, said)
    return None


def _there(ticket: Ticket, fault: UUID, at: datetime, verify: timedelta) -> Step | None:
    again = fault != ticket.fault_id
    if ticket.state is State.RESOLVED:
        # Resolved by hand, the fault may take its clearing time: it has the verify window for it.
        if again:
            return Step(Event.REOPEN, Said(reason="fired again", fault_id=fault))
        if verified(ticket, at, verify):
            return Step(Event.REOPEN, Said(reason="did not recover", fault_id=fault))
        return None
    if again or ticket.recovered_at is not None:
        return Step(Event.RELAPSE, Said(fault_id=fault))
    return None


def _rated(ticket: Ticket, severity: Severity | None) -> Step | None:
    """It is as severe as its fault."""
    if severity is None or severity is ticket.severity:
        return None
    return Step(Event.RATE, Said(reason=f"{ticket.severity} to {severity}", severity=severity))


def verified(ticket: Ticket, at: datetime, verify: timedelta) -> bool:
    """Whether it was resolved so long ago that the verify window is over."""
    return ticket.resolved_at is not None and at >= ticket.resolved_at + verify


def facts(ticket: Ticket, at: datetime, verify: timedelta) -> frozenset[Fact]:
    """What is true around a ticket at an instant, as far as that is a matter of time."""
    return ALL_TRUE if verified(ticket, at, verify) else ALL_TRUE - {Fact.VERIFIED}


def not_accepted(asked_at: datetime, at: datetime, patience: timedelta) -> Step | None:
    """What happens to an ASSIGNED ticket whose technician was asked at an instant."""
    return Step(Event.TIME_OUT, Said(reason="not accepted")) if at >= asked_at + patience else None


def told_of(event: Event, who: str) -> Step:
    """How it escalates that a technician does not go: as declined, or as not accepted."""
    reason = "declined" if event is Event.DECLINE else "not accepted"
    return Step(Event.ESCALATE, Said(reason=reason, note=f"for {who}"))


def deserted(why: Desertion, who: str) -> Step:
    """How it escalates that whoever accepted it can do nothing more with it."""
    return Step(Event.ESCALATE, Said(reason=why, note=f"for {who}"))
