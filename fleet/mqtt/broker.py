"""Where a broker is and who we are there."""

import ssl
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

PORTS = {"mqtt": 1883, "mqtts": 8883}


def trust(
    authority: Path | None = None, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """A context for `Broker.parse`: who may vouch for the broker, and what vouches for us.

    Without an authority, the system's. Raises ValueError, naming the files, when they are no such.
    """
    try:
        context = ssl.create_default_context(cafile=str(authority) if authority else None)
        if certificate is not None:
            context.load_cert_chain(certificate, key)
    except OSError as error:
        named = ", ".join(str(each) for each in (authority, certificate, key) if each)
        raise ValueError(f"{named}: not certificates and a key in PEM: {error}") from error
    return context


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker's address and our account; the password never shows in a repr.

    `source` is the address of ours to connect from: each has ports of its own.
    """

    host: str
    port: int = PORTS["mqtt"]
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    source: str | None = None

    @classmethod
    def parse(cls, url: str, tls: ssl.SSLContext | None = None) -> Self:
        """Read `mqtt://user:password@host:port`; `mqtts` verifies against the system's roots.

        A context handed in (own roots, client certificate) is used instead of the default one.
        Raises ValueError, without the url in it, for anything that names no broker.
        """
        parts = urlsplit(url)
        if parts.scheme not in PORTS:
            raise ValueError(
                f"a broker's url begins with mqtt:// or mqtts://, not {parts.scheme!r}"
            )
        if not parts.hostname:
            raise ValueError("a broker's url names a host: mqtt://user:password@host:port")
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("a broker's url ends with its port: mqtt://user:password@host:port")
        try:
            port = parts.port
        except ValueError:
            raise ValueError("the port in a broker's url is a number up to 65535") from None
        if parts.scheme == "mqtts" and tls is None:
            tls = ssl.create_default_context()
        elif parts.scheme == "mqtt" and tls is not None:
            raise ValueError("certificates are for mqtts://, this broker's url begins with mqtt://")
        return cls(
            host=parts.hostname,
            port=PORTS[parts.scheme] if port is None else port,
            username=None if parts.username is None else unquote(parts.username),
            password=None if parts.password is None else unquote(parts.password),
            tls=tls,
        )

    def account(self, username: str, password: str) -> "Broker":
        """Return the same broker seen by another account."""
        return replace(self, username=username, password=password)

    def __str__(self) -> str:
        """Return host and port, for messages to people."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"
