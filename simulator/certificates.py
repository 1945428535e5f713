"""Certificates by which terminals log in at a broker that asks for them.

One folder of PEM files: `ca.pem` vouches for the broker, `<terminal>.pem` and `<terminal>.key` for
a terminal, `simulator.pem` and `simulator.key` for the simulator itself. A certificate's common
name is the terminal's id, which the broker takes for its username.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from fleet.mqtt import Broker, trust
from simulator.errors import CertificateError

AUTHORITY = "ca"
OURSELVES = "simulator"
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Certificates:
    """Those in a folder."""

    folder: Path

    def require(self, names: Iterable[str]) -> None:
        """Raise CertificateError, naming them, when some have none; before the first connection."""
        missing = [name for name in (AUTHORITY, *names) if not self.pem(name).exists()]
        if missing:
            some = ", ".join(missing[:_NAMED]) + (", …" if len(missing) > _NAMED else "")
            raise CertificateError(
                f"{self.folder} has no certificate for {some}; "
                f"tellergrid certificates {self.folder} makes those of a demo fleet"
            )

    def of(self, name: str, broker: Broker) -> Broker:
        """The broker as who is called so sees it: by certificate alone, without a password.

        Raises CertificateError for files that are no certificates.
        """
        if broker.tls is None:
            raise CertificateError(f"{broker}: certificates are for a broker at mqtts://")
        try:
            context = trust(self.pem(AUTHORITY), self.pem(name), self.key(name))
        except ValueError as error:
            raise CertificateError(str(error)) from error
        return replace(broker, tls=context, username=None, password=None)

    def pem(self, name: str) -> Path:
        """The file of a certificate."""
        return self.folder / f"{name}.pem"

    def key(self, name: str) -> Path:
        """The file of its key."""
        return self.folder / f"{name}.key"
