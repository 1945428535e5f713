"""Modules that are imported when they are first used."""

import sys
from pathlib import Path

import pytest

from fleet.late import Late


def test_a_module_is_imported_when_something_of_it_is_asked_for_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not when it is named."""
    (tmp_path / "late_of_tests.py").write_text("names = []\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    module = Late("late_of_tests")
    assert "late_of_tests" not in sys.modules
    module.names.append("said")
    assert module.names == ["said"]
    assert "late_of_tests" in sys.modules
    with pytest.raises(AttributeError, match="late_of_tests"):
        _ = module.nothing
    monkeypatch.delitem(sys.modules, "late_of_tests")


def test_a_module_that_is_not_there_is_said_when_it_is_used() -> None:
    """As by the import it stands for."""
    with pytest.raises(ModuleNotFoundError, match="nowhere_of_tests"):
        _ = Late("nowhere_of_tests").anything
