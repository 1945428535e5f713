"""What the command line reads from the environment."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from fleet.db.address import DatabaseUrl
from fleet.mqtt import BrokerTrust

_EVERYWHERE = {"0.0.0.0", "::", ""}  # noqa: S104 -- recognised, not listened on
Port = Annotated[int, Field(ge=1, le=65535)]  # 0 would be any, and nobody knew which


class Settings(BrokerTrust):
    """Settings of `tellergrid`, each from the variable TELLERGRID_<NAME>.

    Where the database's or the broker's URL is given, the embedded one is not started.
    """

    model_config = SettingsConfigDict(
        env_prefix="TELLERGRID_",
        env_ignore_empty=True,
        hide_input_in_errors=True,  # they would name the secrets beside the one that is missing
    )

    home: Path = Field(Path(".tellergrid"), description="Where the stack keeps everything")
    database_url: DatabaseUrl | None = Field(
        None, repr=False, description="A PostgreSQL with TimescaleDB, instead of the embedded one"
    )
    broker_url: str | None = Field(
        None, repr=False, description="An MQTT 5 broker, instead of the embedded one"
    )
    database_port: Port = Field(28432, description="Where the embedded database listens")
    broker_port: Port = Field(28883, description="Where the embedded broker listens")
    collector_host: str = Field("127.0.0.1", description="Where the collector's metrics listen")
    collector_port: Port = Field(28091, description="Their port")
    api_host: str = Field("127.0.0.1", description="Where the api listens")
    api_port: Port = Field(28080, description="Its port")
    terminal_secret: SecretStr | None = Field(
        None, description="What terminals' passwords follow from; by default generated once"
    )

    audit_key: SecretStr | None = Field(
        None, description="What the audit's heads are signed with; by default generated once"
    )

    @property
    def collector_url(self) -> str:
        """Where the collector answers, seen from this machine."""
        return _url(self.collector_host, self.collector_port)

    @property
    def api_url(self) -> str:
        """Where the api answers, seen from this machine."""
        return _url(self.api_host, self.api_port)


def _url(host: str, port: int) -> str:
    return f"http://{'127.0.0.1' if host in _EVERYWHERE else host}:{port}"
