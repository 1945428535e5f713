"""What happened to a ticket, and who is to hear of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from fleet.sla.policy import Level
from fleet.tickets.lifecycle import Event


class Kind(StrEnum):
    """What a notification is about."""

    ASSIGNED = "assigned"
    WARNING = "warning"
    BREACHED = "breached"
    REPORT = "report"


URGENT = frozenset({Kind.BREACHED})
"""These wait for no quiet hours and for no digest."""

TECHNICIANS = "technicians"
_FOR = "for "


@dataclass(frozen=True, slots=True)
class Happening:
    """A step in a ticket's history; `technician` is whoever has the ticket then."""

    event: str
    reason: str | None
    note: str | None
    technician: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """A recipient, who is a technician or a role, and what they hear."""

    kind: Kind
    recipient: str
    technician: bool = False


def told(happening: Happening) -> Iterator[Told]:
    """Who hears of a step: of an assignment the technician, of an escalation whom the chain says.

    A ticket that is reopened for its technician is theirs to accept anew: they hear of it too. An
    escalation's reason ends in the level, or says what else is the matter; its note says for
    whom it is.
    """
    given = happening.event in (Event.ASSIGN, Event.REOPEN)
    if given and happening.technician is not None:
        yield Told(Kind.ASSIGNED, happening.technician, technician=True)
    if happening.event == Event.ESCALATE and happening.note:
        level = (happening.reason or "").rpartition(" ")[2]
        kind = Kind.BREACHED if level == Level.BREACHED else Kind.WARNING
        yield Told(kind, happening.note.removeprefix(_FOR))
