"""Named SQL: statements live in `.sql` files beside the module that runs them.

A file is a row of blocks, each begun by `-- name: snake_case`; comment lines after it say what the
statement is for.
"""

import re
from importlib import resources

_BLOCK = re.compile(r"^-- name: *(\w+)[ \t]*$", re.MULTILINE)


def load(package: str, name: str) -> dict[str, str]:
    """The statements of `name.sql` in a package, by name.

    Raises `ValueError` on a doubled name or text before the first block.
    """
    text = resources.files(package).joinpath(f"{name}.sql").read_text(encoding="utf-8")
    before, *rest = _BLOCK.split(text)
    if any(line and not line.startswith("--") for line in before.splitlines()):
        raise ValueError(f"{package}/{name}.sql: a statement stands before the first '-- name:'")
    statements: dict[str, str] = {}
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        if title in statements:
            raise ValueError(f"{package}/{name}.sql: two statements are named {title}")
        statements[title] = body.strip()
    return statements
