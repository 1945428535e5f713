"""Small files of the home: replaced whole, readable by their owner alone."""

import os
from pathlib import Path

import msgspec


def write_private(path: Path, value: object) -> None:
    """Replace a JSON file; a reader sees the old one or the new one, and only the owner reads."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")
    new.rename(path)
