"""A terminal's properties in layers: its own, what befell it, what was set by hand.

The topmost layer wins; taking a layer away brings back what was under it. In between the order is
that of arrival.
"""

from collections.abc import Mapping

from simulator.properties import Values

HANDS = "hands"


class Layers:
    """The layers of one terminal over its `own` properties.

    `changed` says whether anything but a counter differs since it was last set to False; `version`
    grows with every difference; `units_only` says whether, since it was set to True, all of them
    were about cash units.
    """

    def __init__(self, own: Values) -> None:
        self.own = own
        self.changed = True
        self.version = 0
        self.units_only = False
        self._above: dict[str, Values] = {}
        self._merged: Values | None = None

    def effective(self) -> Values:
        """Every property with the value that shows; not to be changed by the caller."""
        if not self._above:
            return self.own
        if self._merged is None:
            merged = dict(self.own)
            for name, values in self._above.items():
                if name != HANDS:
                    merged |= values
            self._merged = merged | self._above.get(HANDS, {})
        return self._merged

    def set_own(self, values: Mapping[str, object]) -> None:
        """Let the terminal itself change; counters alone are no change."""
        for path, value in values.items():
            if self.own.get(path) != value:
                assert isinstance(value, str | int | float)  # noqa: S101 - what properties are
                self.own[path] = value
                self.units_only &= path.startswith("storage.")
                self._touch(counts=not path.endswith(".count"))

    def put(self, name: str, values: Values) -> None:
        """Lay values over the terminal's own, adding to a layer of the same name."""
        self._above[name] = self._above.get(name, {}) | values
        self.units_only = False
        self._touch()

    def remove(self, name: str) -> None:
        """Take a layer away, if it is there."""
        if self._above.pop(name, None) is not None:
            self.units_only = False
            self._touch()

    def clear(self) -> None:
        """Leave nothing but the terminal's own."""
        for name in list(self._above):
            self.remove(name)

    def source(self, path: str) -> str | None:
        """Name the layer whose value of a property shows; None for the terminal's own."""
        if path in self._above.get(HANDS, {}):
            return HANDS
        names = (name for name, values in reversed(self._above.items()) if path in values)
        return next(names, None)

    def __contains__(self, name: str) -> bool:
        return name in self._above

    def _touch(self, *, counts: bool = True) -> None:
        self._merged = None
        self.version += 1
        self.changed |= counts
