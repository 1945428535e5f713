"""What happened to a ticket, and who is to hear of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from fleet.sla.policy import Level
from fleet.tickets.lifecycle import Event
from fleet.tickets.ticket import State


class Kind(StrEnum):
    """What a notification is about."""

    ASSIGNED = "assigned"
    CHANGED = "changed"
    UNDER_WAY = "under_way"
    WARNING = "warning"
    BREACHED = "breached"
    REPORT = "report"


URGENT = frozenset({Kind.BREACHED, Kind.UNDER_WAY})
"""These wait for no quiet hours and for no digest."""

WAKING = URGENT | {Kind.ASSIGNED}
"""These wait for no quiet hours: whom a ticket is given to has so many minutes to accept it, and
is sent nowhere but on shift."""


class Became(StrEnum):
    """What became of a ticket that somebody had, by other hands than theirs."""

    REASSIGNED = "reassigned"
    HANDED_OVER = "handed_over"
    NOT_ACCEPTED = "not_accepted"
    CANCELLED = "cancelled"
    MERGED = "merged"
    RESOLVED = "resolved"
    RECOVERED = "recovered"
    RELAPSED = "relapsed"
    HELD = "held"
    RESUMED = "resumed"


STILL_THEIRS = frozenset({Became.RECOVERED, Became.RELAPSED, Became.HELD, Became.RESUMED})
"""Of these they hear, and keep the ticket."""

_BECAME: Mapping[str, Became] = MappingProxyType(
    {
        Event.ASSIGN: Became.REASSIGNED,
        Event.HAND_OVER: Became.HANDED_OVER,
        Event.TIME_OUT: Became.NOT_ACCEPTED,
        Event.CANCEL: Became.CANCELLED,
        Event.MERGE: Became.MERGED,
        Event.RECOVER: Became.RECOVERED,
        Event.RELAPSE: Became.RELAPSED,
        Event.HOLD: Became.HELD,
        Event.RESUME: Became.RESUMED,
    }
)
_TRAVELLING = frozenset({State.EN_ROUTE, State.ON_SITE})
_HAD = frozenset({State.ASSIGNED, State.ACCEPTED, State.ON_HOLD}) | _TRAVELLING

TECHNICIANS = "technicians"
_FOR = "for "


@dataclass(frozen=True, slots=True)
class Happening:
    """A step in a ticket's history; `technician` is whoever has the ticket then.

    `had` is who had it before, `state` where it stood, `by` the technician whose own step it is,
    `gone` whether telemetry had said that the fault was gone, and whoever had the ticket heard it.
    """

    event: str
    reason: str | None
    note: str | None
    technician: str | None
    had: str | None = None
    state: State | None = None
    by: str | None = None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A recipient, who is a technician or a role, and what they hear."""

    kind: Kind
    recipient: str
    technician: bool = False
    became: Became | None = None


def told(happening: Happening) -> Iterator[Told]:
    """Who hears of a step: of an assignment the technician, of an escalation whom the chain says.

    Whoever had the ticket hears what became of it, unless it is their own doing: at once where they
    are under way, for they might go in vain.

    A ticket that is reopened for its technician is theirs to accept anew: they hear of it too. An
    escalation's reason ends in the level, or says what else is the matter; its note says for
    whom it is.
    """
    given = happening.event in (Event.ASSIGN, Event.REOPEN)
    if given and happening.technician is not None:
        yield Told(Kind.ASSIGNED, happening.technician, technician=True)
    became = _became(happening)
    if became is not None and happening.had is not None and happening.had != happening.by:
        kind = Kind.UNDER_WAY if happening.state in _TRAVELLING else Kind.CHANGED
        yield Told(kind, happening.had, technician=True, became=became)
    if happening.event == Event.ESCALATE and happening.note:
        level = (happening.reason or "").rpartition(" ")[2]
        kind = Kind.BREACHED if level == Level.BREACHED else Kind.WARNING
        yield Told(kind, happening.note.removeprefix(_FOR))


def _became(happening: Happening) -> Became | None:
    """What whoever had the ticket is to know of a step, if anything.

    On site they see for themselves whether the fault is there; most often they mended it.
    """
    if happening.state not in _HAD:
        return None
    became = _BECAME.get(happening.event)
    match became:
        case Became.REASSIGNED if happening.had == happening.technician:
            return None
        case Became.RECOVERED if happening.state is State.ASSIGNED:
            return Became.RESOLVED
        case Became.RELAPSED if not happening.gone:
            return None
        case Became.RECOVERED | Became.RELAPSED if happening.state is State.ON_SITE:
            return None
        case _:
            return became
