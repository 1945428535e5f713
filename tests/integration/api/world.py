"""A small grid for the api's tests, and faults as a collector would write them.

D01 ── C001: ATM-1, ATM-2     T01 answers for C001 (cash, card)
    └─ C002: ATM-3            T02 answers for D01 (cash, card, printer)
D02 ── C003: ATM-4, KSK-5     T03 answers for C003 (everything)
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from fleet.demo import DemoCell, DemoGrid, DemoTechnician, DemoTerminal

SQUARE = ((120.0, 30.0), (120.1, 30.0), (120.1, 30.1), (120.0, 30.0))
EVERY_SKILL = ("cash", "card", "printer", "electronics", "network", "security")
BEGAN = datetime(2026, 11, 23, 8, tzinfo=UTC)


def _terminal(code: str, cell: str) -> DemoTerminal:
    region = "region-02" if cell == "C003" else "region-01"
    kind = "kiosk" if code.startswith("KSK") else "atm"
    return DemoTerminal(code, kind, "vendor-a", "A-100", region, cell, f"Site {cell}", 30.0, 120.0)


GRID = DemoGrid(
    regions=("region-01", "region-02"),
    cells=(
        DemoCell("D01", "District 01", 0, None, SQUARE),
        DemoCell("D02", "District 02", 0, None, SQUARE),
        DemoCell("C001", "Cell 001", 1, "D01", SQUARE),
        DemoCell("C002", "Cell 002", 1, "D01", SQUARE),
        DemoCell("C003", "Cell 003", 1, "D02", SQUARE),
    ),
    terminals=tuple(
        _terminal(code, cell)
        for code, cell in (
            ("ATM-1", "C001"),
            ("ATM-2", "C001"),
            ("ATM-3", "C002"),
            ("ATM-4", "C003"),
            ("KSK-5", "C003"),
        )
    ),
    technicians=(
        DemoTechnician("T01", "Technician 01", ("C001",), ("cash", "card")),
        DemoTechnician("T02", "Technician 02", ("D01",), ("cash", "card", "printer")),
        DemoTechnician("T03", "Technician 03", ("C003",), EVERY_SKILL),
    ),
)


def password(username: str) -> str:
    return f"the password of {username}"


@dataclass(frozen=True, slots=True)
class SomeFault:
    """A fault as the collector stores it; of a terminal, or with `terminal` empty of its cell."""

    terminal: str = "ATM-1"
    cell: str = "C001"
    rule: str = "card_reader_jammed"
    skill: str = "card"
    severity: str = "major"
    item: str = ""
    began: datetime = BEGAN
    suppressed_by: UUID | None = None

    @property
    def values(self) -> dict[str, object]:
        return {
            "scope": "terminal" if self.terminal else "cell",
            "subject": self.terminal or self.cell,
            "terminal": self.terminal,
            "cell": self.cell,
            "rule": self.rule,
            "item": self.item,
            "severity": self.severity,
            "skill": self.skill,
            "began": self.began,
            "suppressed_by": self.suppressed_by,
        }


CELL_OUTAGE = SomeFault(terminal="", rule="cell_outage", skill="card", severity="critical")

_FIRE = """
    INSERT INTO fault (id, scope, subject, terminal_id, cell_code, rule, item, severity, component,
        impact, title, remedy, skill, line, parts, started_at, fired_at, suppressed_by, catalogue)
    VALUES (%(id)s, %(scope)s, %(subject)s, (SELECT id FROM terminal WHERE code = %(terminal)s),
        %(cell)s, %(rule)s, %(item)s, %(severity)s, 'cardReader', 'out_of_service',
        'Card reader jammed', 'Remove the card.', %(skill)s, 2, '{rollers}', %(began)s, %(began)s,
        %(suppressed_by)s, '1+test')
"""
_CHANGE = "INSERT INTO fault_change (fault_id, change, at) VALUES (%s, %s, now())"


async def fire(
    connection: AsyncConnection[TupleRow], fault: SomeFault | None = None, *, notify: bool = True
) -> UUID:
    """Store a fault that fired, and notify, as the collector does."""
    key = uuid4()
    async with connection.transaction():
        await connection.execute(_FIRE, (fault or SomeFault()).values | {"id": key})
        await connection.execute(_CHANGE, (key, "fired"))
        if notify:
            await connection.execute("NOTIFY fault")
    return key


async def clear(connection: AsyncConnection[TupleRow], fault: UUID) -> None:
    """Store that a fault cleared."""
    async with connection.transaction():
        await connection.execute("UPDATE fault SET cleared_at = now() WHERE id = %s", (fault,))
        await connection.execute(_CHANGE, (fault, "cleared"))
        await connection.execute("NOTIFY fault")


async def suppress(
    connection: AsyncConnection[TupleRow], fault: UUID, speaker: UUID | None
) -> None:
    """Store that a cell fault speaks for a fault now, or with `None` no longer."""
    async with connection.transaction():
        await connection.execute(
            "UPDATE fault SET suppressed_by = %s WHERE id = %s", (speaker, fault)
        )
        await connection.execute(_CHANGE, (fault, "suppressed" if speaker else "released"))
        await connection.execute("NOTIFY fault")


def at_minute(minute: float) -> datetime:
    """So many minutes after everything began."""
    return BEGAN + timedelta(minutes=minute)


def elsewhere(fault: SomeFault) -> SomeFault:
    """The same in the cell that the technicians of D01 do not see."""
    return replace(fault, terminal=fault.terminal and "ATM-4", cell="C003")
