"""What can go wrong while the engines are found or assembled; each says what to do instead."""

_INSTEAD = (
    "Instead: run the system with Docker (`docker compose up`), or name running engines in "
    "TELLERGRID_DATABASE_URL (a PostgreSQL with TimescaleDB) and TELLERGRID_BROKER_URL "
    "(an MQTT 5 broker)."
)


class EnginesError(Exception):
    """The engines cannot be had on this machine as it is; the message says what to do."""

    def __init__(self, what: str, *, detail: str = "") -> None:
        self.what = what
        self.detail = detail.strip()
        super().__init__("\n".join(part for part in (what, self.detail, _INSTEAD) if part))


class NoAptError(EnginesError):
    """The machine has no apt, so there are no signed packages to unpack."""


class NotDebianError(EnginesError):
    """The machine has apt, but none of its mirrors is Debian's."""


class NoSpaceError(EnginesError):
    """The disk is too full to unpack the engines."""


class UnverifiedError(EnginesError):
    """A signature or a checksum did not match; nothing of the download is used."""


class OfflineError(EnginesError):
    """The mirror could not be reached."""


class NotWholeError(EnginesError):
    """What was unpacked does not run."""
