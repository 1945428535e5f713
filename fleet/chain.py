"""The audit's chain: each entry is hashed with the hash before it, so none can change unnoticed.

A head (a place in the chain and its hash) that was signed and kept elsewhere holds all before it:
whoever rewrites the chain from some entry on cannot end at the same head.
"""

import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

BEGINNING = b"\x00" * 32


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """What happened: who did what to which row, when, from where; the row before and after.

    `at` is RFC 3339 in UTC with microseconds; `before` and `after` are JSON as the database has it.
    """

    id: int
    at: str
    actor: str
    origin: str
    subject: str
    key: str
    change: str
    before: str | None
    after: str | None


class Head(msgspec.Struct, frozen=True):
    """A place in the chain, its hash in hexadecimal, and when it was signed (RFC 3339)."""

    number: int
    hash: str
    at: str


class SignedHead(msgspec.Struct, frozen=True):
    """A head with its Ed25519 signature, as it is exported."""

    head: Head
    signature: str


def link(previous: bytes, number: int, entry: Entry) -> bytes:
    """The hash of an entry at its place in the chain."""
    return hashlib.sha256(previous + msgspec.json.encode((number, entry))).digest()


def signing_key(secret: str) -> Ed25519PrivateKey:
    """The key that follows from a secret of any form."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(secret.encode()).digest())


def public_key(secret: str) -> str:
    """What checks signatures made with a secret, for whoever must not sign; in hexadecimal."""
    return signing_key(secret).public_key().public_bytes_raw().hex()


def sign(key: Ed25519PrivateKey, head: Head) -> SignedHead:
    """A head, signed."""
    signature = key.sign(msgspec.json.encode(head))
    return SignedHead(head, urlsafe_b64encode(signature).decode())


def is_key(text: str) -> bool:
    """Whether a text can be a public key."""
    return re.fullmatch("[0-9a-fA-F]{64}", text) is not None


def is_signed(public: str, signed: SignedHead) -> bool:
    """Whether a head was signed with the secret behind a public key."""
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
    try:
        key.verify(urlsafe_b64decode(signed.signature), msgspec.json.encode(signed.head))
    except (InvalidSignature, ValueError):
        return False
    return True
