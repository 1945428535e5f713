"""A catalogue's files as JSON Schema (2020-12), for editors: what may stand where.

What a condition says, and what one rule says of another, is beyond it: `tellergrid rules check`
knows.
`python -m fleet.rules.schema > docs/reference/rules.schema.json` writes it anew; a test compares.
"""

import json
import sys
from typing import Any

from fleet.rules import overriding
from fleet.rules.inputs import EACH
from fleet.rules.reading import FIELDS
from fleet.rules.rule import COMPONENTS, IMPACTS, KINDS, SKILLS, During
from fleet.rules.severity import Severity
from fleet.rules.triggers import SPEAKING, TRIGGERS
from fleet.telemetry import ACTIONS, EVENT_IDS
from fleet.vocabulary import COMPONENTS as REPORTED

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string", "pattern": "\\S"}
_TEXTS: Schema = {"type": "array", "items": {"type": "string"}}
_SWITCH: Schema = {"type": "boolean"}
_DURATION: Schema = {
    "type": "string",
    "pattern": "^([0-9]{1,6}(ms|s|m|h|d))+$",
    "examples": ["10s", "5m", "1h30m"],
}
_AMOUNT: Schema = {"type": "number", "exclusiveMinimum": 0}
_SHARE: Schema = {"type": "number", "exclusiveMinimum": 0, "maximum": 1}


def _one_of(values: tuple[str, ...]) -> Schema:
    return {"enum": list(values)}


def _some_of(values: tuple[str, ...]) -> Schema:
    return {"type": "array", "items": _one_of(values)}


def _object(properties: Schema, required: tuple[str, ...] = ()) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": properties,
    }


_COUNT = {
    "event": _TEXT,
    "component": _one_of(REPORTED),
    "event_id": _one_of(EVENT_IDS),
    "action": _one_of(ACTIONS),
    "outcome": _TEXT,
}
_STAGE: Schema = {
    **_object(
        {
            "to": _one_of(tuple(Severity)[:-1]),
            "after": _DURATION,
            "when": _TEXT,
            "clear_when": _TEXT,
            "for": _DURATION,
            "clear_for": _DURATION,
        },
        ("to",),
    ),
    "oneOf": [{"required": ["after"]}, {"required": ["when"]}],
}
_FIELDS: dict[str, tuple[Schema, str]] = {
    "name": (
        {"type": "string", "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"},
        "small letters, digits, hyphens; one of a kind",
    ),
    "title": (_TEXT, "what is wrong, for the technician"),
    "scope": (_one_of(("terminal", "cell")), "what it is about"),
    "kinds": (_some_of(KINDS), "only for these; without it, for all"),
    "vendors": (_TEXTS, "only for terminals of these vendors"),
    "enabled": (_SWITCH, "false: for nobody, unless an override says true"),
    "shadow": (_SWITCH, "true: on trial, it only counts"),
    "when": (_TEXT, "a condition in CEL"),
    "each": (_one_of(tuple(EACH)), "the list whose every member is judged"),
    "clear_when": (_TEXT, "a condition in CEL: until this is true the fault stays"),
    "silent_for": (_DURATION, "nothing arrived for so long"),
    "of": (_one_of(SPEAKING), "the component that snapshots come without for so long"),
    "never_seen_for": (_DURATION, "nothing was ever heard, so long after it was commissioned"),
    "rate": (
        {
            **_object({"of": _TEXT, "rises": _AMOUNT, "falls": _AMOUNT}, ("of",)),
            "oneOf": [{"required": ["rises"]}, {"required": ["falls"]}],
        },
        "which number moves by more than so much, within a while",
    ),
    "given": (_TEXT, "a condition in CEL: while it is false the rate is not looked at"),
    "offline": ({"const": True}, "the last will came"),
    "count": (_object(_COUNT, ("event",)), "which events are counted"),
    "at_least": ({"type": "integer", "minimum": 1}, "so many events, or terminals"),
    "within": (_DURATION, "in so long a time"),
    "members": ({**_TEXTS, "minItems": 1}, "the rules whose terminals are counted"),
    "share": (_SHARE, "of the terminals in service; 0.4 is 40%"),
    "level": ({"type": "integer", "minimum": 0, "maximum": 20}, "of the grid; 0 is the top"),
    "for": (_DURATION, "how long it must hold before a fault"),
    "clear_for": (_DURATION, "how long it must be gone"),
    "severity": (_one_of(tuple(Severity)), "a warning raises no ticket"),
    "impact": (_one_of(tuple(IMPACTS)), "the service state it causes at once"),
    "component": (_one_of(COMPONENTS), "what it is about"),
    "skill": (_one_of(SKILLS), "what whoever is sent must know"),
    "line": ({"enum": [1, 2]}, "1: branch staff can do it; 2: a field engineer"),
    "remedy": (_TEXT, "what to do, for the technician"),
    "parts": (_TEXTS, "what to bring"),
    "flapping": (
        _object({"high": _SHARE, "low": _SHARE, "within": _DURATION}, ("high", "low")),
        "when a fault is said to go to and fro",
    ),
    "caused_by": (_TEXTS, "the rules whose faults speak for this one's"),
    "schedule": (_one_of(tuple(During)), "in which hours alone its hold counts"),
    "escalate": (
        {"type": "array", "items": _STAGE},
        "worse severities of the same fault, the least first",
    ),
}
_REQUIRED = ("name", "title", "severity", "component", "skill", "line", "remedy")
_PLACES: Schema = {
    "kinds": _some_of(KINDS),
    **{name: _TEXTS for name in overriding.PLACES if name != "kinds"},
}


def schema() -> Schema:
    """The schema of one file of a catalogue."""
    fields = {name: {**_FIELDS[name][0], "description": _FIELDS[name][1]} for name in FIELDS}
    rule = _object({name: {"$ref": f"#/$defs/{name}"} for name in FIELDS}, _REQUIRED)
    rule["oneOf"] = [{"required": [trigger]} for trigger in TRIGGERS]
    settable = {name: {"$ref": f"#/$defs/{name}"} for name in overriding.SETTABLE}
    override = _object(
        {"rules": {**_TEXTS, "minItems": 1}, "groups": _TEXTS, **_PLACES,
         "set": {**_object(settable), "minProperties": 1}},
        ("rules", "set"),
    )  # fmt: skip
    include = _object({"from": _TEXT, "kinds": _some_of(KINDS), "vendors": _TEXTS}, ("from",))
    top = _object(
        {
            "version": _TEXT,
            "include": {"type": "array", "items": {"anyOf": [_TEXT, include]}},
            "groups": {"type": "array", "items": _object({"name": _TEXT, **_PLACES}, ("name",))},
            "rules": {"type": "array", "items": rule},
            "overrides": {"type": "array", "items": override},
        }
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:tellergrid:rules",
        "title": "A file of a Tellergrid rule catalogue",
        **top,
        "anyOf": [{"required": [key]} for key in ("rules", "include", "groups", "overrides")],
        "$defs": fields,
    }


def page() -> str:
    """The schema as the file in the docs."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
