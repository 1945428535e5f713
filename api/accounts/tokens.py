"""Bearer tokens: JSON Web Tokens, signed with one secret and one algorithm."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

import jwt

from api.errors import Unauthenticated

_ALGORITHM = "HS256"
_CLAIMS = ["exp", "iat", "sub", "role", "sid"]
_REMEMBERED = 4096
_EXPIRED = "The token has expired: ask for a new one."


@dataclass(frozen=True, slots=True)
class Claims:
    """What a good token says; the account as it is now has the last word.

    Of another issuer's token there is neither role nor session.
    """

    username: str
    expires_at: datetime
    role: str | None = None
    session: UUID | None = None


def issue(
    secret: str, username: str, role: str, session: UUID, now: datetime, lifetime: timedelta
) -> str:
    """A token for a session of an account, good from `now` on for its lifetime."""
    claims = {"sub": username, "role": role, "sid": str(session)}
    return jwt.encode(claims | {"iat": now, "exp": now + lifetime}, secret, algorithm=_ALGORITHM)


def read(secret: str, token: str) -> Claims:
    """What a token says; raises `Unauthenticated` unless it is ours, whole and not expired.

    Whether its account and its session go on is not a token's to say: that is asked each time.
    """
    claims = _verified(secret, token)
    if claims.expires_at <= datetime.now(UTC):
        raise Unauthenticated(_EXPIRED)
    return claims


@lru_cache(_REMEMBERED)
def _verified(secret: str, token: str) -> Claims:
    """The same, of a token that may have expired since: it is sent with every request, and what a
    signature says of it does not change. What is not good is not remembered.
    """
    try:
        claims = jwt.decode(token, secret, algorithms=[_ALGORITHM], options={"require": _CLAIMS})
        session = UUID(claims["sid"])
    except jwt.ExpiredSignatureError:
        raise Unauthenticated(_EXPIRED) from None
    except (jwt.InvalidTokenError, ValueError):
        raise Unauthenticated("The token is not good: ask for a new one.") from None
    return claims_of(claims["sub"], claims["exp"], str(claims["role"]), session)


def claims_of(
    username: str, expires: float, role: str | None = None, session: UUID | None = None
) -> Claims:
    """Claims with their end as an instant; `expires` is in seconds since 1970."""
    return Claims(username, datetime.fromtimestamp(expires, UTC), role, session)
