"""A copy is there whole or not at all, whatever becomes of the process that makes it."""

import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from tellergrid.engines import assemble as assembling
from tellergrid.engines.apt import Package
from tellergrid.engines.assemble import assemble
from tellergrid.engines.errors import NoAptError, NoSpaceError
from tellergrid.engines.recipe import Recipe

RECIPE = Recipe(packages=("greeting",), executables=(), rubbish=("usr/share/man",), disk_bytes=1)


class FakeApt:
    """An apt with one package in it, built here; `downloads` counts how often it was asked."""

    downloads = 0
    dies = False

    def __init__(self, root: Path, suite: str) -> None:
        self.root = root
        self.suite = suite

    def update(self, _waiting: object) -> None:
        """Read no lists."""

    def closure(self, names: Sequence[str], _without: Iterable[str]) -> list[Package]:
        return [Package(name, "1.0", 1000) for name in names]

    def download(self, _packages: Iterable[Package], into: Path, _waiting: object) -> None:
        type(self).downloads += 1
        tree = into.parent / "tree"
        for name, text in (
            ("DEBIAN/control", CONTROL),
            ("usr/share/greeting", "hello\n"),
            ("usr/share/man/greeting.1", "how to greet\n"),
        ):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_text(text)
        into.mkdir()
        subprocess.run(
            ["dpkg-deb", "--build", tree, into / "greeting_1.0_all.deb"],
            check=True,
            capture_output=True,
        )
        if self.dies:
            raise KeyboardInterrupt


CONTROL = """\
Package: greeting
Version: 1.0
Architecture: all
Maintainer: Nobody <nobody@example.org>
Description: says hello
"""


@pytest.fixture(autouse=True)
def fake_apt(monkeypatch: pytest.MonkeyPatch) -> type[FakeApt]:
    """Take the package from here and not from a mirror."""
    monkeypatch.setattr(FakeApt, "downloads", 0)
    monkeypatch.setattr(FakeApt, "dies", False)
    monkeypatch.setattr(assembling, "Apt", FakeApt)
    return FakeApt


def silent(_what: str, _share: float | None) -> None:
    """Show no progress."""


def test_a_copy_is_made_once(tmp_path: Path) -> None:
    """The second time it is found, with its versions, and nothing is downloaded."""
    made = assemble(RECIPE, tmp_path, silent)
    assert (made.root / "usr/share/greeting").read_text() == "hello\n"
    assert not (made.root / "usr/share/man").exists()
    assert made.versions == {"greeting": "1.0"}
    assert assemble(RECIPE, tmp_path, silent) == made
    assert FakeApt.downloads == 1


def test_an_interrupted_assembly_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the middle of the download: the next one begins anew."""
    monkeypatch.setattr(FakeApt, "dies", True)
    with pytest.raises(KeyboardInterrupt):
        assemble(RECIPE, tmp_path, silent)
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_what_a_killed_assembly_left_is_cleared_away(tmp_path: Path) -> None:
    """kill -9 clears nothing: half a tree lies there, and one that was renamed but not proven."""
    (tmp_path / "building-x" / "root").mkdir(parents=True)
    made = assemble(RECIPE, tmp_path, silent)
    (made.root / "manifest.json").unlink()
    (made.root / "usr/share/greeting").write_text("half")
    (tmp_path / "building-y").mkdir()
    again = assemble(RECIPE, tmp_path, silent)
    assert (again.root / "usr/share/greeting").read_text() == "hello\n"
    assert not list(tmp_path.glob("building-*"))


def test_a_copy_that_was_moved_is_made_anew(tmp_path: Path) -> None:
    """Its programs name the folder they were made for: a repository that was renamed."""
    before, after = tmp_path / "before", tmp_path / "after"
    assemble(RECIPE, before, silent)
    before.rename(after)
    assert assemble(RECIPE, after, silent).root.is_relative_to(after)
    assert FakeApt.downloads == 2


def test_a_full_disk_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    """With how much is needed, where, and how to go elsewhere."""
    greedy = Recipe(packages=("greeting",), executables=(), disk_bytes=10**18)
    with pytest.raises(NoSpaceError, match="TELLERGRID_HOME"):
        assemble(greedy, tmp_path, silent)
    assert FakeApt.downloads == 0


def test_without_apt_the_error_says_what_to_do_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On another distribution: compose, or engines of one's own."""
    monkeypatch.setattr("shutil.which", lambda _name: None)
    with pytest.raises(NoAptError) as problem:
        assemble(RECIPE, tmp_path, silent)
    assert "docker compose up" in str(problem.value)
    assert "TELLERGRID_DATABASE_URL" in str(problem.value)
    assert "TELLERGRID_BROKER_URL" in str(problem.value)
