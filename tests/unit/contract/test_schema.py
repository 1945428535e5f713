"""The JSON Schema says what the decoder does, and names the whole vocabulary."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from fleet.schema import schema
from fleet.topics import Channel
from fleet.vocabulary import PROPERTIES, Property
from tellergrid.cli import app

BASE: dict[str, Any] = {"ts": "2026-11-23T08:00:00Z", "boot": 1, "seq": 1, "status": {}}


def valid(channel: Channel, message: object) -> bool:
    return jsonschema.Draft202012Validator(schema(channel)).is_valid(message)


@pytest.mark.parametrize("channel", [None, *Channel])
def test_each_schema_is_a_schema(channel: Channel | None) -> None:
    """JSON Schema 2020-12, of one channel or of all."""
    made = schema(channel)
    jsonschema.Draft202012Validator.check_schema(made)
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert str(made["$id"]).startswith("urn:tellergrid:fleet:v1:")


def property_schema(known: Property) -> dict[str, Any]:
    """The schema at the end of a property's path."""
    made = schema(Channel.TELEMETRY)
    definitions = made["$defs"]
    root = known.path.partition(".")[0].removesuffix("[]")
    path = known.path if root in ("storage", "metrics") else f"status.{known.path}"
    at: dict[str, Any] = definitions["Telemetry"]
    for step in path.split("."):
        at = at["properties"][step.removesuffix("[]")]
        at = next(iter([*_structs(at), at]))
        if "$ref" in at:
            at = definitions[at["$ref"].removeprefix("#/$defs/")]
    return at


def _structs(shape: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for arm in shape.get("anyOf", [shape]):
        inner = arm.get("items", arm)
        if "$ref" in inner:
            yield inner


@pytest.mark.parametrize("known", PROPERTIES.values(), ids=str)
def test_every_known_value_stands_in_the_schema_beside_any_other(known: Property) -> None:
    """Vendors extend: the enumeration is knowledge, not a fence."""
    shape = property_schema(known)
    types = {arm.get("type") for arm in shape.get("anyOf", [shape])}
    assert known.kind.value in types
    if known.values:
        assert {"enum": list(known.values)} in shape["anyOf"]
        assert "others are kept and counted" in shape["description"]


def test_the_schema_keeps_what_vendors_add_and_refuses_wrong_types() -> None:
    """As the decoder does."""
    assert valid(Channel.TELEMETRY, BASE)
    assert valid(Channel.TELEMETRY, BASE | {"acme": 1, "status": {"acmeDoor": {"cycles": 7}}})
    assert valid(Channel.TELEMETRY, BASE | {"status": {"cardReader": {"media": "acmeStuck"}}})
    assert valid(Channel.TELEMETRY, BASE | {"status": {"cardReader": None}})
    assert not valid(Channel.TELEMETRY, BASE | {"status": {"cardReader": {"media": 3}}})
    assert not valid(Channel.TELEMETRY, BASE | {"storage": [{"status": "ok"}]})
    assert not valid(Channel.TELEMETRY, BASE | {"metrics": {"rtt_ms": "42"}})
    assert not valid(Channel.TELEMETRY, {**BASE, "seq": 0})
    assert not valid(Channel.STATUS, {"ts": BASE["ts"], "boot": 1})


def test_commands_stand_in_the_schema_too() -> None:
    """A vendor reads there what it will be asked."""
    assert valid(Channel.COMMAND, {"op": "resend", "boot": 17, "from": 1, "to": 5})
    assert valid(Channel.COMMAND, {"op": "reset"})
    assert not valid(Channel.COMMAND, {"op": "explode"})


def test_the_command_line_prints_the_schema() -> None:
    """`tellergrid contract schema [MESSAGE]`."""
    whole = CliRunner().invoke(app, ["contract", "schema"])
    assert json.loads(whole.stdout) == schema()
    one = CliRunner().invoke(app, ["contract", "schema", "event"])
    assert json.loads(one.stdout) == schema(Channel.EVENT)
    assert CliRunner().invoke(app, ["contract", "schema", "evnt"]).exit_code == 2
