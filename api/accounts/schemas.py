"""Accounts on the wire."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from api.instants import Instant
from fleet.tickets.lifecycle import Role


class Token(BaseModel):
    """A bearer token."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "access_token": "eyJhbGciOi…",
                "token_type": "bearer",
                "expires_in": 900,
                "refresh_token": "Zm9yIG9uY2UgYWxvbmU…",
            }
        }
    )

    access_token: str
    token_type: str = "bearer"  # noqa: S105 - a kind of token, not one
    expires_in: int = Field(description="Seconds it is good for")
    refresh_token: str | None = Field(
        default=None, description="Good once, for the next tokens; programs are given none"
    )


class Grant(StrEnum):
    """What is shown to sign in."""

    PASSWORD = "password"  # noqa: S105 - a kind of grant, not one
    SERVICE = "client_credentials"
    REFRESH = "refresh_token"


class TokenRequest(BaseModel):
    """A form: what is needed, the grant type says."""

    model_config = ConfigDict(
        hide_input_in_errors=True,
        json_schema_extra={
            "examples": [
                {"grant_type": "password", "username": "ops", "password": "correct horse"},
                {"grant_type": "refresh_token", "refresh_token": "Zm9yIG9uY2UgYWxvbmU…"},
                {
                    "grant_type": "client_credentials",
                    "client_id": "reporting",
                    "client_secret": "a secret of 32 characters or more",
                },
            ]
        },
    )

    grant_type: Grant = Grant.PASSWORD
    username: str | None = Field(default=None, max_length=200)
    password: str | None = Field(default=None, max_length=1000)
    refresh_token: str | None = Field(default=None, max_length=200)
    client_id: str | None = Field(default=None, max_length=200)
    client_secret: str | None = Field(default=None, max_length=1000)


_ACCOUNT: dict[str, Any] = {
    "username": "reporting",
    "role": "operations",
    "service": True,
    "technician": None,
    "created_at": "2026-11-23T08:00:00Z",
    "disabled_at": None,
    "sessions": 1,
}
AccountRole = Literal["technician", "operations", "tester", "admin"]


def _hashable(value: SecretStr) -> SecretStr:
    """Half a character, which JSON can write, is no text that could be hashed."""
    try:
        value.get_secret_value().encode()
    except UnicodeEncodeError:
        raise ValueError("must be text of whole characters") from None
    return value


NewPassword = Annotated[SecretStr, Field(min_length=12, max_length=1000), AfterValidator(_hashable)]


class Account(BaseModel):
    """An account, as admins see it."""

    model_config = ConfigDict(json_schema_extra={"example": _ACCOUNT})

    username: str
    role: AccountRole
    service: bool = Field(description="A program, which signs in with client_credentials")
    technician: str | None
    created_at: Instant
    disabled_at: Instant | None
    sessions: int = Field(description="Sessions that go on")


class NewAccount(BaseModel):
    """An account to be made; its password is told by you and never shown again."""

    model_config = ConfigDict(
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_extra={
            "examples": [
                {
                    "username": "reporting",
                    "role": "operations",
                    "service": True,
                    "password": "a secret of 32 characters or more",
                }
            ]
        },
    )

    username: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,199}$")
    role: AccountRole
    service: bool = False
    technician: str | None = Field(default=None, description="For that role, whose account it is")
    password: NewPassword


class AccountChange(BaseModel):
    """What is to be another; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_extra={"examples": [{"disabled": True}]},
    )

    disabled: bool | None = None
    password: NewPassword | None = None


class Me(BaseModel):
    """The caller."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "username": "tech01",
                "role": "technician",
                "technician": "T01",
                "name": "Technician 01",
                "skills": ["cash", "card"],
                "cells": ["C001", "C002"],
            }
        }
    )

    username: str
    role: Role
    technician: str | None = Field(description="For technicians, their code")
    name: str | None
    skills: list[str] | None
    cells: list[str] | None = Field(description="The cells you see; null means all")
