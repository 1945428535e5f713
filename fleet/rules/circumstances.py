"""What rules without a condition look at, for whoever asks why there is a fault, or none."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from fleet.rules import duration
from fleet.rules.rule import Count, Offline, Rate, Rule, Silent, Unsaid, Unseen
from fleet.rules.terminal import Terminal
from fleet.snapshot import Value

Inputs = Mapping[str, Value | None]


def circumstances(terminal: Terminal, rule: Rule, item: str, at: datetime) -> tuple[Inputs, str]:
    """What the rule looked at by then, and in words why that is no fault if it is none."""
    match rule.trigger:
        case Silent(after):
            quiet = "it was heard in time" if terminal.heard_at else "it was never heard"
            return _silence(terminal.heard_at, after, at), quiet
        case Unseen(after):
            began = terminal.commissioned_at
            inputs: Inputs = {
                "commissioned": None if began is None else said(began),
                "first heard by then": terminal.heard_at is not None,
                "never seen after": duration.render(after),
            }
            return inputs, "it was heard" if terminal.heard_at else "its grace is not over"
        case Unsaid(component):
            return {"component": component}, "its snapshots have it, or never had"
        case Offline():
            return {"connected": terminal.connected}, "no last will stands"
        case Count() as count:
            times = [t for t in terminal.counts.get(rule.name, ()) if at - t < count.within]
            return {
                "events in time": len(times),
                "needed": count.at_least,
                "within": duration.render(count.within),
            }, "too few events"
        case Rate() as rate:
            return _rate(terminal, rule, rate, item), "it moves more slowly"
        case _:
            return {}, "the condition does not hold"


def said(at: datetime) -> str:
    """An instant as people read it."""
    return at.strftime("%Y-%m-%d %H:%M:%S%z")


def _silence(heard: datetime | None, after: timedelta, at: datetime) -> Inputs:
    quiet = None if heard is None else timedelta(seconds=int((at - heard).total_seconds()))
    return {
        "last heard": None if heard is None else said(heard),
        "silent for": None if quiet is None else duration.render(quiet),
        "silent after": duration.render(after),
    }


def _rate(terminal: Terminal, rule: Rule, rate: Rate, item: str) -> Inputs:
    slope = terminal.slopes.get((rule.name, item))
    past = [] if slope is None else [level for _, level in slope.past]
    furthest = (min(past) if rate.rises else max(past)) if past else None
    return {
        rate.of: None if slope is None else slope.value,
        "furthest within the time": furthest,
        "more than": rate.by,
        "within": duration.render(rate.within),
    }
