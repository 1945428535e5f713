"""The rule catalogue on the wire."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.instants import Instant
from fleet.rules.severity import Severity
from fleet.service_state import ServiceState

_RULE: dict[str, Any] = {
    "name": "card_reader_jammed",
    "scope": "terminal",
    "kinds": [],
    "vendors": [],
    "enabled": True,
    "shadow": False,
    "when": "cardReader.media == 'jammed'",
    "for": "30s",
    "clear_for": "1m",
    "severity": "major",
    "impact": "out_of_service",
    "component": "cardReader",
    "skill": "card",
    "line": 2,
    "title": "Card reader jammed",
    "remedy": "Open the fascia, remove the card, test the transport.",
    "parts": [],
}


class Rule(BaseModel):
    """A rule, in the words of the catalogue; it has one kind of trigger, the others are null."""

    model_config = ConfigDict(populate_by_name=True, json_schema_extra={"example": _RULE})

    name: str
    scope: Literal["terminal", "cell"]
    kinds: list[str] = Field(description="Empty: every kind of terminal")
    vendors: list[str] = Field(description="Empty: every vendor's")
    enabled: bool = Field(description="false: only where an override enables it")
    shadow: bool = Field(description="On trial: its faults are counted, and nothing follows")
    when: str | None = Field(default=None, description="The condition, in CEL")
    clear_when: str | None = None
    each: str | None = Field(default=None, description="The list whose every member is judged")
    silent_for: str | None = None
    offline: bool | None = None
    members: list[str] | None = Field(default=None, description="Rules whose terminals are counted")
    at_least: int | None = None
    share: float | None = None
    hold: str | None = Field(
        default=None, alias="for", description="How long it must hold before a fault"
    )
    clear_hold: str = Field(alias="clear_for", description="How long it must be gone")
    severity: Severity
    impact: ServiceState | None
    component: str
    skill: str
    line: int
    title: str
    remedy: str
    parts: list[str]


class Catalogue(BaseModel):
    """The rules in force in this api, in the order of their files."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "items": [_RULE],
                "next": None,
                "identity": "2026.11+3f2a9c1b7d10",
                "refused": [],
            }
        }
    )

    items: list[Rule]
    next: None = Field(default=None, description="All rules are on one page")
    identity: str = Field(description="Version and digest, as faults remember it")
    refused: list[str] = Field(
        default=[], description="What is wrong with a newer catalogue, which is not in force"
    )


class ShadowCount(BaseModel):
    """What one rule on trial has counted."""

    model_config = ConfigDict(from_attributes=True)

    rule: str
    faults: int = Field(description="How many fired")
    open: int = Field(description="How many of them are still true")
    tickets: int = Field(description="How many would have called for a ticket of their own")
    subjects: int = Field(description="On how many terminals or cells")
    flapped: int
    last_at: Instant = Field(description="When the last one fired")


class ShadowCounts(BaseModel):
    """The rules on trial that fired since a time; one that never did is not named."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "since": "2026-11-16T08:00:00.000Z",
                "items": [
                    {
                        "rule": "fan-slow", "faults": 12, "open": 2, "tickets": 9, "subjects": 7,
                        "flapped": 1, "last_at": "2026-11-23T08:00:30.123Z",
                    }
                ],
                "next": None,
            }
        }
    )  # fmt: skip

    since: Instant
    items: list[ShadowCount]
    next: None = Field(default=None, description="All are on one page")
