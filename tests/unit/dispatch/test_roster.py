"""Technicians from a file."""

import pytest

from fleet.dispatch.place import Place
from fleet.dispatch.roster import read, shifts
from fleet.sla.calendar import Hours

FILE = """\
code,name,skills,cells,lines,home_latitude,home_longitude,zone,shifts,most_visits
T01,Technician 01,cash card,C001 C002,2,30.25,120.16,Asia/Shanghai,Mon-Tue 08:00-17:00,6
T02,Technician 02,card,C001,,,,,,
"""


def test_a_file_is_read() -> None:
    """What it does not say is both lines, no home, always on shift, eight visits."""
    people, problems = read(FILE)
    assert problems == []
    first, second = people
    assert (first.code, first.name, first.skills, first.cells) == (
        *("T01", "Technician 01", ("cash", "card"), ("C001", "C002")),
    )
    assert (first.lines, first.home, first.zone) == ((2,), Place(30.25, 120.16), "Asia/Shanghai")
    assert first.shifts == (Hours(1, 480, 1020), Hours(2, 480, 1020))
    assert (first.most_visits, second.most_visits) == (6, 8)
    assert (second.lines, second.home, second.zone, second.shifts) == ((1, 2), None, "UTC", ())


def test_a_shift_goes_on_past_midnight_and_over_the_end_of_the_week() -> None:
    """From Saturday night to Sunday night; overlapping hours are one."""
    assert shifts("Sat-Sun 22:00-06:00; sun 05:00-07:00") == (
        *(Hours(1, 0, 360), Hours(6, 1320, 1440), Hours(7, 0, 420), Hours(7, 1320, 1440)),
    )
    assert shifts("Mon 00:00-24:00") == (Hours(1, 0, 1440),)


WRONG = {
    "T01,,card,C1,,,,,,": "name must not be empty",
    "T 01,x,card,C1,,,,,,": "has a space",
    "T01,x,card,C1,3,,,,,": "lines '3'",
    "T01,x,card,C1,,91,0,,,": "not in degrees",
    "T01,x,card,C1,,north,0,,,": "not two numbers",
    "T01,x,card,C1,,,,Mars/Base,,": "no IANA time zone",
    "T01,x,card,C1,,,,,Mon 8-17,": "8 is no time of day",
    "T01,x,card,C1,,,,,Mon 08:60-17:00,": "08:60 is no time of day",
    "T01,x,card,C1,,,,,Monday 08:00-17:00,": "is not like",
    "T01,x,card,C1,,,,,Mon-Fry 08:00-17:00,": "fry is none of",
    "T01,x,card,C1,,,,,,0": "most_visits '0'",
    "T01,x\0,card,C1,,,,,,": "has a NUL",
    f"T01,{'x' * 201},card,C1,,,,,,": "name has 201 characters",
}


@pytest.mark.parametrize("row", WRONG)
def test_what_is_wrong_is_named_with_its_line(row: str) -> None:
    """Nobody comes of such a row."""
    people, problems = read(FILE.splitlines()[0] + "\n" + row + "\n")
    assert people == []
    [problem] = problems
    assert problem.where == "line 2"
    assert WRONG[row] in problem.what


def test_columns_are_needed_and_known_and_codes_stand_once() -> None:
    """Everything that is wrong is told at once."""
    _, missing = read("code,name\n")
    assert [one.what for one in missing] == [
        *("there is no column skills", "there is no column cells"),
    ]
    _, others = read("code,name,skills,cells,shoes\nT1,x,card,C1,44\nT1,y,card,C1,43\n")
    assert [one.what for one in others] == [
        *("there is no use for a column 'shoes'", "T1 stands in the file before"),
    ]


def test_what_is_no_csv_is_refused() -> None:
    """A quote that is never closed makes all that follows one field, longer than any may be."""
    people, [problem] = read(FILE + 'T03,"x,' + "y" * 140_000)
    assert [one.code for one in people] == ["T01", "T02"]
    assert (problem.where, "cannot be read as CSV" in problem.what) == ("line 4", True)


def test_a_name_with_a_comma_does_not_shift_what_follows() -> None:
    """Unquoted it is a field too many."""
    people, [problem] = read("code,cells,skills,name\nT01,C1,card,Wang, Li\n")
    assert (people, problem.where) == ([], "line 2")
    assert "more fields than columns" in problem.what
