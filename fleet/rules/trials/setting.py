"""What surrounds the terminals of a test: windows, the times when we are blind, closed hours."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TypeVar

import yaml

from fleet.rules.document import Fields
from fleet.rules.rule import COMPONENTS, KINDS
from fleet.rules.trials.story import Blind, Stretch, Window
from fleet.windows.window import Purpose

_STRETCH = ("from", "until")
_ABOUT = ("terminals", "cells", "kinds")
_WINDOW = ("purpose", *_STRETCH, *_ABOUT, "component")
_BLIND = (*_STRETCH, "broker")
_LEAST = timedelta(milliseconds=1)

_T = TypeVar("_T")


def windows(fields: Fields) -> tuple[Window, ...]:
    """The windows of a test, each about all that is named."""
    return tuple(_each(fields, "windows", _WINDOW, _window))


def blind(fields: Fields) -> tuple[Blind, ...]:
    """When nobody listens: the collector is away or, with `broker`, the broker."""
    return tuple(
        _each(
            fields,
            "blind",
            _BLIND,
            lambda each: Blind(_stretch(each), each.switch("broker", default=False)),
        )
    )


def closed(fields: Fields) -> tuple[Stretch, ...]:
    """When a terminal is not meant to serve."""
    return tuple(_each(fields, "closed", _STRETCH, _stretch))


def _window(fields: Fields) -> Window:
    if not any(key in fields for key in (*_ABOUT, "component")):
        fields.report("", "a window says what it is about", ", ".join((*_ABOUT, "component")))
    return Window(
        purpose=Purpose(fields.choice("purpose", Purpose)),
        stretch=_stretch(fields),
        terminals=frozenset(fields.texts("terminals")),
        cells=frozenset(fields.texts("cells")),
        kinds=frozenset(fields.choices("kinds", KINDS)),
        component=fields.choice("component", COMPONENTS) if "component" in fields else "",
    )


def _stretch(fields: Fields) -> Stretch:
    for key in _STRETCH:
        if key not in fields:
            fields.report(key, f"{key} is missing")
    begin, end = fields.duration("from"), fields.duration("until", _LEAST)
    if begin >= end:
        fields.report("until", "until must be after from")
    return Stretch(begin, end)


def _each(
    fields: Fields, key: str, known: tuple[str, ...], read: Callable[[Fields], _T]
) -> Iterator[_T]:
    for node in fields.members(key):
        inner = Fields(fields.source, node, known)
        if isinstance(node, yaml.MappingNode):
            yield read(inner)
