"""Notifications in the words of a language, from templates that are data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from fleet.language import Language
from fleet.notifications.routing import Kind

_IN_WORDS = frozenset({"reason", "severity"})
"""Facts that are codes; people of another language read them in theirs."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is read: a line, and what stands under it."""

    title: str
    body: str


@cache
def templates(language: Language) -> Mapping[str, Any]:
    """The templates of a language, by kind."""
    file = resources.files("fleet.notifications").joinpath("templates", f"{language}.yaml")
    found: Mapping[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found


def message(kind: Kind, facts: Mapping[str, Any], language: Language) -> Message:
    """A notification in words; a fact that is not there reads as nobody."""
    words = templates(language)
    filled = {name: words["nobody"] if value is None else value for name, value in facts.items()}
    for name in _IN_WORDS & facts.keys():
        filled[name] = words[name].get(facts[name], filled[name])
    if "became" in facts:
        filled["became"] = words["became"][facts["became"]].format_map(filled)
    template = words[kind]
    return Message(template["title"].format_map(filled), template["body"].format_map(filled))


def digest(messages: Sequence[Message], language: Language) -> Message:
    """Several in one, in order; one alone stays itself."""
    if len(messages) == 1:
        return messages[0]
    title = templates(language)["digest"]["title"].format(count=len(messages))
    return Message(title, "\n".join(f"{one.title}\n  {one.body}" for one in messages))
