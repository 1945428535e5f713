"""The registry of terminals from a file."""

from datetime import UTC, datetime

import pytest

from fleet.grid import registry
from fleet.grid.datum import Datum, from_wgs84

HEAD = "code,kind,vendor,model,region,site,latitude,longitude,datum,cell,commissioned_at\n"


def test_a_row_is_a_terminal() -> None:
    """As a spreadsheet saves it, with a byte order mark; every column used."""
    text = "\ufeff" + HEAD + "A-1,atm,v,m,r,Main St,30.1,120.1,,C1,2026-01-01T00:00:00+08:00\r\n"
    [one], problems = registry.read(text)
    assert problems == []
    assert (one.code, one.site, one.cell) == ("A-1", "Main St", "C1")
    assert (one.latitude, one.longitude) == (30.1, 120.1)
    assert one.commissioned_at == datetime(2025, 12, 31, 16, tzinfo=UTC)


@pytest.mark.parametrize("named", ["GCJ-02", "gcj02", "BD-09"])
def test_each_row_may_name_its_datum(named: str) -> None:
    """Otherwise it is the file's."""
    datum = Datum(named.lower().replace("-", ""))
    x, y = from_wgs84((120.1, 30.1), datum)
    text = HEAD + f"A-1,atm,v,m,r,s,{y},{x},{named},,\nA-2,atm,v,m,r,s,30.1,120.1,WGS 84,,\n"
    terminals, problems = registry.read(text, Datum.GCJ02)
    assert problems == []
    for one in terminals:
        assert (one.latitude, one.longitude) == pytest.approx((30.1, 120.1), abs=1e-9)


def test_everything_wrong_is_said_at_once() -> None:
    """Each with its line."""
    text = HEAD + (
        "A-1,atm,v,m,r,s,30,120,,,\n"
        "A-1,atm,v,m,r,s,30,120,,,\n"
        "A-2,fridge,v,m,r,s,30,120,,,\n"
        "A-3,atm,v,m,,s,30,,,,\n"
        "A-4,atm,v,m,r,s,91,120,,,\n"
        "A-5,atm,v,m,r,s,30,120,mars,,\n"
        "A/6,atm,v,m,r,s,30,120,,,\n"
        "A-7,atm,v,m,r,s,30,120,,,yesterday\n"
    )
    terminals, problems = registry.read(text)
    assert [one.code for one in terminals] == ["A-1"]
    assert [one.where for one in problems] == [f"line {n}" for n in range(3, 10)]
    _, missing = registry.read("code,kind\n")
    assert len(missing) == 6


@pytest.mark.parametrize("name", ["a/b", "+", "#", "=1+1", "A 1", "A\n1", "-1", "r" * 65])
def test_a_name_that_no_topic_can_have_is_refused(name: str) -> None:
    """Of a region too: nobody could subscribe to it, and the terminal could never speak."""
    for code, region in (("A-1", name), (name, "r")):
        terminals, problems = registry.read(HEAD + f'"{code}",atm,v,m,"{region}",s,30,120,,,\n')
        assert terminals == []
        assert [one.what for one in problems if "cannot stand in a topic" in one.what]


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_time_that_no_answer_can_tell_is_refused(at: str) -> None:
    """In UTC it is of no year that there is: stored, it would keep the list from being read."""
    terminals, [problem] = registry.read(HEAD + f"A-1,atm,v,m,r,s,30,120,,,{at}\n")
    assert (terminals, problem.where) == ([], "line 2")


def test_what_is_no_csv_is_refused() -> None:
    """A quote that is never closed makes all that follows one field, longer than any may be."""
    terminals, [problem] = registry.read(HEAD + 'A-1,atm,"v,' + "m" * 140_000)
    assert (terminals, problem.where) == ([], "line 2")


def test_a_text_with_a_comma_moves_no_terminal() -> None:
    """Unquoted it shifts what follows: the house number was its latitude."""
    row = "A-1,atm,v,m,r,Harbour Road,5,30.1,120.1,,,\n"
    terminals, [problem] = registry.read(HEAD + row)
    assert (terminals, problem.where) == ([], "line 2")
    assert "more fields than columns" in problem.what
    quoted, problems = registry.read(HEAD + row.replace("Harbour Road,5", '"Harbour Road,5"'))
    assert ([one.site for one in quoted], problems) == (["Harbour Road,5"], [])


def test_a_column_that_is_there_twice_is_refused() -> None:
    """Of two sites nobody knows which is meant."""
    twice = HEAD.replace("vendor", "site")
    _, problems = registry.read(twice + "A-1,atm,s,m,r,other,30,120,,,\n")
    assert [one.what for one in problems] == ["there is no column vendor"]
    twice = HEAD.strip() + ",site\n"
    _, problems = registry.read(twice + "A-1,atm,v,m,r,s,30,120,,,,other\n")
    assert [one.what for one in problems] == ["there is more than one column 'site'"]


@pytest.mark.parametrize("column", ["vendor", "model", "site"])
def test_texts_are_as_long_as_over_http(column: str) -> None:
    """One of a hundred thousand characters was stored, and stood in every list."""
    values = dict.fromkeys(("vendor", "model", "site"), "x")
    for length, taken in ((200, 1), (201, 0)):
        row = values | {column: "x" * length}
        text = HEAD + f"A-1,atm,{row['vendor']},{row['model']},r,{row['site']},30,120,,,\n"
        terminals, problems = registry.read(text)
        assert (len(terminals), len(problems)) == (taken, 1 - taken)
    assert problems[0].what == f"{column} has 201 characters, of 200 at the most"


def test_a_skill_is_no_longer_than_a_code() -> None:
    """As over HTTP."""
    text = HEAD.strip() + ",skills\nA-1,atm,v,m,r,s,30,120,,,,cash " + "x" * 65 + "\n"
    terminals, [problem] = registry.read(text)
    assert (terminals, problem.where) == ([], "line 2")
    assert "more than 64 characters" in problem.what


def test_a_nul_is_refused_with_its_line() -> None:
    """No database keeps it in a text."""
    terminals, [problem] = registry.read(HEAD + "A-1,atm,v,m,r,s\0,30,120,,,\n")
    assert terminals == []
    assert (problem.where, problem.what) == ("line 2", "has a NUL in it")
