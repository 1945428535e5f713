"""The api's settings, read once from the environment."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """`TELLERGRID_` and the name in capitals; what is empty counts as not set."""

    model_config = SettingsConfigDict(
        env_prefix="TELLERGRID_",
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,  # they would name the secrets beside the one that is missing
    )

    database_url: str = Field(description="postgresql:// URL of the database", repr=False)
    token_secret: SecretStr = Field(
        min_length=32,
        description="Signs bearer tokens; at least 32 bytes, the same in every process",
    )
    token_minutes: int = Field(default=60, ge=1, le=1440, description="How long a token is good")
    catalogue: Path | None = Field(
        default=None, description="Folder of rule files; empty: the catalogue of the package"
    )
    api_host: str = Field(default="127.0.0.1", description="Address to listen on")
    api_port: int = Field(default=28080, ge=0, le=65535, description="Port to listen on")
    accept_minutes: float = Field(
        default=30,
        gt=0,
        description="How long a technician has to accept before somebody else is sent",
    )
    verify_minutes: float = Field(
        default=60,
        ge=0,
        description="How long a resolved ticket is watched before it closes by itself",
    )
    poll_seconds: float = Field(
        default=5,
        gt=0,
        description="How often tickets and the event feed look by themselves, notified or not",
    )
    audit_key: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="Signs the audit's exported heads; at least 32 bytes, kept from the database",
    )
    audit_folder: Path | None = Field(
        default=None,
        description="Where heads are appended to heads.jsonl; empty, or no key: none is exported",
    )
    audit_minutes: float = Field(default=5, gt=0, description="How often a head is exported")
    log_level: str = Field(default="info", description="debug, info, warning or error")

    @property
    def token_lifetime(self) -> timedelta:
        """How long a token is good."""
        return timedelta(minutes=self.token_minutes)

    @property
    def accept_window(self) -> timedelta:
        """How long a technician has to accept."""
        return timedelta(minutes=self.accept_minutes)

    @property
    def verify_window(self) -> timedelta:
        """How long a resolved ticket is watched."""
        return timedelta(minutes=self.verify_minutes)
