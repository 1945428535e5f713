"""The api's SQL: whoever reads what belongs to a cell says for whom."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import api
from fleet.db.sql import load

ROOT = Path(api.__file__).parent

# What belongs to cells: reading it is a matter of scope.
OF_CELLS = re.compile(
    r"\b(FROM|JOIN)\s+(cell|terminal|terminal_card|terminal_cell|terminal_state|service_interval"
    r"|fault|fault_card|fault_change|ticket|ticket_card|ticket_transition|technician|technician_cell)\b"
)

# Statements that serve the system itself, not somebody who asks; each with why.
FOR_NOBODY = {
    "accounts.store": {
        "to_sign_in": "who it is, is not known yet",
        "caller": "finds out what the scope is",
    },
    "accounts.management": dict.fromkeys(("accounts", "create"), "admins keep all accounts"),
    "tickets.store": {"counts": "metrics of the whole, for operators"},
    "tickets.writing": dict.fromkeys(("as_seen", "move"), "writes what `moves` has found in scope"),
    "tickets.engine": dict.fromkeys(
        (
            *("wanting", "raise_tickets", "causes", "not_accepted"),
            *("deserted", "left_alone", "out_of_sight"),
        ),
        "the engine serves every cell",
    ),
    "dispatch.people": dict.fromkeys(("people", "surroundings"), "the engine serves every cell"),
    "dispatch.jobs": {"jobs": "the engine serves every cell"},
    "technicians.enrolling": dict.fromkeys(
        ("standing", "cells", "terminal_skills", "leave_cells", "enter_cells", "write_shifts"),
        "the command line serves every cell",
    ),
    "technicians.absences": {"put_down": "its route has found the technician in scope"},
    "uptime.summing": dict.fromkeys(("first_record", "sum"), "sums are made of every cell"),
    "windows.holding": {"covered": "the engine serves every cell"},
    "tickets.carrying": {"carry": "what is to do goes along, whoever sees it"},
    "tickets.clocks": {"live": "the clocks are watched for every cell"},
    "notifications.store": {"happened": "the notifier serves every cell"},
    "grid.store": dict.fromkeys(
        (
            *(
                "end_uses",
                "begin_uses",
                "technicians",
                "dismiss_people",
                "appoint_people",
                "placed",
            ),
            *("forget_memberships", "end_memberships", "begin_memberships", "registered"),
            "out_of_fleet",
        ),
        "operations draw the whole grid",
    ),
    "seed": dict.fromkeys(
        ("leave_cells", "enter_cells", "technician_cells", "accounts"), "writes the demo"
    ),
}


def statements() -> Iterator[tuple[str, str, str]]:
    """Every statement of the api: its file, its name, itself."""
    for path in sorted(ROOT.rglob("*.sql")):
        folder = path.parent.relative_to(ROOT)
        package = ".".join(("api", *folder.parts))
        file = ".".join((*folder.parts, path.stem))
        for name, statement in load(package, path.stem).items():
            yield file, name, statement


STATEMENTS = {f"{file}: {name}": (file, name, text) for file, name, text in statements()}


@pytest.mark.parametrize("which", STATEMENTS)
def test_whoever_reads_of_cells_says_for_whom(which: str) -> None:
    """Each statement that reads of cells takes the caller's scope, or is excused by name."""
    file, name, text = STATEMENTS[which]
    code = "\n".join(line.partition("--")[0] for line in text.splitlines())
    if name in FOR_NOBODY.get(file, {}):
        assert "%(scope)s" not in code, "it needs no excuse"
    elif OF_CELLS.search(code):
        assert "%(scope)s" in code


def test_every_excuse_is_for_a_statement_that_is_there() -> None:
    """Excuses do not outlive their statements."""
    there = {(file, name) for file, name, _ in STATEMENTS.values()}
    assert {(file, name) for file, names in FOR_NOBODY.items() for name in names} <= there


def test_sql_is_in_files_alone() -> None:
    """No statement hides in the code."""
    words = re.compile(r"[\"'](SELECT|INSERT|UPDATE|DELETE|NOTIFY|LISTEN)\b")
    hidden = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in ROOT.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if words.search(line)
    ]
    assert hidden == []
