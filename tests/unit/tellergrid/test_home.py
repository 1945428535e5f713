"""A home is one stack's alone, and in a place the engines' user may enter."""

from pathlib import Path

import pytest

from tellergrid.stack.home import AlreadyRunningError, Home, existing_home, held, is_held
from tellergrid.stack.rights import Rights, may_enter

SOMEBODY = Rights("somebody", 54321, 54321)


def test_a_closed_folder_on_the_way_keeps_others_out(tmp_path: Path) -> None:
    """As /root does: everything below it, there already or not, is out of reach."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    assert not may_enter(closed, SOMEBODY)
    assert not may_enter(closed / "not" / "there", SOMEBODY)


def test_open_folders_let_everybody_through() -> None:
    """As /var/lib and /tmp do."""
    assert may_enter(Path("/var/lib"), SOMEBODY)


def test_a_home_is_held_once(tmp_path: Path) -> None:
    """Two supervisors over the same data would destroy them."""
    home = Home(tmp_path, None)
    assert not is_held(home)
    with held(home):
        assert is_held(home)
        with pytest.raises(AlreadyRunningError), held(home):
            pass
    assert not is_held(home)


def test_asking_for_a_home_makes_none(tmp_path: Path) -> None:
    """`status` and `down` in the wrong folder leave no trace there."""
    assert existing_home(tmp_path / "none") is None
    assert list(tmp_path.iterdir()) == []
