"""How the parts reach one another: addresses, accounts, and each service's environment."""

import sys
from dataclasses import dataclass

from fleet.mqtt.broker import Broker
from fleet.mqtt.credentials import terminal_password
from tellergrid.engines.locate import Engines
from tellergrid.settings import Settings
from tellergrid.stack.errors import StackError
from tellergrid.stack.home import Home
from tellergrid.stack.logins import API_ROLE
from tellergrid.stack.mosquitto import SERVICE_ACCOUNTS, BrokerFiles
from tellergrid.stack.ports import LOOPBACK
from tellergrid.stack.postgres import Cluster
from tellergrid.stack.process import Program
from tellergrid.stack.record import BrokerAccount, BrokerAddress
from tellergrid.stack.vault import Vault


@dataclass(frozen=True, slots=True)
class Fleet:
    """The demo fleet asked for."""

    terminals: int
    cells: int | None
    seed: int


@dataclass(frozen=True, slots=True)
class Wiring:
    """One start's choices; what follows from them is asked of it."""

    settings: Settings
    home: Home
    vault: Vault
    engines: Engines

    @property
    def cluster(self) -> Cluster | None:
        """The embedded database, unless another is named."""
        if self.engines.postgres is None:
            return None
        return Cluster(
            self.engines.postgres,
            self.home.database / "data",
            self.settings.database_port,
            self.vault.database,
            self.home.rights,
        )

    @property
    def broker_files(self) -> BrokerFiles | None:
        """The embedded broker, unless another is named."""
        if self.engines.mosquitto is None:
            return None
        return BrokerFiles(
            self.engines.mosquitto, self.home.broker, self.settings.broker_port, self.home.rights
        )

    @property
    def database_url(self) -> str:
        """Where the database is."""
        if (cluster := self.cluster) is not None:
            return cluster.url()
        if self.settings.database_url is None:
            raise StackError("There is no database: no engine, and no TELLERGRID_DATABASE_URL.")
        return self.settings.database_url

    @property
    def api_database_password(self) -> str | None:
        """What the api's own role logs in with; at a database named from outside, it has none."""
        return None if self.cluster is None else self.vault.api_database

    @property
    def api_database_url(self) -> str:
        """Where the api finds the database; at one named from outside, with the account given."""
        if (cluster := self.cluster) is not None:
            return cluster.url_as(API_ROLE, self.vault.api_database)
        return self.database_url

    @property
    def broker(self) -> BrokerAddress:
        """Where the broker is; at one named from outside, all of us share the account given."""
        if self.broker_files is None:
            return _named_broker(self.settings.broker_url)
        port = self.settings.broker_port
        accounts = {}
        for name in SERVICE_ACCOUNTS:
            password = self.vault.broker(name)  # of letters that need no quoting in a URL
            url = f"mqtt://{name}:{password}@{LOOPBACK}:{port}"
            accounts[name] = BrokerAccount(name, password, url)
        return BrokerAddress(LOOPBACK, port, accounts)

    @property
    def terminal_secret(self) -> str:
        """What terminals' passwords are derived from."""
        given = self.settings.terminal_secret
        return self.vault.terminal if given is None else given.get_secret_value()

    @property
    def audit_key(self) -> str:
        """What the audit's heads are signed with."""
        given = self.settings.audit_key
        return self.vault.audit if given is None else given.get_secret_value()

    def broker_passwords(self, terminals: tuple[str, ...]) -> dict[str, str]:
        """Everybody the embedded broker lets in, with their passwords."""
        services = {name: self.vault.broker(name) for name in SERVICE_ACCOUNTS}
        fleet = {name: terminal_password(self.terminal_secret, name) for name in terminals}
        return services | fleet

    def collector(self) -> Program:
        """Say how the collector is run."""
        return self._service(
            "collector",
            database_url=self.database_url,
            TELLERGRID_COLLECTOR_HOST=self.settings.collector_host,
            TELLERGRID_COLLECTOR_PORT=str(self.settings.collector_port),
        )

    def api(self) -> Program:
        """Say how the api is run."""
        return self._service(
            "api",
            database_url=self.api_database_url,
            TELLERGRID_API_HOST=self.settings.api_host,
            TELLERGRID_API_PORT=str(self.settings.api_port),
            TELLERGRID_TOKEN_SECRET=self.vault.token,
            TELLERGRID_AUDIT_KEY=self.audit_key,
            TELLERGRID_AUDIT_FOLDER=str(self.home.audit),
        )

    def simulator(self, fleet: Fleet) -> Program:
        """Say how the simulator is run."""
        arguments = ["--terminals", str(fleet.terminals), "--seed", str(fleet.seed)]
        if fleet.cells is not None:
            arguments += ["--cells", str(fleet.cells)]
        arguments += ["--state", str(self.home.simulator / "state.json")]
        return self._service(
            "simulator", *arguments, TELLERGRID_TERMINAL_SECRET=self.terminal_secret
        )

    def _service(
        self, name: str, *arguments: str, database_url: str = "", **environment: str
    ) -> Program:
        environment["TELLERGRID_BROKER_URL"] = self.broker.accounts[name].url
        # A service that needs no database is not given one, even if our own environment names it.
        environment["TELLERGRID_DATABASE_URL"] = database_url
        environment["PYTHONUNBUFFERED"] = "1"
        # -P: a folder of the same name where we were called does not shadow the service.
        command = (sys.executable, "-P", "-m", name, *arguments)
        return Program(name, command, environment)


def _named_broker(url: str | None) -> BrokerAddress:
    if url is None:
        raise StackError("There is no broker: no engine, and no TELLERGRID_BROKER_URL.")
    named = Broker.parse(url)
    account = BrokerAccount(named.username or "", named.password or "", url)
    return BrokerAddress(named.host, named.port, dict.fromkeys(SERVICE_ACCOUNTS, account))
