"""The api's description: complete, with examples that are true to their schemas."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import SecretStr

from api.app import create_app
from api.settings import Settings

DOCS = Path(__file__).parents[3] / "docs" / "reference"


def description() -> dict[str, Any]:
    settings = Settings(database_url="postgresql://nowhere", token_secret=SecretStr("x" * 32))
    return create_app(settings).openapi()


OPENAPI = description()


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every operation, by method and path."""
    for path, methods in OPENAPI["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


OPERATIONS = dict(operations())


def answers(operation: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every answer of an operation, by status and media type."""
    for status, response in operation["responses"].items():
        for media_type, content in response.get("content", {}).items():
            yield status, media_type, content


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_has_an_example_that_its_schema_accepts(name: str) -> None:
    """Examples are what people copy: each is there, and right."""
    for status, media_type, content in answers(OPERATIONS[name]):
        if not name.endswith(("/healthz", "/readyz")) or status == "200":
            assert "example" in content, (status, media_type)
        if "json" in media_type and "example" in content:
            schema = content["schema"] | {"components": OPENAPI["components"]}
            jsonschema.validate(content["example"], schema)


@pytest.mark.parametrize("name", [name for name in OPERATIONS if "/api/v1/" in name])
def test_errors_are_documented_in_their_one_shape(name: str) -> None:
    """401, 422 and 503 everywhere, 404 where a thing is named; all as problem details."""
    operation = OPERATIONS[name]
    expected = {"401", "422", "503"} | ({"404"} if "{" in name else set())
    assert expected <= operation["responses"].keys()
    for status, media_type, content in answers(operation):
        if not status.startswith("2"):
            assert media_type == "application/problem+json"
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_says_what_it_is_for(name: str) -> None:
    """A sentence for people, a short id for generators of clients."""
    operation = OPERATIONS[name]
    assert operation["description"].endswith(".")
    assert re.fullmatch(r"[a-z_]+", operation["operationId"])


def test_no_reference_leads_nowhere() -> None:
    """Every schema that is named is there."""
    named = set(re.findall(r"#/components/schemas/(\w+)", str(OPENAPI)))
    assert named <= OPENAPI["components"]["schemas"].keys()


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_is_in_the_reference(name: str) -> None:
    """docs/reference/api.md knows it."""
    method, path = name.split()
    assert f"`{method} {path}" in (DOCS / "api.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_setting_is_in_the_reference(field: str) -> None:
    """docs/reference/api.md says what may be set, and why."""
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    assert f"`TELLERGRID_{field.upper()}`" in text
    assert Settings.model_fields[field].description
