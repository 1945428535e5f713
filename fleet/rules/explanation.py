"""Why there is a fault, or none: what was read, what each part of the condition said, the timer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fleet.rules.cells import Cell
from fleet.rules.circumstances import circumstances, said
from fleet.rules.clauses import Clause, clauses
from fleet.rules.due import due
from fleet.rules.hold import TIMED, Hold, Phase
from fleet.rules.rule import Rate, Rule, When
from fleet.rules.terminal import Terminal
from fleet.sla.calendar import FOREVER
from fleet.snapshot import Value, Values


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a condition and its truth: `true`, `false`, or `unknown`."""

    text: str
    truth: str
    operator: str = ""
    parts: tuple["Part", ...] = ()


@dataclass(frozen=True, slots=True)
class Timer:
    """Where the hold stands; `due` is when it is over if nothing changes."""

    phase: str
    since: datetime
    started_at: datetime
    due: datetime | None
    flapping: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What a rule says of a terminal, or of one item of it.

    `inputs` are what it read; null is what was not reported.
    """

    item: str
    inputs: dict[str, Value | None]
    when: Part | None
    clear_when: Part | None
    timer: Timer | None
    conclusion: str


@dataclass(frozen=True, slots=True)
class Speaker:
    """A fault that speaks for another."""

    id: str
    rule: str
    subject: str


@dataclass(frozen=True, slots=True)
class Known:
    """A fault as it is stored, open at the time that is asked about."""

    id: str
    item: str
    started_at: datetime
    fired_at: datetime
    cleared_at: datetime | None
    catalogue: str
    suppressed_by: Speaker | None


@dataclass(frozen=True, slots=True)
class Window:
    """A window that holds tickets at the time that is asked about."""

    id: int
    purpose: str
    author: str
    reason: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Member:
    """A terminal that a cell's quorum counts as bad, by which rule, since when."""

    terminal: str
    rule: str
    started_at: datetime


class Standing(StrEnum):
    """Why something is explained by a catalogue: it decided, it was in force then, it was given;
    or it is the present one, for nothing else is known."""

    DECIDED = "decided"
    IN_FORCE = "in force then"
    GIVEN = "given"
    PRESENT = "present"


@dataclass(frozen=True, slots=True)
class Explanation:
    """One rule about one terminal or cell at one time, and in a sentence what follows."""

    subject: str
    rule: str
    at: datetime
    catalogue: str
    standing: Standing
    conclusion: str
    answers: tuple[Answer, ...] = ()
    faults: tuple[Known, ...] = ()
    windows: tuple[Window, ...] = ()
    members: tuple[Member, ...] = ()


def explain(
    terminal: Terminal,
    rule: Rule,
    at: datetime,
    catalogue: str,
    standing: Standing,
    faults: tuple[Known, ...] = (),
    windows: tuple[Window, ...] = (),
) -> Explanation:
    """Explain what a rule says of a terminal as it stands at `at`.

    `faults` are those of the rule that are open then, `windows` what holds their tickets.
    """
    mine = terminal.plan.rules.get(rule.name)
    answers = () if mine is None else tuple(_answers(terminal, mine, at))
    return Explanation(
        subject=terminal.code,
        rule=rule.name,
        at=at,
        catalogue=catalogue,
        standing=standing,
        conclusion=_concluded(terminal, rule, answers, faults, windows),
        answers=answers,
        faults=faults,
        windows=windows,
    )


def told(known: Known, windows: tuple[Window, ...]) -> str:
    """A fault in words, with what keeps it from calling for a ticket of its own."""
    text = f"a fault: true since {said(known.started_at)}, fired {said(known.fired_at)}"
    if known.suppressed_by is not None:
        speaker = known.suppressed_by
        return f"{text}; no ticket: {speaker.rule} of {speaker.subject} speaks for it"
    if windows:
        held = ", ".join(f"{each.purpose} window {each.id}" for each in windows)
        return f"{text}; its ticket is held by {held}"
    return text


def _concluded(
    terminal: Terminal,
    rule: Rule,
    answers: tuple[Answer, ...],
    faults: tuple[Known, ...],
    windows: tuple[Window, ...],
) -> str:
    if faults:
        return told(faults[0], windows)
    if rule.name not in terminal.plan.rules:
        return f"no fault: {_why_not_for(terminal, rule)}"
    if terminal.at is None:
        return "no fault: nothing was ever heard of the terminal"
    moving = [each.conclusion for each in answers if each.timer is not None]
    return (moving or [each.conclusion for each in answers] or ["no fault: nothing to judge"])[0]


def _why_not_for(terminal: Terminal, rule: Rule) -> str:
    if rule.kinds and terminal.kind not in rule.kinds:
        return f"the rule is for {', '.join(sorted(rule.kinds))}, this is {terminal.kind}"
    if rule.vendors and terminal.vendor not in rule.vendors:
        return f"the rule is for vendors {', '.join(sorted(rule.vendors))}, not {terminal.vendor}"
    if rule.scope != "terminal":
        return "the rule is about cells"
    return "the rule is not enabled for this terminal"


def _answers(terminal: Terminal, rule: Rule, at: datetime) -> Iterator[Answer]:
    match rule.trigger:
        case When(each=None):
            values = {**terminal.values, **terminal.measured.values}
            yield _condition(terminal, rule, rule.trigger, "", values)
        case When(each=str(each)):
            for number, item in enumerate(terminal.items.get(each, ())):
                name = str(item.get("id") or item.get("position") or number)
                yield _condition(terminal, rule, rule.trigger, name, item)
        case Rate(each=str()):
            for each in sorted(item for name, item in terminal.slopes if name == rule.name):
                yield _other(terminal, rule, each, at)
        case _:
            yield _other(terminal, rule, "", at)


def _condition(
    terminal: Terminal, rule: Rule, trigger: When, item: str, values: Mapping[str, Value] | Values
) -> Answer:
    when = clauses(trigger.condition.text, values, trigger.each)
    clear = None
    if trigger.clear_when is not None:
        clear = _part(clauses(trigger.clear_when.text, values, trigger.each))
    cleared_by = trigger.clear_when.paths if trigger.clear_when else ()
    inputs = {name: values.get(name) for name in (*trigger.condition.paths, *cleared_by)}
    timer = timer_of(terminal, rule, item)
    return Answer(item, inputs, _part(when), clear, timer, _verdict(when, inputs, timer))


def _verdict(when: Clause, inputs: Mapping[str, Value | None], timer: Timer | None) -> str:
    if timer is not None:
        return moving(timer)
    if when.truth is None:
        missing = ", ".join(name for name, value in inputs.items() if value is None)
        return f"no fault: unknown, for {missing or 'something'} is not reported"
    return (
        "no fault: the condition is false" if not when.truth else "no fault yet: just turned true"
    )


def moving(timer: Timer) -> str:
    """Where a timer stands, in words."""
    due = f", {said(timer.due)}" if timer.due else ""
    match timer.phase:
        case Phase.PENDING:
            return f"no fault yet: true since {said(timer.since)}, its hold is not over{due}"
        case Phase.CLEARING:
            return f"a fault still: gone since {said(timer.since)}, over when it stays so{due}"
        case _:
            flaps = ", flapping" if timer.flapping else ""
            return f"a fault: true since {said(timer.started_at)}{flaps}"


def _other(terminal: Terminal, rule: Rule, item: str, at: datetime) -> Answer:
    timer = timer_of(terminal, rule, item)
    inputs, quiet = circumstances(terminal, rule, item, at)
    conclusion = moving(timer) if timer else f"no fault: {quiet}"
    return Answer(item, dict(inputs), None, None, timer, conclusion)


def timer_of(subject: Terminal | Cell, rule: Rule, item: str) -> Timer | None:
    """The hold of a rule, if it is not idle."""
    hold = subject.holds.get((rule.name, item))
    if hold is None:
        return None
    return Timer(
        hold.phase.value, hold.since, hold.started_at, _due(subject, rule, hold), hold.flapping
    )


def _due(subject: Terminal | Cell, rule: Rule, hold: Hold) -> datetime | None:
    over = due(subject, rule, hold) if hold.phase in TIMED else FOREVER
    return None if over >= FOREVER else over


def _part(clause: Clause) -> Part:
    truth = {True: "true", False: "false", None: "unknown"}[clause.truth]
    return Part(clause.text, truth, clause.operator, tuple(_part(each) for each in clause.parts))
