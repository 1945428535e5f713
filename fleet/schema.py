"""The wire contract as JSON Schema (2020-12): every message with its whole vocabulary.

Known values stand as an enumeration beside plain text, because vendors extend: what is not in the
enumeration is kept and counted, and so is every property that the schema does not name.
"""

from collections.abc import Iterator
from inspect import cleandoc
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec

from fleet.components import Metrics, OneOf, Status, Storage
from fleet.telemetry import Event, Presence, Resend, Reset, Result, Telemetry
from fleet.topics import ROOT, Channel

DIALECT = "https://json-schema.org/draft/2020-12/schema"
EXTENSIBLE = "Known values; others are kept and counted."

Schema = dict[str, Any]

# What the decoder leaves raw in a telemetry message, and what stands there.
_RAW: dict[str, tuple[object, object]] = {
    "status": (Status, msgspec.NODEFAULT),
    "storage": (Storage, []),
    "metrics": (Metrics, Metrics()),
}


def schema(channel: Channel | None = None) -> Schema:
    """The schema of the messages of one channel, or of all of them."""
    chosen = list(Channel) if channel is None else [channel]
    types = [kind for one in chosen for kind in _MESSAGES[one]]
    references, definitions = msgspec.json.schema_components(
        types, schema_hook=_anything, ref_template="#/$defs/{name}"
    )
    for kind in _structs(types):
        definition = definitions[kind.__name__]
        definition["description"] = cleandoc(definition["description"])
        _add_known_values(kind, definition["properties"])
    name = "messages" if channel is None else channel.value
    return {
        "$schema": DIALECT,
        "$id": f"urn:tellergrid:{ROOT.replace('/', ':')}:{name}",
        "title": f"{ROOT}/{{region}}/{{terminal}}/{name if channel else '{channel}'}",
        **(references[0] if len(references) == 1 else {"anyOf": list(references)}),
        "$defs": definitions,
    }


def _read_telemetry() -> type[msgspec.Struct]:
    """`Telemetry` as it is once its raw parts are read."""
    hints = get_type_hints(Telemetry, include_extras=True)
    fields: list[tuple[str, Any, Any]] = []
    for field in msgspec.structs.fields(Telemetry):
        kind, default = _RAW.get(field.name, (hints[field.name], field.default))
        fields.append((field.name, kind, default))
    return msgspec.defstruct("Telemetry", fields, namespace={"__doc__": Telemetry.__doc__})


_MESSAGES: dict[Channel, tuple[type[msgspec.Struct], ...]] = {
    Channel.STATUS: (Presence,),
    Channel.TELEMETRY: (_read_telemetry(),),
    Channel.EVENT: (Event,),
    Channel.COMMAND: (Resend, Reset),
    Channel.RESULT: (Result,),
}


def _anything(_: type) -> Schema:
    return {"description": "any JSON"}


def _structs(hints: list[Any]) -> Iterator[type[msgspec.Struct]]:
    """Every struct among some types and in their fields, each once."""
    seen: set[type] = set()
    waiting = list(hints)
    while waiting:
        hint = waiting.pop()
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            if hint not in seen:
                seen.add(hint)
                yield hint
                waiting += get_type_hints(hint).values()
        else:
            waiting += get_args(hint)


def _add_known_values(kind: type[msgspec.Struct], properties: dict[str, Schema]) -> None:
    hints = get_type_hints(kind, include_extras=True)
    for field in msgspec.structs.fields(kind):
        marks = (
            get_args(hints[field.name])[1:] if get_origin(hints[field.name]) is Annotated else ()
        )
        for mark in marks:
            if isinstance(mark, OneOf):
                shape = properties[field.encode_name]
                shape["anyOf"] = [{"enum": list(mark.values)}, *shape["anyOf"]]
                shape["description"] = EXTENSIBLE
