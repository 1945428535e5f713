"""What a rule waits for, from its YAML fields: each trigger with the fields that go with it."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType

from fleet.rules.condition import Condition, compile_condition
from fleet.rules.document import Fields, nearest
from fleet.rules.errors import ConditionError
from fleet.rules.inputs import EACH, readable
from fleet.rules.rule import Count, Offline, Quorum, Rate, Silent, Trigger, Unsaid, Unseen, When
from fleet.telemetry import ACTIONS, EVENT_IDS
from fleet.vocabulary import COMPONENTS as REPORTED
from fleet.vocabulary import Kind

TRIGGERS = {
    "when": ("when", "each", "clear_when"),
    "silent_for": ("silent_for", "of"),
    "never_seen_for": ("never_seen_for",),
    "offline": ("offline",),
    "count": ("count", "at_least", "within"),
    "rate": ("rate", "within", "each", "given"),
    "members": ("members", "at_least", "share", "within", "level"),
}
"""The triggers, each with the fields that go with it."""
RATED = ("of", "rises", "falls")
"""Which number is looked at, and by how much it moves."""
SPEAKING = (*REPORTED, "storage")
"""What a snapshot may come without."""
COUNTED = ("event", "component", "event_id", "action", "outcome")
"""What an event must say to be counted."""


def read_trigger(fields: Fields) -> Trigger:
    """The one trigger among the fields; a stand-in where something is wrong with it."""
    chosen = [key for key in TRIGGERS if key in fields]
    if len(chosen) != 1:
        found = " and ".join(chosen) or "none"
        fields.report("", f"a rule has one of {', '.join(TRIGGERS)}; this has {found}")
        return Offline()
    for others in TRIGGERS.values():
        for key in others:
            if key in fields and key not in TRIGGERS[chosen[0]]:
                fields.report(key, f"{key} does not go with {chosen[0]}")
    read = _READERS.get(chosen[0])
    return _offline(fields) if read is None else read(fields)


def _offline(fields: Fields) -> Trigger:
    node = fields.scalar("offline", "bool")
    if node is not None and node.value != "true":
        fields.report("offline", "offline can only be true")
    return Offline()


def _quorum(fields: Fields) -> Quorum:
    members = fields.texts("members")
    if not members:
        fields.report("members", "members is empty", "name the rules whose terminals count")
    return Quorum(
        members,
        fields.whole("at_least", 1, 1_000_000),
        fields.share("share"),
        fields.duration("within", timedelta(seconds=1)) or None,
        fields.whole("level", 0, 20) if "level" in fields else None,
    )


def _count(fields: Fields) -> Count:
    kind = fields.inner("count", COUNTED)
    found: dict[str, str] = {}
    if kind is not None:
        found = {key: kind.text(key) for key in COUNTED if key == "event" or key in kind}
        if "component" in kind:
            kind.choice("component", REPORTED)
        for key, options in (("event_id", EVENT_IDS), ("action", ACTIONS)):
            if key in kind:
                kind.choice(key, options)
    return Count(
        event=found.pop("event", ""),
        at_least=fields.whole("at_least", 1, 1000),
        within=fields.duration("within", timedelta(seconds=1)),
        **found,
    )


def _when(fields: Fields) -> Trigger:
    each = fields.choice("each", tuple(EACH)) if "each" in fields else None
    condition = read_condition(fields, "when", each)
    clear = read_condition(fields, "clear_when", each) if "clear_when" in fields else None
    return Offline() if condition is None else When(condition, clear, each)


def read_condition(fields: Fields, key: str, each: str | None) -> Condition | None:
    """The condition in a field; None where it is missing or wrong."""
    node = fields.scalar(key)
    if node is None:
        return None
    try:
        return compile_condition(node.value.rstrip(), each)
    except ConditionError as error:
        line, column = fields.source.place_inside(node, error.line, error.column)
        fields.source.report(line, column, error.message, error.suggestion)
        return None


def _silent(fields: Fields) -> Trigger:
    after = fields.duration("silent_for", _LEAST)
    if "of" not in fields:
        return Silent(after)
    if "for" in fields:
        fields.report("for", "for does not go with of: silent_for says how long")
    return Unsaid(fields.choice("of", SPEAKING))


def _unseen(fields: Fields) -> Trigger:
    if "impact" in fields:
        fields.report("impact", "impact does not go with never_seen_for: its state is unknown")
    return Unseen(fields.duration("never_seen_for", _LEAST))


def _rate(fields: Fields) -> Trigger:
    inner = fields.inner("rate", RATED)
    each = fields.choice("each", tuple(EACH)) if "each" in fields else None
    given = read_condition(fields, "given", None) if "given" in fields else None
    within = fields.duration("within", _LEAST)
    if "within" not in fields:
        fields.report("within", "within is missing")
    if inner is None:
        return Offline()
    rises = "rises" in inner
    if rises == ("falls" in inner):
        inner.report("of", "a rate rises or falls", "rises: 5.0, or falls: 800")
        return Offline()
    of, by = inner.text("of"), inner.amount("rises" if rises else "falls")
    numbers = [name for name, it in readable(each).items() if it.kind in _NUMBERS]
    if of not in numbers:
        inner.report("of", f"{of} is no number that can be read here", nearest(of, numbers))
    name = of if each is None else of.partition(".")[2]
    return Rate(name, by, rises, within, each, given)


_NUMBERS = (Kind.NUMBER, Kind.INTEGER)
_LEAST = timedelta(seconds=1)
_READERS: Mapping[str, Callable[[Fields], Trigger]] = MappingProxyType(
    {
        "when": _when,
        "silent_for": _silent,
        "never_seen_for": _unseen,
        "count": _count,
        "rate": _rate,
        "members": _quorum,
    }
)
