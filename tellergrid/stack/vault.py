"""The stack's secrets: made once, at random, and the same at every later start."""

import secrets
from pathlib import Path

import msgspec

from tellergrid.stack.files import write_private

_LEGIBLE = "abcdefghjkmnpqrstuvwxyz23456789"  # no letters and digits that look alike
_TYPED_LENGTH = 12  # 59 bits


def _random() -> str:
    return secrets.token_urlsafe(32)


class _Secrets(msgspec.Struct):
    database: str
    token: str
    terminal: str
    broker: dict[str, str]
    people: dict[str, str]
    api_database: str = msgspec.field(default_factory=_random)
    audit: str = msgspec.field(default_factory=_random)


class Vault:
    """Hands out secrets by purpose and keeps them in one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._secrets = msgspec.json.decode(path.read_bytes(), type=_Secrets)
        except FileNotFoundError:
            self._secrets = _Secrets(_random(), _random(), _random(), {}, {})
            self.save()

    @property
    def database(self) -> str:
        """The password of the embedded database's owner."""
        return self._secrets.database

    @property
    def api_database(self) -> str:
        """The password of the api's role in the embedded database."""
        return self._secrets.api_database

    @property
    def token(self) -> str:
        """What the api signs its tokens with."""
        return self._secrets.token

    @property
    def audit(self) -> str:
        """What the heads of the audit are signed with."""
        return self._secrets.audit

    @property
    def terminal(self) -> str:
        """What the terminals' broker passwords are derived from."""
        return self._secrets.terminal

    def broker(self, account: str) -> str:
        """The broker password of one of our own accounts."""
        return self._secrets.broker.setdefault(account, _random())

    def person(self, username: str) -> str:
        """The password a person types."""
        return self._secrets.people.setdefault(
            username, "".join(secrets.choice(_LEGIBLE) for _ in range(_TYPED_LENGTH))
        )

    def save(self) -> None:
        """Keep what was handed out since."""
        write_private(self._path, self._secrets)
