"""Whose rights the engines run with: PostgreSQL refuses to be root, so root steps down."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

_ORDINARY = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Rights:
    """An ordinary user to step down to."""

    name: str
    uid: int
    gid: int


def engine_rights() -> Rights | None:
    """Return the user the engines run as, or None when we are an ordinary user ourselves."""
    if os.geteuid() != 0:
        return None
    for name in _ORDINARY:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Rights(name, entry.pw_uid, entry.pw_gid)
    return Rights("65534", 65534, 65534)


def owner(path: Path) -> Rights | None:
    """Return the ordinary user who owns a path, or None when it is root's or is not there."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    if status.st_uid == 0:
        return None
    return Rights(str(status.st_uid), status.st_uid, status.st_gid)


def give(path: Path, rights: Rights | None) -> None:
    """Make the engines' user the owner of a path."""
    if rights is not None:
        os.chown(path, rights.uid, rights.gid)


def own_folder(path: Path, rights: Rights | None) -> Path:
    """Make a folder only the engines' user may read, and return it."""
    path.mkdir(mode=0o700, exist_ok=True)
    give(path, rights)
    return path


def may_enter(path: Path, rights: Rights) -> bool:
    """Say whether a user can pass through every existing folder on the way to a path."""
    return all(_searchable(folder, rights) for folder in (path, *path.parents) if folder.exists())


def _searchable(folder: Path, rights: Rights) -> bool:
    status = folder.stat()
    if status.st_uid == rights.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == rights.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)
