"""The engine's steps as changes to write: the lifecycle has the last word on each."""

from datetime import datetime

import structlog

from api.tickets.writing import ENGINE, Change
from fleet.tickets.following import Step
from fleet.tickets.lifecycle import ALL_TRUE, Actor, Fact, Refusal, decide
from fleet.tickets.outcome import after
from fleet.tickets.ticket import Ticket

_ACTOR = Actor(ENGINE.role)
_log = structlog.get_logger("api.tickets.engine")


def change(
    ticket: Ticket, step: Step, at: datetime, now: frozenset[Fact] = ALL_TRUE
) -> list[Change]:
    """The change that a step makes: one, unless the lifecycle has no such move."""
    decision = decide(ticket, step.event, _ACTOR, step.said.needs_met(), now)
    if isinstance(decision, Refusal):
        _log.error("engine refused", ticket=ticket.id, event=step.event, why=decision.why)
        return []
    return [Change(step.event, ticket, after(ticket, decision, step.said, at), step.said, ENGINE)]
