"""Accounts on the wire."""

from pydantic import BaseModel, ConfigDict, Field

from fleet.tickets.lifecycle import Role


class Token(BaseModel):
    """A bearer token."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"access_token": "eyJhbGciOi…", "token_type": "bearer", "expires_in": 3600}
        }
    )

    access_token: str
    token_type: str = "bearer"  # noqa: S105 - a kind of token, not one
    expires_in: int = Field(description="Seconds it is good for")


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
