"""The truth about a run: what was wrong, where, from when to when, and why.

A witness a terminal looks at its true properties whenever they change. What it notes goes nowhere
near the telemetry. The file is JSON, a line each: first the run, then a `Label` for each trouble, a
`Stay` for each service state a terminal was in; `ends_at` null was so when the run ended.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from fleet.service_state import ServiceState, prevailing
from simulator.errors import StateError
from simulator.layers import HANDS, Layers
from simulator.properties import PSEUDO
from simulator.troubles import CASH_LEAK, ERRORS, Wrong, inspector
from simulator.turns import Turn

USE = "use"


class Run(msgspec.Struct, frozen=True, tag="run", omit_defaults=True):
    """What the labels are about; times are epoch seconds."""

    scenario: str
    seed: int
    terminals: int
    begins_at: float
    ends_at: float | None = None
    rate: float = 1.0


class Label(msgspec.Struct, frozen=True, tag="label", omit_defaults=True):
    """One thing that was wrong: the name a perfect system would give it, on an item of a terminal.

    `cause` is `use`, `hands`, the kind of fault, or the scenario's word. `hidden` is something that
    no sensor of the terminal notices.
    """

    terminal: str
    name: str
    begins_at: float
    ends_at: float | None
    item: str = ""
    cause: str = USE
    hidden: bool = False


class Stay(msgspec.Struct, frozen=True, tag="stay", omit_defaults=True):
    """A service state that a terminal truly was in."""

    terminal: str
    state: ServiceState
    begins_at: float
    ends_at: float | None


Line = Run | Label | Stay


class Witness:
    """Keeps the truth about one terminal; `start` is when it is first there."""

    def __init__(self, terminal: str, kind: str, start: float) -> None:
        self._terminal = terminal
        self._inspector = inspector(kind)
        self._open: dict[tuple[str, str], Label] = {}
        self._stay = Stay(terminal, ServiceState.IN_SERVICE, start, None)
        self.labels: list[Label] = []
        self.stays: list[Stay] = []

    def see(self, at: float, layers: Layers, turns: Mapping[str, Turn]) -> None:
        """Note what is wrong from now on, and what is so no more."""
        wrong = self._inspector.look(layers.effective())
        seen = {(each.name, each.item): _cause(each, layers, turns) for each in wrong}
        for turn in turns.values():
            if turn.leak_per_h:
                seen[CASH_LEAK, ""] = turn.cause
            for component in turn.errors_per_h:
                if component in ERRORS:
                    seen[ERRORS[component], ""] = turn.cause
        hidden = {(t.hidden, ""): t.cause or t.hidden for t in turns.values() if t.hidden}
        for key in [key for key in self._open if key not in seen and key not in hidden]:
            self._close(key, at)
        for (name, item), cause in (seen | hidden).items():
            if (name, item) not in self._open:
                label = Label(self._terminal, name, at, None, item, cause, (name, item) in hidden)
                self._open[name, item] = label
        self._settle(prevailing(each.impact for each in wrong if each.impact is not None), at)

    @property
    def troubles(self) -> int:
        """How many troubles there have been, those under way included."""
        return len(self.labels) + len(self._open)

    @property
    def wrong_now(self) -> int:
        """How many are under way."""
        return len(self._open)

    def told(self) -> list[Line]:
        """Everything noted so far; what goes on has no end."""
        return [*self.labels, *self._open.values(), *self.stays, self._stay]

    def _close(self, key: tuple[str, str], at: float) -> None:
        label = self._open.pop(key)
        if at > label.begins_at:
            self.labels.append(msgspec.structs.replace(label, ends_at=at))

    def _settle(self, state: ServiceState, at: float) -> None:
        if state is self._stay.state:
            return
        if at > self._stay.begins_at:
            self.stays.append(msgspec.structs.replace(self._stay, ends_at=at))
        self._stay = Stay(self._terminal, state, at, None)


def write(path: Path, lines: Iterable[Line]) -> None:
    """Write the truth, whole; raises StateError."""
    encoder = msgspec.json.Encoder()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.new")
        fresh.write_bytes(encoder.encode_lines(lines))
        fresh.replace(path)
    except OSError as error:
        raise StateError(f"{path}: {error.strerror}") from error


def read(path: Path) -> list[Line]:
    """Read what a run wrote; raises StateError."""
    decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)
    try:
        return decoder.decode_lines(path.read_bytes())
    except OSError as error:
        raise StateError(f"{path}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise StateError(f"{path} is not a simulator's truth: {error}") from error


def _cause(wrong: Wrong, layers: Layers, turns: Mapping[str, Turn]) -> str:
    """Why it is so: whoever set the property that says it."""
    paths = PSEUDO if wrong.path in PSEUDO else (wrong.path,)
    values = layers.effective()
    layer = next((layers.source(path) for path in paths if values.get(path)), None)
    if layer is None:
        return USE
    if layer == HANDS:
        return HANDS
    turn = turns.get(layer)
    return layer.removeprefix("fault ") if turn is None else turn.cause
