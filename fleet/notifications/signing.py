"""The signature of a webhook, as Standard Webhooks (standardwebhooks.com) has it.

A receiver that knows the secret recomputes it over id, time and body; refuses what is old; and
remembers the ids it has seen, for the same delivery may be sent again and has the same id.
"""

import base64
import hashlib
import hmac

PREFIX = "whsec_"
SHORTEST = 24
"""Bytes of a secret, as the standard wants it."""


def secret_bytes(secret: str) -> bytes:
    """The key of a secret: what stands after `whsec_`, in base64. Raises `ValueError`."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError:  # not base64, or not even ASCII
        key = b""
    if len(key) < SHORTEST:
        raise ValueError(f"must be {SHORTEST} bytes or more in base64, with or without {PREFIX}")
    return key


def headers(key: bytes, delivery: str, at: int, body: bytes) -> dict[str, str]:
    """The headers of a delivery that is sent at a time, in seconds since 1970."""
    signed = hmac.new(key, f"{delivery}.{at}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": delivery,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }
