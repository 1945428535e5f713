"""What the simulator is told by its environment."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from fleet.mqtt import Broker, BrokerTrust


class Settings(BrokerTrust):
    """Read once in `main`, handed down."""

    model_config = SettingsConfigDict(
        env_prefix="TELLERGRID_",
        env_ignore_empty=True,
        extra="ignore",
        hide_input_in_errors=True,  # they would show the secrets beside the one that is missing
    )

    broker_url: SecretStr = Field(description="The broker, with the simulator's account: mqtt://…")
    terminal_secret: SecretStr | None = Field(
        None, description="What terminals' passwords follow from; without it they use our account"
    )
    home: Path = Field(Path(".tellergrid"), description="Where the state is kept by default")
    log_level: str = Field("info", description="debug, info, warning, error")

    @property
    def broker(self) -> Broker:
        """The broker; raises ValueError for a URL or for files that are of no use."""
        return self.broker_at(self.broker_url.get_secret_value())

    @property
    def state(self) -> Path:
        """Where boots and sequence numbers are kept when nothing else is said."""
        return self.home / "simulator" / "state.json"
