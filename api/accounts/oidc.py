"""Bearer tokens of an identity provider (OpenID Connect), by configuration.

Everything is pinned: who issues, for whom, with which algorithms; asymmetric ones alone, so a
public key can never pass for a secret. Who the subject is here, its role and its cells, is said by
our account of that name and never by the token.
"""

import asyncio
from dataclasses import dataclass
from time import monotonic

import httpx
import jwt
import structlog

from api.accounts.tokens import Claims, claims_of
from api.errors import Unauthenticated, Unreachable

ASYMMETRIC = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
_PATIENCE_S = 5.0
_KEYS_AGAIN_AFTER_S = 30.0
_LEEWAY_S = 30
_REQUIRED = ["exp", "iat", "iss", "aud", "sub"]
_log = structlog.get_logger("api.accounts.oidc")


@dataclass(frozen=True, slots=True)
class Provider:
    """What is pinned of an identity provider; `claim` names the account."""

    issuer: str
    audience: str
    algorithms: tuple[str, ...]
    claim: str


class Issuer:
    """An identity provider; its keys are read when a token names one that is not known."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._keys: dict[str, jwt.PyJWK] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    def issued(self, token: str) -> bool:
        """Whether a token claims to be of this provider; what it claims is checked by `read`."""
        try:
            claims = jwt.decode(token, options={"verify_signature": False})
        except jwt.InvalidTokenError:
            return False
        return claims.get("iss") == self.provider.issuer

    async def read(self, token: str) -> Claims:
        """What a token says; raises `Unauthenticated` unless all that is pinned holds."""
        pinned = self.provider
        try:
            key = await self._key(jwt.get_unverified_header(token))
            claims = jwt.decode(
                token,
                key.key,
                algorithms=list(pinned.algorithms),
                audience=pinned.audience,
                issuer=pinned.issuer,
                leeway=_LEEWAY_S,
                options={"require": [*_REQUIRED, pinned.claim]},
            )
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("The token has expired: ask for a new one.") from None
        except jwt.InvalidTokenError as error:
            _log.info("token refused", error=type(error).__name__)
            raise Unauthenticated("The identity provider's token is not good.") from None
        return claims_of(str(claims[pinned.claim]), claims["exp"])

    async def _key(self, header: dict[str, object]) -> jwt.PyJWK:
        """The key a token names; one that is unknown has the keys read anew, but not too often."""
        if header.get("alg") not in self.provider.algorithms:
            raise jwt.InvalidAlgorithmError("not pinned")
        name = str(header.get("kid", ""))
        async with self._reading:
            stale = monotonic() - self._read_at > _KEYS_AGAIN_AFTER_S
            if name not in self._keys and stale:
                self._keys = await self._read_keys()
                self._read_at = monotonic()
        if name not in self._keys:
            raise jwt.InvalidTokenError("unknown key")
        return self._keys[name]

    async def _read_keys(self) -> dict[str, jwt.PyJWK]:
        address = f"{self.provider.issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            async with httpx.AsyncClient(timeout=_PATIENCE_S) as client:
                found = (await client.get(address)).raise_for_status().json()
                if found["issuer"] != self.provider.issuer:
                    raise ValueError("it calls itself by another name")
                keys = (await client.get(found["jwks_uri"])).raise_for_status().json()
            known = jwt.PyJWKSet.from_dict(keys).keys
        except (httpx.HTTPError, ValueError, KeyError, TypeError, jwt.PyJWKSetError) as error:
            _log.warning("no keys", issuer=self.provider.issuer, error=type(error).__name__)
            raise Unreachable("The identity provider does not answer; try again.") from error
        return {key.key_id or "": key for key in known}
