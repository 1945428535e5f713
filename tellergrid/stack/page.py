"""The page `tellergrid up` ends with: addresses, accounts, what to try."""

from api.headers import DOCS
from fleet import demo
from tellergrid.stack.home import Home
from tellergrid.stack.record import Account, Record

_SHOWN_TECHNICIANS = 2


def page(record: Record, home: Home, command: str) -> str:
    """Render the page; `command` is how `tellergrid` is called from the reader's shell."""
    return "\n\n".join(
        (
            f"Tellergrid is up, with {_fleet(record)}.",
            _addresses(record, home),
            _accounts(record, home),
            _to_try(record, command),
        )
    )


def _fleet(record: Record) -> str:
    if not record.simulator:
        return f"{record.terminals} registered terminals and no simulator"
    return f"{record.terminals} simulated terminals (seed {record.seed})"


def _addresses(record: Record, home: Home) -> str:
    return (
        f"  api        {record.api.url}{DOCS}\n"
        f"  broker     mqtt://{record.broker.host}:{record.broker.port} (MQTT 5)\n"
        f"  metrics    {record.collector.url}/metrics, {record.api.url}/metrics\n"
        f"  the database's URL, the broker's accounts and every password: {home.record}"
    )


def _accounts(record: Record, home: Home) -> str:
    technicians = [account for account in record.accounts if account.role == "technician"]
    others = [account for account in record.accounts if account.role != "technician"]
    shown = [*others, *technicians[:_SHOWN_TECHNICIANS]]
    lines = ["Accounts of the api:", *(f"  {_line(account)}" for account in shown)]
    if (hidden := len(technicians) - _SHOWN_TECHNICIANS) > 0:
        lines.append(f"  and {hidden} more technicians in {home.record.name}")
    return "\n".join(lines)


def _line(account: Account) -> str:
    return f"{account.username:<8} {account.password:<14} {account.role}"


def _to_try(record: Record, command: str) -> str:
    terminal = demo.grid(record.seed, record.terminals, record.cells).terminals[0]
    tries = [
        (f"break {terminal.code} cardReader.media=jammed", "a card is stuck"),
        ("status", "a fault and its ticket, after the rule's hold time"),
        (f"repair {terminal.code}", "the fault clears, the ticket resolves itself"),
    ]
    tries = tries if record.simulator else tries[1:2]
    tries += [("logs -f", "what each part says"), ("down", "stops all of it; the data stay")]
    width = max(len(arguments) for arguments, _ in tries)
    lines = [f"  {command} {arguments:<{width}}  {what}" for arguments, what in tries]
    return "\n".join((f"To try (terminal {terminal.code} stands in cell {terminal.cell}):", *lines))
