"""What a service is told of TLS to its broker: a part of the settings of each that has one."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings

from fleet.mqtt.broker import Broker, trust


class BrokerTrust(BaseSettings):
    """Whom to believe at a `mqtts://` broker, and by what to be believed."""

    broker_ca: Path | None = Field(
        None, description="PEM file of who may vouch for a mqtts:// broker; empty: the system's"
    )
    broker_certificate: Path | None = Field(
        None, description="PEM file that vouches for us at a mqtts:// broker (mutual TLS)"
    )
    broker_key: Path | None = Field(
        None, description="PEM file of its key; empty: it is in the same file"
    )

    def broker_at(self, url: str) -> Broker:
        """The broker of a URL; raises ValueError for a URL or for files that are of no use."""
        files = (self.broker_ca, self.broker_certificate, self.broker_key)
        return Broker.parse(url, trust(*files) if any(files) else None)
