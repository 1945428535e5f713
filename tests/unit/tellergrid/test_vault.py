"""Secrets are made once, kept for their owner alone, and never the same twice."""

import stat
from pathlib import Path

from tellergrid.stack.files import write_private
from tellergrid.stack.vault import Vault


def test_a_second_start_finds_the_same_secrets(tmp_path: Path) -> None:
    """Tokens, terminals and people must still get in after a restart."""
    first = Vault(tmp_path / "secrets.json")
    kept = (first.database, first.token, first.terminal, first.broker("api"), first.person("ops"))
    first.save()
    again = Vault(tmp_path / "secrets.json")
    assert kept == (
        *(again.database, again.token, again.terminal),
        *(again.broker("api"), again.person("ops")),
    )


def test_no_two_purposes_share_a_secret(tmp_path: Path) -> None:
    """Nor do two installations."""
    one, other = Vault(tmp_path / "one.json"), Vault(tmp_path / "other.json")
    made = [
        *(one.database, one.token, one.terminal, one.broker("api"), one.broker("tester")),
        *(one.person("ops"), one.person("tech01"), other.token, other.person("ops")),
    ]
    assert len(set(made)) == len(made)
    assert len(one.token.encode()) >= 32


def test_only_the_owner_reads_them(tmp_path: Path) -> None:
    """From the first byte on, and also where an older file was open to all."""
    path = tmp_path / "secrets.json"
    path.write_text("{}")
    path.chmod(0o644)
    write_private(path, {"a": 1})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
