"""Passwords: hashed with argon2id, checked in the same time whether the account exists or not."""

import secrets
from functools import cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

# OWASP's recommendation for argon2id: 19 MiB, two passes, one lane. The library's default takes
# 64 MiB a log-in, which a small machine cannot spare for a few people signing in at once.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)


@cache
def _nobody() -> str:
    """Verified for unknown usernames, so that they take as long as the others."""
    return _HASHER.hash(secrets.token_urlsafe())


def hashed(password: str) -> str:
    """The password's argon2id hash in PHC format; takes about 25 ms of one core."""
    return _HASHER.hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """Whether the password is the one that was hashed; `None` (no such account) costs the same."""
    try:
        _HASHER.verify(password_hash or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None
