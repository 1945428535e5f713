"""What the parts of one terminal's story share: its agenda, properties, voice and chance."""

import random
from dataclasses import dataclass

from simulator.agenda import Agenda
from simulator.behaviour import Behaviour
from simulator.layers import Layers
from simulator.properties import DARK, ELSEWHERE, OFFLINE, SILENT, Values
from simulator.voice import Voice

_NEEDED_TO_SERVE: Values = {
    "common.device": "online",
    "common.devicePosition": "inPosition",
    "cardReader.device": "online",
    "cardReader.media": "notPresent",
    "cardReader.chipModule": "ok",
    "keyManagement.encryptionState": "ready",
    "auxiliaries.operatorSwitch": "run",
    "cashDispenser.device": "online",
    "cashDispenser.positions.outDefault.shutter": "closed",
    "cashDispenser.positions.outDefault.transport": "ok",
    SILENT: False,
    ELSEWHERE: "",
}


@dataclass(frozen=True, slots=True)
class Body:
    """One terminal's."""

    agenda: Agenda
    layers: Layers
    voice: Voice
    chance: random.Random
    behaviour: Behaviour

    @property
    def linked(self) -> bool:
        """Whether the terminal's line is up: it has one, and power."""
        values = self.layers.effective()
        return not (values.get(OFFLINE, False) or values.get(DARK, False))

    @property
    def region(self) -> str:
        """The region for which it speaks; empty for its own."""
        return str(self.layers.effective().get(ELSEWHERE, ""))

    @property
    def speaks(self) -> bool:
        """Whether its software runs."""
        values = self.layers.effective()
        return not (values.get(SILENT, False) or values.get(DARK, False))

    @property
    def serves(self) -> bool:
        """Whether a customer finds it working."""
        values = self.layers.effective()
        return self.linked and all(
            values.get(path, needed) == needed for path, needed in _NEEDED_TO_SERVE.items()
        )
