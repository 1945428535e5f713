"""`tellergrid contract`: the wire contract, for those who build terminals."""

from collections.abc import Iterator
from typing import Annotated

import typer

from fleet.schema import schema as contract_schema
from fleet.topics import Channel
from fleet.vocabulary import PROPERTIES, Property
from tellergrid.console import output

app = typer.Typer(help="The wire contract, for those who build terminals.", no_args_is_help=True)


@app.command()
def schema(
    message: Annotated[
        Channel | None, typer.Argument(help="One message; without it, all of them.")
    ] = None,
) -> None:
    """Print the JSON Schema (2020-12) of the messages, with the whole vocabulary."""
    output.print_json(data=contract_schema(message))


@app.command()
def vocabulary() -> None:
    """Print every property of a telemetry message and its known values, as Markdown."""
    for line in vocabulary_table():
        typer.echo(line)


def vocabulary_table() -> Iterator[str]:
    """The lines of the table in the reference."""
    yield "| property | type | known values |"
    yield "|---|---|---|"
    for known in PROPERTIES.values():
        yield f"| `{known.path}` | {known.kind.value} | {_values(known)} |"


def _values(known: Property) -> str:
    return ", ".join(f"`{value}`" for value in known.values)
