"""What becomes of a terminal's messages on their way: lost, late, doubled, overtaken."""

import random

from simulator.behaviour import Behaviour
from simulator.voice import Outgoing

Delivery = tuple[float, Outgoing]
"""After how many seconds a message goes out."""

_AGAIN_S = 5.0


class Passage:
    """The line of one terminal; on a perfect one everything passes as it is."""

    def __init__(self, code: str, seed: int, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        # A simulation, not a secret; made only where there is something to decide.
        perfect = behaviour.is_line_perfect and not behaviour.half_open
        self._chance = None if perfect else random.Random(f"{seed}/{code}/line")  # noqa: S311
        self._held: Outgoing | None = None

    def carry(self, message: Outgoing) -> list[Delivery]:
        """What goes out now that a message was sent; nothing for one that is lost or held back."""
        chance, how = self._chance, self._behaviour
        if chance is None:
            return [(0.0, message)]
        if chance.random() < how.lost:
            return []
        if self._held is None and chance.random() < how.overtaken:
            self._held = message
            return []
        delay_s = 0.0
        if chance.random() < how.late:
            delay_s = chance.expovariate(1 / how.late_s)
        out = [(delay_s, message)]
        if chance.random() < how.doubled:
            out.append((delay_s + chance.uniform(0, _AGAIN_S), message))
        if self._held is not None:
            out.append((delay_s, self._held))
            self._held = None
        return out

    @property
    def is_perfect(self) -> bool:
        """Whether nothing is ever lost here."""
        return self._chance is None

    def is_held(self, message: Outgoing) -> bool:
        """Whether a message waits to be overtaken."""
        return self._held is message

    def breaks_half_open(self) -> bool:
        """Whether a line that breaks now leaves the broker believing that it stands."""
        return self._chance is not None and self._chance.random() < self._behaviour.half_open
