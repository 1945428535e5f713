"""The settings for readers: a page of the documentation, made from the settings classes.

`python -m tellergrid.settings_page > docs/reference/settings.md` writes it anew; a test compares.
"""

import sys
from collections.abc import Iterator
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

import api.settings
import collector.settings
import simulator.settings
import tellergrid.settings

PREFIX = "TELLERGRID_"
READERS: dict[str, type[BaseSettings]] = {
    "collector": collector.settings.Settings,
    "api": api.settings.Settings,
    "simulator": simulator.settings.Settings,
    "tellergrid (the command line)": tellergrid.settings.Settings,
}

_INTRODUCTION = """\
# Settings

Every process reads its environment once, at its start. An empty variable counts as not set. The
embedded stack and compose set what they must; you need none of these to begin.

This page is made from the settings classes; a test fails when they differ.
"""


def page() -> str:
    """The whole page, as Markdown."""
    return "\n".join([_INTRODUCTION, *_sections()])


def _sections() -> Iterator[str]:
    for name, settings in READERS.items():
        yield f"## {name}\n"
        yield "| variable | default | |"
        yield "|---|---|---|"
        for field, about in settings.model_fields.items():
            yield f"| `{PREFIX}{field.upper()}` | {_default(about)} | {about.description} |"
        yield ""


def _default(about: FieldInfo) -> str:
    if about.is_required():
        return "required"
    value: Any = about.default
    return "" if value in (None, "") else f"`{value}`"


if __name__ == "__main__":
    sys.stdout.write(page())
