"""The api's settings, read once from the environment."""

from datetime import timedelta
from pathlib import Path
from typing import Self
from zoneinfo import available_timezones

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.accounts.oidc import ASYMMETRIC, Provider
from api.retention import Retention
from fleet.db.address import DatabaseUrl


class Settings(BaseSettings):
    """`TELLERGRID_` and the name in capitals; what is empty counts as not set."""

    model_config = SettingsConfigDict(
        env_prefix="TELLERGRID_",
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,  # they would name the secrets beside the one that is missing
    )

    database_url: DatabaseUrl = Field(description="postgresql:// URL of the database", repr=False)
    token_secret: SecretStr = Field(
        min_length=32,
        description="Signs bearer tokens; at least 32 bytes, the same in every process",
    )
    token_minutes: int = Field(default=15, ge=1, le=1440, description="How long a token is good")
    session_hours: float = Field(
        default=336, gt=0, description="How long refresh tokens go on giving new ones"
    )
    oidc_issuer: str | None = Field(
        default=None,
        description="An identity provider whose tokens are taken too: its URL",
    )
    oidc_audience: str | None = Field(
        default=None, description="What its tokens must be for; needed with an issuer"
    )
    oidc_algorithms: str = Field(
        default="RS256", description="What they may be signed with, by comma; asymmetric alone"
    )
    oidc_claim: str = Field(
        default="preferred_username", description="The claim that names the account"
    )
    catalogue: Path | None = Field(
        default=None, description="Folder of rule files; empty: the catalogue of the package"
    )
    lateness_ms: float = Field(
        default=5000,
        ge=0,
        description="How late a message may come and still be judged in its place",
    )
    api_host: str = Field(default="127.0.0.1", description="Address to listen on")
    api_port: int = Field(default=28080, ge=0, le=65535, description="Port to listen on")
    requests_per_minute: int = Field(
        default=3000,
        ge=0,
        description="What an account, or an address without one, may ask of a process; 0: no limit",
    )
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
    channels: Path | None = Field(
        default=None,
        description="YAML file of the channels that notifications go to; empty: nobody is told",
    )
    time_zone: str = Field(
        default="UTC",
        description="The bank's, like Asia/Shanghai: uptime is summed ahead in its hours and days",
    )
    keep_telemetry_days: int = Field(
        default=90, ge=0, description="How long telemetry and presence are kept; 0: for ever"
    )
    keep_event_days: int = Field(
        default=400, ge=0, description="How long events of terminals are kept; 0: for ever"
    )
    keep_hour_sums_days: int = Field(
        default=400, ge=0, description="How long hourly sums of uptime are kept; 0: for ever"
    )
    keep_terminal_sums_days: int = Field(
        default=800, ge=0, description="How long sums of each terminal are kept; 0: for ever"
    )
    columns_after_days: int = Field(
        default=7,
        ge=0,
        description="When telemetry and events go to the columnstore, if licensed; 0: never; "
        "read when they first do",
    )
    log_level: str = Field(default="info", description="debug, info, warning or error")

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("is no time zone")
        return value

    @property
    def retention(self) -> Retention:
        """How long tables are kept, and when they become columns."""
        return Retention(
            {
                "telemetry": self.keep_telemetry_days or None,
                "presence": self.keep_telemetry_days or None,
                "event": self.keep_event_days or None,
                "uptime_cell_hour": self.keep_hour_sums_days or None,
                "uptime_terminal_day": self.keep_terminal_sums_days or None,
            },
            self.columns_after_days or None,
        )

    @model_validator(mode="after")
    def _pins(self) -> Self:
        if self.oidc_issuer is not None and self.oidc_audience is None:
            raise ValueError("TELLERGRID_OIDC_ISSUER needs TELLERGRID_OIDC_AUDIENCE beside it")
        if not set(self._algorithms) <= ASYMMETRIC or not self._algorithms:
            raise ValueError(f"TELLERGRID_OIDC_ALGORITHMS takes {', '.join(sorted(ASYMMETRIC))}")
        return self

    @property
    def _algorithms(self) -> tuple[str, ...]:
        return tuple(name.strip() for name in self.oidc_algorithms.split(",") if name.strip())

    @property
    def provider(self) -> Provider | None:
        """The identity provider, with all that is pinned of it."""
        if self.oidc_issuer is None or self.oidc_audience is None:
            return None
        return Provider(self.oidc_issuer, self.oidc_audience, self._algorithms, self.oidc_claim)

    @property
    def session_lifetime(self) -> timedelta:
        """How long a session may go on."""
        return timedelta(hours=self.session_hours)

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
