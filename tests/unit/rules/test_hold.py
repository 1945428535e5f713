"""The hold table is whole, and what it promises can be read off it."""

from itertools import product
from pathlib import Path

import pytest

from fleet.rules import diagram
from fleet.rules.hold import HOLDING, TABLE, TIMED, Phase, Signal

_PAGE = Path(__file__).parents[3] / "docs/reference/holds.md"


def test_every_phase_answers_every_signal() -> None:
    assert set(TABLE) == set(product(Phase, Signal))


@pytest.mark.parametrize("phase", Phase)
def test_a_missing_input_neither_fires_nor_clears(phase: Phase) -> None:
    """Unknown never makes a fault, nor ends one: firing stays, clearing goes back to firing."""
    after = TABLE[phase, Signal.NEITHER]
    had_fault = phase in (Phase.FIRING, Phase.CLEARING)
    assert after is (Phase.FIRING if had_fault else Phase.IDLE)


def test_only_the_end_of_a_hold_makes_or_ends_a_fault() -> None:
    faulty = {Phase.FIRING, Phase.CLEARING}
    crossings = {
        (before, signal)
        for (before, signal), after in TABLE.items()
        if (before in faulty) != (after in faulty)
    }
    assert crossings == {(Phase.PENDING, Signal.DUE), (Phase.CLEARING, Signal.DUE)}


def test_time_alone_moves_only_timed_phases() -> None:
    assert {phase for phase in Phase if TABLE[phase, Signal.DUE] is not phase} == TIMED


def test_a_raise_always_holds() -> None:
    assert all(TABLE[phase, Signal.RAISE] in HOLDING for phase in Phase)


def test_the_page_in_the_docs_is_drawn_from_the_tables() -> None:
    assert _PAGE.read_text(encoding="utf-8") == diagram.page()
