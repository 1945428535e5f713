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
_ASKED_AGAIN_AFTER_S = 5.0  # where the provider did not answer
_LEEWAY_S = 30
_REQUIRED = ["exp", "iat", "iss", "aud", "sub"]
_SILENT = "The identity provider does not answer; try again."
_SILENCES = (httpx.HTTPError, TimeoutError)
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
        self._answers = True
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
            return claims_of(str(claims[pinned.claim]), claims["exp"])
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("The token has expired: ask for a new one.") from None
        # Its end may be an instant that no calendar has.
        except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError, OSError) as error:
            _log.info("token refused", error=type(error).__name__)
            raise Unauthenticated("The identity provider's token is not good.") from None

    async def _key(self, header: dict[str, object]) -> jwt.PyJWK:
        """The key a token names; one that is unknown has the keys read anew, but not too often."""
        if header.get("alg") not in self.provider.algorithms:
            raise jwt.InvalidAlgorithmError("not pinned")
        name = str(header.get("kid", ""))
        if name not in self._keys:
            await self._learn(name)
        if name not in self._keys:
            raise jwt.InvalidTokenError("unknown key")
        return self._keys[name]

    async def _learn(self, name: str) -> None:
        """Read the keys anew for one that is unknown, unless that was just done, or tried.

        Whose key is known does not wait for it.
        """
        async with self._reading:
            if name in self._keys:
                return
            rest_s = _KEYS_AGAIN_AFTER_S if self._answers else _ASKED_AGAIN_AFTER_S
            if monotonic() - self._read_at <= rest_s:
                if self._answers:
                    return
                raise Unreachable(_SILENT)
            try:
                self._keys = await self._read_keys()
            except Unreachable:
                self._answers, self._read_at = False, monotonic()
                raise
            self._answers, self._read_at = True, monotonic()

    async def _read_keys(self) -> dict[str, jwt.PyJWK]:
        address = f"{self.provider.issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            async with asyncio.timeout(_PATIENCE_S), httpx.AsyncClient() as client:
                found = (await client.get(address)).raise_for_status().json()
                if found["issuer"] != self.provider.issuer:
                    raise ValueError("it calls itself by another name")
                keys = (await client.get(found["jwks_uri"])).raise_for_status().json()
            known = jwt.PyJWKSet.from_dict(keys).keys
        except (*_SILENCES, ValueError, KeyError, TypeError, jwt.PyJWKSetError) as error:
            _log.warning("no keys", issuer=self.provider.issuer, error=type(error).__name__)
            raise Unreachable(_SILENT) from error
        return {key.key_id or "": key for key in known}
