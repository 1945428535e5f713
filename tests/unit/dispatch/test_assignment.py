"""Who is sent, told as stories."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from fleet.dispatch.assignment import Reason, assign
from fleet.dispatch.fitness import Shortfall
from fleet.dispatch.technician import Technician
from fleet.dispatch.visit import Job
from fleet.sla.calendar import Calendar, Hours, Span
from tests.unit.dispatch.world import HERE, HOUR, NOW, job, near, technician

NIGHTS = Calendar("UTC", tuple(Hours(day, 0, 60 * 6) for day in range(1, 8)))


def sent(jobs: list[Job], people: list[Technician]) -> dict[int, str | None]:
    """Ticket → code of who is sent."""
    return {
        one.job.ticket_id: None if one.technician is None else one.technician.code
        for one in assign(jobs, people, NOW)
    }


SHORTFALLS: dict[Shortfall, dict[str, Any]] = {
    Shortfall.CELL: {"cells": frozenset({"C2"})},
    Shortfall.SKILL: {"skills": frozenset({"cash"})},
    Shortfall.LINE: {"lines": frozenset({1})},
    Shortfall.SHIFT: {"shifts": NIGHTS},
    Shortfall.ABSENT: {"absences": (Span(NOW - HOUR, NOW + HOUR),)},
    Shortfall.DISABLED: {"disabled": True},
    Shortfall.LOAD: {"most": 2, "visits": frozenset({"a", "b"})},
    Shortfall.REFUSED: {"id": 9},
}


@pytest.mark.parametrize("shortfall", Shortfall)
def test_nobody_is_sent_whom_something_keeps_from_it(shortfall: Shortfall) -> None:
    """Each filter alone: they stay, and the choice says why, but for who does not answer for it."""
    person = technician(1, **SHORTFALLS[shortfall])
    [choice] = assign([job(1, refused=frozenset({9}))], [person], NOW)
    assert (choice.technician, choice.reason) == (None, Reason.NOBODY)
    told = [one.fitness.shortfalls for one in choice.considered]
    assert told == ([] if shortfall is Shortfall.CELL else [(shortfall,)])


def test_what_the_terminal_takes_besides_counts_as_well() -> None:
    """A vault: only whoever knows vaults is sent."""
    vaults = technician(2, skills=frozenset({"card", "vault"}))
    assert sent([job(1, also=frozenset({"vault"}))], [technician(1), vaults]) == {1: "T2"}


def test_the_own_cells_people_come_first_then_its_parents() -> None:
    """Near beats idle; the one of the district goes where nobody of the cell is free to."""
    own = technician(1, most=1)
    districts = technician(2, cells=frozenset({"D"}), place=HERE)
    assert sent([job(1)], [own, districts]) == {1: "T1"}
    assert set(sent([job(1), job(2)], [own, districts]).values()) == {"T1", "T2"}
    busy = replace(own, visits=frozenset({"elsewhere"}))
    assert sent([job(1)], [busy, districts]) == {1: "T2"}


def test_all_tickets_are_looked_at_together() -> None:
    """T2 is nearest to both, but T1 is far from the second: the sum decides, not the first."""
    people = [technician(1, place=near(2)), technician(2, place=near(1), most=1)]
    jobs = [job(1, place=near(1.5)), job(2, place=near(-20))]
    assert sent(jobs, people) == {1: "T1", 2: "T2"}


def test_work_is_shared() -> None:
    """Four tickets of two who are alike: two each."""
    people = [technician(1), technician(2)]
    given = list(sent([job(n) for n in range(4)], people).values())
    assert (given.count("T1"), given.count("T2")) == (2, 2)


def test_when_not_all_can_be_served_the_severe_are() -> None:
    """One technician with room for one: the critical ticket has them, the other says why not."""
    jobs = [job(1, severity="minor"), job(2, severity="critical")]
    minor, critical = assign(jobs, [technician(1, most=1)], NOW)
    assert (minor.technician, minor.reason) == (None, Reason.CROWDED)
    assert critical.technician is not None


def test_what_is_due_soon_is_not_queued_behind() -> None:
    """T1 has two visits to do, T2 is far but free: what is due in half an hour is T2's."""
    busy = technician(1, visits=frozenset({"a", "b"}))
    far = technician(2, place=near(12))
    assert sent([job(1)], [busy, far]) == {1: "T1"}
    assert sent([job(1, due_at=NOW + timedelta(minutes=30))], [busy, far]) == {1: "T2"}


def test_one_person_does_all_there_is_at_a_site() -> None:
    """Two tickets at one site are one visit, also where each alone would go to somebody else."""
    people = [
        technician(1),
        technician(2, skills=frozenset({"card", "cash"}), place=near(3)),
    ]
    jobs = [job(1, site="branch"), job(2, site="branch", skill="cash"), job(3)]
    assert sent(jobs, people) == {1: "T2", 2: "T2", 3: "T1"}


def test_who_goes_to_a_site_anyway_takes_what_else_is_there() -> None:
    """Even with as many visits as they may have: it is none more."""
    there = technician(1, most=1, visits=frozenset({"branch"}), place=near(9))
    [choice] = assign([job(1, site="branch")], [there, technician(2)], NOW)
    assert choice.technician is there
    assert choice.reason is Reason.SAME_SITE


def test_a_visit_takes_no_ticket_from_whoever_has_it() -> None:
    """T1 declined the second ticket of a site and has the first: they part."""
    people = [technician(1), technician(2)]
    jobs = [job(1, site="s", holder=1), job(2, site="s", refused=frozenset({1}))]
    assert sent(jobs, people) == {1: "T1", 2: "T2"}


def test_a_ticket_is_moved_only_for_a_gain_that_is_worth_it() -> None:
    """Ten minutes nearer is not; an hour is."""
    people = [technician(1, place=near(4)), technician(2)]
    assert sent([job(1, holder=1)], people) == {1: "T1"}
    assert sent([job(1, holder=1)], [technician(1, place=near(20)), people[1]]) == {1: "T2"}


def test_a_choice_says_what_each_would_cost() -> None:
    """Whoever is sent costs least, and what it is made of is there to read."""
    people = [technician(1, place=near(10)), technician(2, place=near(1))]
    [choice] = assign([job(1)], people, NOW)
    assert choice.technician is people[1]
    first, second = (one.cost for one in choice.considered)
    assert first is not None
    assert second is not None
    assert first.total > second.total
    assert second.travel == pytest.approx(2.7, abs=0.01)
    assert (second.load, second.late, second.kept, second.level) == (10, 0, 0, 0)


def test_of_many_the_nearest_are_told_and_whoever_is_sent() -> None:
    """Those of the cell have too much to do; the one of the district who goes is told of too."""
    crowd = [technician(n, most=1, visits=frozenset({"x"})) for n in range(25)]
    districts = technician(99, cells=frozenset({"D"}))
    [choice] = assign([job(1)], [*crowd, districts], NOW)
    assert choice.technician is districts
    assert (len(choice.considered), choice.others) == (21, 5)
    assert choice.reason is Reason.ONLY
