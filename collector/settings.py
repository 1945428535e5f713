"""What the collector is told by its environment."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from fleet.db.address import SecretDatabaseUrl
from fleet.mqtt import Broker, BrokerTrust


class Settings(BrokerTrust):
    """Read once in `main`, handed down."""

    model_config = SettingsConfigDict(
        env_prefix="TELLERGRID_",
        env_ignore_empty=True,
        extra="ignore",
        hide_input_in_errors=True,  # they would name the secrets beside the one that is missing
    )

    database_url: SecretDatabaseUrl = Field(
        description="PostgreSQL with TimescaleDB: postgresql://…"
    )
    broker_url: SecretStr = Field(description="The broker, with the collector's account: mqtt://…")
    regions: str = Field("", description="Regions to serve, by comma; empty: every one there is")
    catalogue: Path | None = Field(None, description="Folder of rule files; empty: the default")
    collector_host: str = Field("127.0.0.1", description="Where /metrics and /healthz listen")
    collector_port: int = Field(28091, ge=0, le=65535, description="0 takes any free port")
    batch_count: int = Field(1000, ge=1, description="Messages in a transaction at the most")
    batch_linger_ms: float = Field(20, ge=0, description="How long a batch waits to fill")
    receive_maximum: int = Field(4000, ge=2, le=65535, description="Unacknowledged at the most")
    platform_after_s: float = Field(
        60, ge=0, description="How long we are blind before it is an incident of the platform"
    )
    lateness_ms: float = Field(
        5000, ge=0, description="How late a message may come and still be judged in its place"
    )
    trace_endpoint: str | None = Field(
        None,
        description="Where traces go, OTLP over HTTP: http://host:4318/v1/traces; empty: nowhere",
    )
    log_level: str = Field("info", description="debug, info, warning, error")

    @property
    def broker(self) -> Broker:
        """The broker; raises ValueError for a URL or for files that are of no use."""
        return self.broker_at(self.broker_url.get_secret_value())

    @property
    def only_regions(self) -> frozenset[str]:
        """The regions asked for; empty for all."""
        return frozenset(name.strip() for name in self.regions.split(",") if name.strip())
