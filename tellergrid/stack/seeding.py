"""Brings a database to this version and puts the demo fleet and its accounts in it."""

from collections.abc import Callable, Sequence

from api.seed import SeedAccount, demo_accounts, seed
from fleet.db.migrate import migrate
from fleet.db.pool import connect
from fleet.demo import DemoGrid
from tellergrid.stack.logins import let_api_in


async def migrate_and_seed(
    url: str, grid: DemoGrid, passwords: Callable[[str], str], api_password: str | None = None
) -> Sequence[SeedAccount]:
    """Migrate, then seed what is not there yet; returns the people's accounts.

    `passwords` gives a person's password by username; with `api_password` the api gets a log-in of
    its own.
    """
    accounts = demo_accounts(grid, passwords)
    connection = await connect(url, name="up", autocommit=True)
    try:
        await migrate(connection)
        if api_password is not None:
            await let_api_in(connection, api_password)
        await seed(connection, grid, accounts)
    finally:
        await connection.close()
    return accounts
