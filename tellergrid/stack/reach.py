"""How a command reaches what runs: by the environment, else by the stack that `up` started here."""

from fleet.mqtt import Broker
from tellergrid.settings import Settings
from tellergrid.stack import record
from tellergrid.stack.errors import NothingRunsError, StackError
from tellergrid.stack.home import existing_home
from tellergrid.stack.record import Record


def stack() -> Record:
    """What `stack.json` of this home says; raises `NothingRunsError` when there is none."""
    home = existing_home(Settings().home)
    found = record.read(home) if home is not None else None
    if found is None:
        raise NothingRunsError(
            "nothing was started here: run tellergrid up, or set TELLERGRID_HOME."
        )
    return found


def database_url() -> str:
    """The database's URL."""
    return Settings().database_url or stack().database.url


def broker() -> Broker:
    """The broker, with an account that may speak for every terminal; raises `StackError`."""
    settings = Settings()
    url = settings.broker_url or stack().broker.accounts["tester"].url
    try:
        return settings.broker_at(url)
    except ValueError as error:
        raise StackError(str(error)) from error
