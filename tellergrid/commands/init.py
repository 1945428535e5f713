"""`tellergrid init`: what a system under compose or Kubernetes runs once, before its services."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from fleet import demo
from fleet.db.address import SecretDatabaseUrl
from fleet.mqtt.credentials import terminal_password
from tellergrid.console import explained, output
from tellergrid.stack.mosquitto import write_accounts
from tellergrid.stack.seeding import migrate_and_seed


class InitSettings(BaseSettings):
    """The secrets of a system whose parts run elsewhere, each from TELLERGRID_<NAME>."""

    model_config = SettingsConfigDict(
        env_prefix="TELLERGRID_",
        env_ignore_empty=True,
        hide_input_in_errors=True,  # they would name the secrets beside the one that is missing
    )

    database_url: SecretDatabaseUrl
    api_database_password: SecretStr = Field(description="What the api's own role logs in with")
    demo_password: SecretStr = Field(description="The password of every account of the demo")
    terminal_secret: SecretStr
    collector_broker_password: SecretStr
    api_broker_password: SecretStr
    tester_broker_password: SecretStr
    simulator_broker_password: SecretStr


def init(
    terminals: Annotated[int, typer.Option(min=1, help="Terminals in the demo fleet.")] = 200,
    cells: Annotated[
        int | None, typer.Option(min=1, help="Grid cells; by default one for ten terminals.")
    ] = None,
    seed: Annotated[int, typer.Option(help="What the fleet is made from.")] = 1,
    broker_folder: Annotated[
        Path | None, typer.Option(help="Where to write the broker's password and access files.")
    ] = None,
) -> None:
    """Migrate a database named by its URL, seed the demo, write the broker's accounts.

    Changes only what is not so yet: it may run at every start.
    """
    settings = InitSettings()
    grid = demo.grid(seed, terminals, cells)
    with explained():
        if broker_folder is not None:
            codes = [terminal.code for terminal in grid.terminals]
            write_accounts(broker_folder, _broker_accounts(settings, codes))
        asyncio.run(
            migrate_and_seed(
                settings.database_url.get_secret_value(),
                grid,
                lambda _username: settings.demo_password.get_secret_value(),
                settings.api_database_password.get_secret_value(),
            )
        )
    output.print(f"ready: {terminals} terminals in {len(grid.cells)} cells")


def _broker_accounts(settings: InitSettings, terminals: list[str]) -> dict[str, str]:
    secret = settings.terminal_secret.get_secret_value()
    services = {
        "collector": settings.collector_broker_password,
        "api": settings.api_broker_password,
        "tester": settings.tester_broker_password,
        "simulator": settings.simulator_broker_password,
    }
    accounts = {name: password.get_secret_value() for name, password in services.items()}
    return accounts | {terminal: terminal_password(secret, terminal) for terminal in terminals}
