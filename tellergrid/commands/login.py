"""`tellergrid login`: a token for curl, from the demo accounts of the stack that runs here."""

import shlex
from typing import Annotated

import httpx
import typer

from tellergrid.console import explained, output, refuse
from tellergrid.stack.errors import StackError
from tellergrid.stack.reach import stack
from tellergrid.stack.record import Account, Record


def login(
    username: Annotated[str, typer.Argument(help="admin, ops, tester, tech01, …")],
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Sign in at the api and print what a shell needs: eval "$(tellergrid login ops)".

    Sets TELLERGRID_API and TELLERGRID_TOKEN; the token expires by itself.
    """
    with explained():
        running = stack()
        account = _account(running, username)
        try:
            token = _sign_in(running.api.url, account)
        except httpx.HTTPError as error:
            refuse(f"the api at {running.api.url} did not sign in: {error}")
            raise typer.Exit(1) from error
    if as_json:
        output.print_json(data={"api": running.api.url, "token": token})
    else:
        typer.echo(f"export TELLERGRID_API={shlex.quote(running.api.url)}")
        typer.echo(f"export TELLERGRID_TOKEN={shlex.quote(token)}")


def _account(running: Record, username: str) -> Account:
    for account in running.accounts:
        if account.username == username:
            return account
    names = ", ".join(account.username for account in running.accounts)
    raise StackError(f"there is no demo account {username!r}; there are {names}.")


def _sign_in(api: str, account: Account) -> str:
    form = {"username": account.username, "password": account.password}
    answer = httpx.post(f"{api}/api/v1/token", data=form)
    answer.raise_for_status()
    return str(answer.json()["access_token"])
