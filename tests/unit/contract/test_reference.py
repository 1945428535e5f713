"""The reference shows what is: examples decode, tables are those of the code."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from fleet import snapshot, telemetry
from fleet.quarantine import Reason
from fleet.rules.catalogue import load
from fleet.schema import schema
from fleet.telemetry import MAX_AHEAD, MAX_BEHIND, MAX_PAYLOAD_BYTES, Event, Presence, Telemetry
from fleet.topics import Channel
from tellergrid.commands import contract, rules

REFERENCE = Path(__file__).parents[3] / "docs/reference"
CONTRACT = (REFERENCE / "wire-contract.md").read_text()
EXAMPLES = {
    "telemetry.json": Channel.TELEMETRY,
    "telemetry-healthy.json": Channel.TELEMETRY,
    "event.json": Channel.EVENT,
    "status.json": Channel.STATUS,
}


def payload(name: str) -> bytes:
    return (REFERENCE / "examples" / name).read_bytes()


def generated(page: str, command: str) -> list[str]:
    """The lines between the marks that name a command."""
    text = (REFERENCE / page).read_text()
    marked = re.search(f"<!-- begin: {re.escape(command)} -->\n(.*?)<!-- end -->", text, re.DOTALL)
    assert marked is not None
    return marked[1].strip().splitlines()


@pytest.mark.parametrize(("name", "channel"), EXAMPLES.items())
def test_each_documented_example_is_of_the_schema_and_decodes(name: str, channel: Channel) -> None:
    """What a vendor copies must be taken."""
    jsonschema.Draft202012Validator(schema(channel)).validate(json.loads(payload(name)))
    message = telemetry.decode(channel, "ATM-0001", payload(name))
    assert isinstance(message, Telemetry | Event | Presence)
    if isinstance(message, Telemetry):
        read = snapshot.read(message.status, message.storage)
        assert read.unknown == ()
        assert snapshot.read_metrics(message.metrics).extra == {}


def test_the_documented_examples_tell_one_story() -> None:
    """An event, the jam and the repair, in the order of one boot."""
    messages: list[dict[str, Any]] = [
        json.loads(payload(name)) for name in ("event.json", "telemetry.json")
    ]
    messages.append(json.loads(payload("telemetry-healthy.json")))
    assert [message["seq"] for message in messages] == [1, 2, 3]
    assert {message["boot"] for message in messages} == {17}
    jammed, healthy = (message["status"]["cardReader"]["media"] for message in messages[1:])
    assert (jammed, healthy) == ("jammed", "notPresent")


@pytest.mark.parametrize(
    "text", re.findall(r"```json\n(.*?)```", CONTRACT, re.DOTALL) or ["none found"]
)
def test_each_message_on_the_page_of_the_contract_is_json(text: str) -> None:
    """They are presence messages."""
    message = telemetry.decode(Channel.STATUS, "ATM-0001", text.strip().encode())
    assert isinstance(message, Presence)


def test_the_vocabulary_in_the_reference_is_that_of_the_code() -> None:
    """Made by `tellergrid contract vocabulary`; a difference means: make it again."""
    shown = generated("wire-contract.md", "tellergrid contract vocabulary")
    assert shown == list(contract.vocabulary_table())


def test_the_rules_in_the_reference_are_those_of_the_default_catalogue() -> None:
    """Made by `tellergrid rules list --markdown`; a difference means: make it again."""
    shown = generated("rules.md", "tellergrid rules list --markdown")
    assert shown == list(rules.markdown_table(load()))


def test_every_reason_for_quarantine_is_explained() -> None:
    """And no other."""
    section = CONTRACT.partition("## What is refused")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == [*map(str, Reason)]


def test_the_limits_on_the_page_are_those_of_the_code() -> None:
    """64 KiB, an hour ahead, thirty days behind."""
    assert f"**{MAX_PAYLOAD_BYTES // 1024} KiB**" in CONTRACT
    assert f"**{int(MAX_AHEAD.total_seconds() // 3600)} hour ahead**" in CONTRACT
    assert f"**{MAX_BEHIND.days} days behind**" in CONTRACT
