"""The default catalogue on the library of scenarios, on one seed: what must be found, is found.

Everything runs in virtual time and in this process; the floors are those the project promises.
"""

import re
from pathlib import Path

import pytest

from fleet.rules import catalogue
from simulator import scenario
from simulator.virtual import Course
from tellergrid.score import page
from tellergrid.score.report import Line, Report, report
from tellergrid.score.runs import START, Size, score, score_course
from tellergrid.virtual.run import play

DOCS = Path(__file__).parents[3] / "docs"
SIZE = Size(terminals=60, hours=6)
STORMY = "reconnect-storm"


@pytest.fixture(scope="module")
def library() -> Report:
    """Every scenario, six hours of sixty terminals in six cells."""
    rules = catalogue.load()
    return report(score(scenario.names(), SIZE, rules, lambda *_: None, alone=True))


def line(library: Report, name: str) -> Line:
    [found] = [each for each in library.scenarios if each.scenario == name]
    return found


def test_the_default_catalogue_finds_what_can_be_found_and_nothing_else(library: Report) -> None:
    """The floors of detection, over all scenarios together."""
    assert library.detectable > 250
    assert library.recall >= 0.99
    assert library.precision >= 0.98
    assert library.uptime_error_s_per_day < 1


def test_every_outage_of_a_cell_is_one_ticket_and_its_members_have_none(library: Report) -> None:
    """Lines cut and mains lost alike; and no ticket for a cell without an outage."""
    assert library.cell_outages > 30
    assert library.wrong_cell_tickets == 0


@pytest.mark.parametrize("name", scenario.names())
def test_each_scenario_alone_is_as_good_or_its_shortfall_is_named(
    name: str, library: Report
) -> None:
    """What falls short says so, with its reason; nothing falls short unsaid."""
    one = line(library, name)
    named = {each.kind for each in library.shortfalls if each.example.startswith(f"{name}: ")}
    assert ("missed" in named) == (one.recall < 1)
    assert ("false" in named) == (one.precision < 1)
    assert ("uptime" in named) == (one.uptime_error_s_per_day >= 1)
    assert all(each.reason for each in library.shortfalls)


def test_what_is_known_to_fall_short_is_exactly_this(library: Report) -> None:
    """No rule compares counts with payments; half open lines are noticed by the keep-alive."""
    missed = {(each.name, each.reason) for each in library.shortfalls if each.kind == "missed"}
    assert missed == {("cash-leak", "no rule of the catalogue looks for it")}
    short = {each.example.split(":")[0] for each in library.shortfalls if each.kind == "uptime"}
    assert short <= {"cell-outage", STORMY}


def test_while_the_broker_is_away_nobody_is_called_silent(library: Report) -> None:
    """The gap is ours: not one fault of the fleet's silence, and its uptime stands."""
    one = line(library, "broker-restart")
    assert one.precision == 1
    assert one.uptime_error_s_per_day < 0.1


def test_rubbish_is_set_aside_and_raises_nothing(library: Report) -> None:
    """Thousands of pieces, of every kind; not one becomes a fault."""
    one = line(library, "garbage-flood")
    assert one.quarantined > 5000
    assert one.precision == 1


def test_what_nobody_can_see_is_not_held_against_anybody(library: Report) -> None:
    """A skimmer without a trace is in the report, and counts neither way."""
    assert library.undetectable["skimmer: no sensor notices it"] > 0


def test_who_is_carried_to_another_region_is_offline_where_it_belongs() -> None:
    """There a stranger, and set aside; back at home it is asked for what it said meanwhile."""
    carried = scenario.parse(
        b"{name: carried, about: some are carried off, behaviour: {faults_per_day: 0}, story: "
        b"[{set: {elsewhere: region-01}, where: {terminals: 5}, after: 1h, for: 30m}]}",
        "carried",
    )
    course = Course(carried, 40, START.timestamp(), 3 * 3600.0, cells=20)
    rules = catalogue.load()
    played = play(course, rules, course.grid().regions, lambda _: None)
    found = score_course(course, rules, played)
    assert [fault.rule for fault in played.faults].count("offline") == 5
    assert (found.detected, found.right) == (found.detectable, found.faults)
    assert found.counts["quarantined"] > 50
    assert found.counts["missing"] == 0


def test_the_page_stands_alone_and_shows_everything(library: Report) -> None:
    """One file: no link, no script; a chart of delays and one of uptime."""
    html = page.page(library, "1+abc", 1)
    assert html == page.page(library, "1+abc", 1)
    assert html.count("<svg") == 2
    assert not re.search(r"(src|href)=|<script", html)
    for each in library.scenarios:
        assert each.scenario in html
    assert "no rule of the catalogue looks for it" in html


def test_every_scenario_is_documented() -> None:
    """A dozen and more, each with its line in the how-to."""
    text = (DOCS / "how-to" / "simulate-a-fleet.md").read_text(encoding="utf-8")
    assert len(scenario.names()) >= 12
    for name in scenario.names():
        assert f"| `{name}` |" in text, name
