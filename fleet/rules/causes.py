"""Causes of rules: what a rule names in `caused_by`, and what that names in turn."""

from collections.abc import Iterator, Mapping, Sequence

from fleet.rules.reading import Reading


def closure(name: str, causes: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """The causes of a rule and theirs, the nearest first, each once."""
    found: list[str] = []
    asked = [name]
    while asked:
        for cause in causes.get(asked.pop(0), ()):
            if cause not in found:
                found.append(cause)
                asked.append(cause)
    yield from found


def check_causes(readings: Sequence[Reading]) -> None:
    """Note each rule that is among its own causes."""
    causes = {one.name: one.fields.texts("caused_by") for one in readings}
    for one in readings:
        if one.name in closure(one.name, causes):
            one.fields.report("caused_by", f"{one.name} would be its own cause")
