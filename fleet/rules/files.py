"""The files of a catalogue: those of its folder, and those that they include."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from fleet.rules.document import Fields, Source
from fleet.rules.errors import CatalogueError, Problem
from fleet.rules.reading import ALL, Limits
from fleet.rules.rule import KINDS

DEFAULT = Path(__file__).parent / "default"
FIELDS = ("version", "include", "groups", "rules", "overrides")
INCLUDED = ("from", "kinds", "vendors")
_DEFAULT_NAME = "default"


@dataclass(frozen=True, slots=True)
class File:
    """One file: `own` where it lies in the catalogue's folder, else included for `within`."""

    source: Source
    top: Fields
    within: Limits
    own: bool


def gather(folder: Path) -> list[File]:
    """Every file of a catalogue, in the order of names, each followed by what it includes.

    Raises `CatalogueError` where there is none.
    """
    found: list[File] = []
    read = {path.resolve() for path in _of_folder(folder)}
    for path in _of_folder(folder):
        _open(path, ALL, found, read, own=True)
    return found


def paths(folder: Path) -> list[Path]:
    """Every file that belongs to a catalogue, as far as they can be read."""
    try:
        return [Path(file.source.name) for file in gather(folder)]
    except CatalogueError:
        return []


def _open(path: Path, within: Limits, found: list[File], read: set[Path], *, own: bool) -> None:
    source = Source(path)
    file = File(source, Fields(source, source.root, FIELDS), within, own)
    found.append(file)
    if not isinstance(source.root, yaml.MappingNode):
        return
    for node in file.top.members("include"):
        for inner, limits in _included(file, node, path.parent):
            if inner.resolve() in read:
                source.report_at(node, f"{inner.name} is part of the catalogue already")
            else:
                read.add(inner.resolve())
                _open(inner, limits, found, read, own=False)


def _included(file: File, node: yaml.Node, beside: Path) -> Iterator[tuple[Path, Limits]]:
    """The files that one entry of `include` names, and whom they are for."""
    name, within, at = str(node.value), file.within, node
    if isinstance(node, yaml.MappingNode):
        fields = Fields(file.source, node, INCLUDED)
        name, at = fields.text("from"), fields.node_of("from") or node
        kinds = within.narrow(fields, "kinds", fields.choices("kinds", KINDS))
        within = Limits(kinds, within.narrow(fields, "vendors", fields.texts("vendors")))
        if not name:
            return
    elif not isinstance(node, yaml.ScalarNode):
        file.source.report_at(node, "include names files", "include: [vendors/acme.yaml]")
        return
    path = DEFAULT if name == _DEFAULT_NAME else beside / name
    files = _yaml(path) if path.is_dir() else [path]
    if not path.exists() or not files:
        hint = "a path beside this file, or default for the catalogue that is delivered"
        file.source.report_at(at, f"there is no file {name}", hint)
        return
    for each in files:
        yield each, within


def _of_folder(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise CatalogueError([Problem(str(folder), 1, 1, "is not a folder")])
    files = _yaml(folder)
    if not files:
        raise CatalogueError([Problem(str(folder), 1, 1, "holds no rules", "files end in .yaml")])
    return files


def _yaml(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml"))
