"""Assembles a private copy of packaged programs: download, unpack, patch, prove, rename.

The copy is built in a folder beside its place and renamed when whole, so a killed assembly leaves
nothing that a later one trips over. A lock lets several processes want the same copy at once.
"""

import errno
import fcntl
import os
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tellergrid.engines.apt import Apt, Package, architecture
from tellergrid.engines.errors import EnginesError, NoAptError, NoSpaceError, NotWholeError
from tellergrid.engines.recipe import SUITE, Recipe

# What is being done, and which share of it is done, from 0 to 1, when that is known.
Progress = Callable[[str, float | None], None]


class Manifest(msgspec.Struct, frozen=True):
    """What a copy holds; written last. `root` is where it runs from: its programs say so."""

    root: str
    versions: dict[str, str]


class Assembly(msgspec.Struct, frozen=True):
    """A whole copy: its root folder and the version of each package in it."""

    root: Path
    versions: dict[str, str]


def assemble(recipe: Recipe, engines: Path, progress: Progress) -> Assembly:
    """Return the private copy of a recipe under `engines`, making it when it is not there.

    Raises EnginesError, or one of its kinds, when it cannot be made.
    """
    if shutil.which("dpkg") is None:
        raise NoAptError("This machine has no apt, from which the engines would be unpacked.")
    engines.mkdir(parents=True, exist_ok=True)
    engines = engines.resolve()  # a copy is made for one path, and may be reached by several
    place = engines / recipe.stamp(architecture())
    if (made := _whole(place)) is not None:
        return made
    with _lock(engines / "lock", progress):
        if (made := _whole(place)) is not None:
            return made
        _clear(engines)
        _require_space(engines, recipe.disk_bytes)
        try:
            return _build(recipe, engines, place, progress)
        except OSError as problem:
            if problem.errno == errno.ENOSPC:
                raise _no_space(engines, recipe.disk_bytes) from problem
            raise
        finally:
            _clear(engines)


def _build(recipe: Recipe, engines: Path, place: Path, progress: Progress) -> Assembly:
    building = Path(tempfile.mkdtemp(prefix="building-", dir=engines))
    root, packages = building / "root", building / "packages"
    root.mkdir()
    wanted = _download(recipe, building, packages, progress)
    progress("Unpacking", None)
    for archive in sorted(packages.glob("*.deb")):
        _run(["dpkg-deb", "-x", str(archive), str(root)])
    for rubbish in recipe.rubbish:
        shutil.rmtree(root / rubbish, ignore_errors=True)
    versions = {package.name: package.version for package in wanted}
    progress("Patching", None)
    _patch(recipe, root, place)
    root.chmod(0o755)
    if place.exists():  # not proven, or moved here from elsewhere: its programs point there
        shutil.rmtree(place)
    root.rename(place)
    _prove(recipe, place)
    manifest = building / "manifest.json"
    manifest.write_bytes(msgspec.json.encode(Manifest(str(place), versions)))
    manifest.rename(place / "manifest.json")
    return Assembly(place, versions)


def _download(recipe: Recipe, building: Path, packages: Path, progress: Progress) -> list[Package]:
    progress(f"Reading the package lists of Debian {SUITE}", None)
    apt = Apt(building / "apt", SUITE)
    apt.update(lambda: progress(f"Reading the package lists of Debian {SUITE}", None))
    wanted = apt.closure(recipe.packages, recipe.without)
    total = sum(package.size for package in wanted)
    saying = f"Downloading {len(wanted)} packages, {total / 1e6:.0f} MB"

    def waiting() -> None:
        here = sum(path.stat().st_size for path in packages.glob("*.deb"))
        progress(saying, min(1.0, here / total))

    progress(saying, 0.0)
    apt.download(wanted, packages, waiting)
    return wanted


def _patch(recipe: Recipe, root: Path, place: Path) -> None:
    """Point the executables at the unpacked loader and libraries.

    The search path is forced (DT_RPATH), so it also holds for what those libraries load in turn,
    and comes before the machine's own.
    """
    patchelf = _patchelf()
    folders = sorted(
        folder
        for folder in (*root.glob("lib/*-linux-gnu*"), *root.glob("usr/lib/*-linux-gnu*"))
        if any(folder.glob("*.so*"))
    )
    search = ":".join(str(place / folder.relative_to(root)) for folder in folders)
    for path in _executables(recipe, root):
        wanted = _run([patchelf, "--print-interpreter", str(path)]).strip().lstrip("/")
        loader = next((p for p in (root / wanted, root / "usr" / wanted) if p.exists()), None)
        if loader is None:
            raise NotWholeError(f"The unpacked copy lacks the loader {wanted}.")
        command = [patchelf, "--set-interpreter", str(place / loader.relative_to(root))]
        _run([*command, "--force-rpath", "--set-rpath", search, str(path)])


def _prove(recipe: Recipe, place: Path) -> None:
    """Run every executable once: a missing library shows here, not in the middle of a start."""
    for executable in _executables(recipe, place):
        answer = subprocess.run(
            [executable, "--version"], capture_output=True, text=True, check=False
        )
        if answer.returncode in {126, 127} or "error while loading" in answer.stderr:
            raise NotWholeError(f"The unpacked {executable} does not run.", detail=answer.stderr)


def _executables(recipe: Recipe, root: Path) -> Iterator[Path]:
    for pattern in recipe.executables:
        found = sorted(root.glob(pattern))
        if not found:
            raise NotWholeError(f"The unpacked copy lacks {pattern}.")
        yield from found


def _whole(place: Path) -> Assembly | None:
    """Read back a copy, unless it is not there or was made for another folder."""
    try:
        manifest = msgspec.json.decode((place / "manifest.json").read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError):
        return None
    return Assembly(place, manifest.versions) if manifest.root == str(place) else None


def _clear(engines: Path) -> None:
    for leftover in engines.glob("building-*"):
        shutil.rmtree(leftover, ignore_errors=True)


@contextmanager
def _lock(path: Path, progress: Progress) -> Iterator[None]:
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("Waiting for another assembly to end", None)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _require_space(folder: Path, needed: int) -> None:
    if shutil.disk_usage(folder).free < needed:
        raise _no_space(folder, needed)


def _no_space(folder: Path, needed: int) -> NoSpaceError:
    free = shutil.disk_usage(folder).free
    return NoSpaceError(
        f"The engines need {needed / 1e6:.0f} MB in {folder}; {free / 1e6:.0f} MB are free. "
        "TELLERGRID_HOME moves that folder."
    )


def _patchelf() -> str:
    beside = Path(sysconfig.get_path("scripts")) / "patchelf"
    found = str(beside) if beside.exists() else shutil.which("patchelf")
    if found is None:
        raise EnginesError("patchelf is missing; `make setup` installs it.")
    return found


def _run(command: list[str]) -> str:
    answer = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"}
    )
    if answer.returncode != 0:
        if "No space left" in answer.stderr:
            raise OSError(errno.ENOSPC, answer.stderr)
        raise NotWholeError(f"{Path(command[0]).name} failed.", detail=answer.stderr)
    return answer.stdout
