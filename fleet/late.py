"""Modules that are imported when they are first used, not when a process starts.

For what takes long to import and what many processes never need: a restart waits for none of it.
Use it in a thread of its own where an event loop runs, which would else stand still meanwhile.
"""

from importlib import import_module
from typing import Any


class Late:
    """A module by its name; what is asked of it is asked of the module."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:  # noqa: ANN401  # as of any module without types
        """Import the module unless that is done, and give what it has by this name."""
        return getattr(import_module(self._name), attribute)
