"""What the command line reads from the environment."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

_EVERYWHERE = {"0.0.0.0", "::", ""}  # noqa: S104 -- recognised, not listened on


class Settings(BaseSettings):
    """Settings of `tellergrid`, each from the variable TELLERGRID_<NAME>.

    Where the database's or the broker's URL is given, the embedded one is not started.
    """

    model_config = SettingsConfigDict(env_prefix="TELLERGRID_", env_ignore_empty=True)

    home: Path = Path(".tellergrid")
    database_url: str | None = Field(default=None, repr=False)
    broker_url: str | None = Field(default=None, repr=False)
    database_port: int = 28432
    broker_port: int = 28883
    collector_host: str = "127.0.0.1"
    collector_port: int = 28091
    api_host: str = "127.0.0.1"
    api_port: int = 28080
    terminal_secret: SecretStr | None = None

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
