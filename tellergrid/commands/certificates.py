"""`tellergrid certificates`: an authority for tests, and a certificate for each of its fleet."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from fleet import demo
from simulator.certificates import Certificates
from tellergrid.certificates import Authority
from tellergrid.console import explained, output
from tellergrid.stack.mosquitto import SERVICE_ACCOUNTS

SERVER = "broker"


def certificates(
    folder: Annotated[Path, typer.Argument(help="Where they are, or will be.")],
    terminals: Annotated[int, typer.Option(min=1, help="Terminals in the demo fleet.")] = 200,
    cells: Annotated[
        int | None, typer.Option(min=1, help="Grid cells; by default one for ten terminals.")
    ] = None,
    seed: Annotated[int, typer.Option(help="What the fleet is made from.")] = 1,
    host: Annotated[
        list[str] | None,
        typer.Option(
            help="A name or address of the broker; may be repeated. [localhost, 127.0.0.1]"
        ),
    ] = None,
    days: Annotated[int, typer.Option(min=1, help="For how long they are good.")] = 365,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Make a certificate authority and certificates for a simulated fleet, to try out mutual TLS.

    In the folder: ca.pem and ca.key, broker.pem and broker.key for the broker, and a certificate
    and a key named after each service and each terminal. What is there stays; what is missing is
    made.

    For tests: the authority's key lies beside what it signed. Ends with 0, or 1 with the reason.
    """
    with explained():
        codes = [each.code for each in demo.grid(seed, terminals, cells).terminals]
        authority = Authority(Certificates(folder), timedelta(days=days))
        made = authority.issue_server(SERVER, host or ["localhost", "127.0.0.1"])
        made += authority.issue((*SERVICE_ACCOUNTS, *codes))
    if as_json:
        output.print_json(data={"folder": str(folder), "made": made, "terminals": terminals})
    else:
        output.print(f"{made} certificates made in {folder}", markup=False)
