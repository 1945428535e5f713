"""Bearer tokens: JSON Web Tokens, signed with one secret and one algorithm."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt

from api.errors import Unauthenticated

_ALGORITHM = "HS256"
_CLAIMS = ["exp", "iat", "sub", "role"]


@dataclass(frozen=True, slots=True)
class Claims:
    """What a good token says; the account as it is now has the last word."""

    username: str
    role: str
    expires_at: datetime


def issue(secret: str, username: str, role: str, now: datetime, lifetime: timedelta) -> str:
    """A token for an account, good from `now` on for its lifetime."""
    claims = {"sub": username, "role": role, "iat": now, "exp": now + lifetime}
    return jwt.encode(claims, secret, algorithm=_ALGORITHM)


def read(secret: str, token: str) -> Claims:
    """What a token says; raises `Unauthenticated` unless it is ours, whole and not expired."""
    try:
        claims = jwt.decode(token, secret, algorithms=[_ALGORITHM], options={"require": _CLAIMS})
    except jwt.ExpiredSignatureError:
        raise Unauthenticated("The token has expired: ask for a new one.") from None
    except jwt.InvalidTokenError:
        raise Unauthenticated("The token is not good: ask for a new one.") from None
    return Claims(claims["sub"], str(claims["role"]), datetime.fromtimestamp(claims["exp"], UTC))
