"""Named SQL: what a file must look like, and that every file of ours does."""

from importlib import resources
from pathlib import Path

import pytest

from fleet.db.sql import load

_PACKAGES = ("api", "collector", "tellergrid")
_ROOT = Path(__file__).parents[3]


def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (tmp_path / "probe.sql").write_text(text)
    monkeypatch.setattr(resources, "files", lambda _package: tmp_path)


def test_blocks_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(
        tmp_path, monkeypatch, "-- name: one\n-- what for\nSELECT 1;\n\n-- name: two\nSELECT 2;\n"
    )
    assert load("any", "probe") == {"one": "-- what for\nSELECT 1;", "two": "SELECT 2;"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("SELECT 1;\n-- name: one\nSELECT 1;", "before the first"),
        ("-- name: one\nSELECT 1;\n-- name: one\nSELECT 2;", "two statements are named one"),
    ],
)
def test_a_misshapen_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, complaint: str
) -> None:
    write(tmp_path, monkeypatch, text)
    with pytest.raises(ValueError, match=complaint):
        load("any", "probe")


@pytest.mark.parametrize(
    "path",
    sorted(str(p.relative_to(_ROOT)) for root in _PACKAGES for p in (_ROOT / root).rglob("*.sql")),
)
def test_every_file_of_ours_loads(path: str) -> None:
    file = Path(path)
    assert load(".".join(file.parent.parts), file.stem)
