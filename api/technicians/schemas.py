"""Technicians on the wire."""

from pydantic import BaseModel, ConfigDict, Field


class Technician(BaseModel):
    """A person who is sent."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "code": "T01",
                "name": "Technician 01",
                "skills": ["cash", "card"],
                "cells": ["C001", "C002"],
                "to_do": 3,
            }
        }
    )

    code: str
    name: str
    skills: list[str]
    cells: list[str] = Field(description="The cells they answer for, of those you see")
    to_do: int = Field(description="Tickets they have to do, of those you see")
