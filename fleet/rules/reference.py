"""What the reference of rules shows of the code: the fields of a rule, and who follows from whom.

`python -m fleet.rules.reference docs/reference/rules.md` writes both anew; a test compares them.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from fleet.rules.catalogue import load
from fleet.rules.reading import FIELDS
from fleet.rules.rule import Quorum, Rule
from fleet.rules.schema import schema
from fleet.rules.triggers import TRIGGERS

_SEE = {
    "component": "wire-contract.md#vocabulary",
    "shadow": "#shadow-rules",
    "enabled": "#overrides",
    "flapping": "#flapping",
    "caused_by": "#who-speaks-for-whom",
    "members": "#who-speaks-for-whom",
    "schedule": "#service-hours",
    "escalate": "#severity-in-stages",
    "when": "#conditions",
    "rate": "#rates",
    "of": "#what-is-not-heard",
}
_PATTERNS = {"^([0-9]": "a duration", "^[a-z]": "a name", "\\S": "text"}
_TYPES = {"boolean": "`true`, `false`", "integer": "a whole number", "number": "a number"}


def blocks() -> dict[str, str]:
    """What stands between the marks of the page, by what they name."""
    return {
        "fields": "\n".join(fields()),
        "relations": "\n".join(relations(load().rules)),
    }


def fields() -> Iterator[str]:
    """Every field of a rule that the loader knows, as a table."""
    drawn = schema()
    defined, required = drawn["$defs"], drawn["properties"]["rules"]["items"]["required"]
    yield "| field | | value | |"
    yield "|---|---|---|---|"
    for name in FIELDS:
        need = "required" if name in required else _triggers(name) or "optional"
        about = defined[name]["description"]
        see = f"; [more]({_SEE[name]})" if name in _SEE else ""
        yield f"| `{name}` | {need} | {_value(defined[name])} | {about}{see} |"


def _triggers(field: str) -> str:
    if field in TRIGGERS:
        return "a trigger"
    wanting = [f"`{trigger}`" for trigger, own in TRIGGERS.items() if field in own]
    return f"with {', '.join(wanting)}" if wanting else ""


def _value(of: dict[str, Any]) -> str:
    if "enum" in of:
        return ", ".join(f"`{value}`" for value in of["enum"])
    if "const" in of:
        return f"`{str(of['const']).lower()}`"
    if of["type"] == "array":
        return f"a list: {_value(of['items'])}"
    if of["type"] == "object":
        return ", ".join(f"`{name}`" for name in of["properties"])
    for beginning, what in _PATTERNS.items():
        if of.get("pattern", "").startswith(beginning):
            return what
    return _TYPES.get(of["type"], "text")


def relations(rules: Iterable[Rule]) -> Iterator[str]:
    """Which rules' faults speak for which others', as a diagram: causes, and quorums of members.

    Rules that speak for nobody and that nobody speaks for are left out.
    """
    yield from ("```mermaid", "flowchart LR")
    for rule in rules:
        for cause in rule.caused_by:
            yield f"    {cause} -- causes --> {rule.name}"
        if isinstance(rule.trigger, Quorum):
            yield f"    {rule.name}{{{{{rule.name}, {_quorum(rule.trigger)}}}}}"
            for member in rule.trigger.members:
                yield f"    {member} -. counted by .-> {rule.name}"
    yield "```"


def _quorum(quorum: Quorum) -> str:
    where = "its cell" if quorum.level is None else f"its cell of level {quorum.level}"
    return f"{quorum.at_least} terminals and {quorum.share:.0%} of {where}"


def marked(name: str) -> re.Pattern[str]:
    """Where a block stands in the page."""
    mark = re.escape(f"python -m fleet.rules.reference {name}")
    return re.compile(rf"(<!-- begin: {mark} -->\n\n).*?(\n\n<!-- end -->)", re.DOTALL)


def written(page: str) -> str:
    """The page with its blocks made anew."""
    for name, block in blocks().items():
        if (found := marked(name).search(page)) is not None:
            page = f"{page[: found.end(1)]}{block}{page[found.start(2) :]}"
    return page


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(written(target.read_text(encoding="utf-8")), encoding="utf-8")
