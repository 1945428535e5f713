"""A technician's day: in which order they go, and when they are where.

Stops have time windows: from when on one can begin, and until when somebody should be there. First
a plan is built by putting each stop, the most pressing first, where it makes the shortest detour
and keeps everybody else's time. What cannot be in time is put where it is reached soonest, what
does not end within the shift is left over. Of a few stops every order is then looked at, for the
least delay and the shortest way. Of more, PyVRP looks for the shortest way on which nobody is late;
where there is none, for one on which nobody who was in time is late, and who was late is not later
by more than a minute. The times are worked out from the order that was found.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import permutations

import pyvrp
from pyvrp.stop import MaxIterations

from fleet.dispatch.place import Place, travel_min
from fleet.sla.calendar import Span

_MINUTE = timedelta(minutes=1)
_NEVER = timedelta(days=3650)
_SEED = 1
_EXACT = 6
"""Of so few stops every order is looked at."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A site to go to, `minutes` of work there; `latest` is when somebody should be there."""

    key: str
    place: Place | None
    minutes: float
    earliest: datetime | None = None
    latest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """A stop in its place of the day."""

    stop: Stop
    travel_min: float
    arrives_at: datetime
    begins_at: datetime
    leaves_at: datetime

    @property
    def late(self) -> bool:
        """Whether it is reached later than it should be."""
        return self.stop.latest is not None and self.arrives_at > self.stop.latest


@dataclass(frozen=True, slots=True)
class DayPlan:
    """The day, in order, and what does not fit into it."""

    shift: Span
    stops: tuple[Planned, ...]
    left_over: tuple[Stop, ...]

    @property
    def travel_min(self) -> float:
        """How long they are on the way."""
        return sum(one.travel_min for one in self.stops)


def plan(
    shift: Span,
    start: Place | None,
    stops: Sequence[Stop],
    first: Sequence[Stop] = (),
) -> DayPlan:
    """The day of a shift that begins at a place; `first` is under way and stays first, in order."""
    under_way = timed(shift, start, first)
    if under_way:
        begin = min(under_way[-1].leaves_at, shift.end)
        start = under_way[-1].stop.place or start
    else:
        begin = shift.begin
    rest = Span(begin, shift.end)
    order, left_over = _inserted(rest, start, stops)
    order = (_tried if len(order) <= _EXACT else _searched)(rest, start, order)
    return DayPlan(shift, (*under_way, *timed(rest, start, order)), tuple(left_over))


def timed(shift: Span, start: Place | None, order: Sequence[Stop]) -> tuple[Planned, ...]:
    """When somebody is where who goes in that order."""
    at, here = shift.begin, start
    planned: list[Planned] = []
    for stop in order:
        travel = travel_min(here, stop.place)
        arrives = at + travel * _MINUTE
        begins = max(arrives, stop.earliest or arrives)
        leaves = begins + stop.minutes * _MINUTE
        planned.append(Planned(stop, travel, arrives, begins, leaves))
        at, here = leaves, stop.place or here
    return tuple(planned)


def _inserted(
    shift: Span, start: Place | None, stops: Sequence[Stop]
) -> tuple[list[Stop], list[Stop]]:
    """An order that keeps every window it can, and what does not fit into the shift."""
    order: list[Stop] = []
    promised: list[datetime] = []
    left_over: list[Stop] = []
    for stop in sorted(stops, key=lambda one: (one.latest or shift.end + _NEVER, one.key)):
        fitting = [
            (_merit(stop, way[at]), sum(one.travel_min for one in way), at)
            for at in range(len(order) + 1)
            if _keeps(way := timed(shift, start, _with(order, at, stop)), promised, at, shift)
        ]
        if not fitting:
            left_over.append(stop)
            continue
        *_, at = min(fitting)
        way = timed(shift, start, _with(order, at, stop))
        order.insert(at, stop)
        promised.insert(at, max(stop.latest or shift.end, way[at].arrives_at))
    return order, left_over


def _with(order: Sequence[Stop], at: int, stop: Stop) -> list[Stop]:
    return [*order[:at], stop, *order[at:]]


def _merit(stop: Stop, planned: Planned) -> float:
    """How late it is reached, in minutes: nothing for in time."""
    if stop.latest is None:
        return 0.0
    return max(0.0, (planned.arrives_at - stop.latest) / _MINUTE)


def _keeps(way: Sequence[Planned], promised: Sequence[datetime], at: int, shift: Span) -> bool:
    """Whether everybody else is reached by what they were promised, and the shift is kept."""
    others = [one for number, one in enumerate(way) if number != at]
    in_time = all(one.arrives_at <= by for one, by in zip(others, promised, strict=True))
    return in_time and way[-1].leaves_at <= shift.end


def _tried(shift: Span, start: Place | None, order: Sequence[Stop]) -> list[Stop]:
    """Of all orders that end within the shift, that of the least delay, and then travel."""
    ways = (timed(shift, start, one) for one in permutations(order))
    within = (way for way in ways if not way or way[-1].leaves_at <= shift.end)
    best = min(within, key=lambda way: (_delay(way), sum(one.travel_min for one in way)))
    return [one.stop for one in best]


def _delay(way: Sequence[Planned]) -> float:
    return round(sum(_merit(one.stop, one) for one in way), 6)


def _searched(shift: Span, start: Place | None, order: Sequence[Stop]) -> list[Stop]:
    """A better order than one that is known, if there is one."""
    known = timed(shift, start, order)
    late = any(one.late for one in known)
    in_time = _way(shift, start, order, order)
    if in_time is not None and (late or _shorter(in_time, known)):
        return [one.stop for one in in_time]
    if late:
        not_later = _way(shift, start, order, [_bound(one, shift) for one in known])
        if not_later is not None and _shorter(not_later, known):
            return [one.stop for one in not_later]
    return list(order)


def _way(
    shift: Span, start: Place | None, order: Sequence[Stop], bound: Sequence[Stop]
) -> Sequence[Planned] | None:
    """The shortest way that is found on which the windows of `bound` are kept, if there is one."""
    found = _solved(shift, start, bound)
    if found is None:
        return None
    way = timed(shift, start, [order[number] for number in found])
    return way if _kept(way, bound, shift) else None


def _bound(planned: Planned, shift: Span) -> Stop:
    """A stop that is late, with the time that it is reached by as what must be kept."""
    if not planned.late:
        return planned.stop
    return replace(planned.stop, latest=min(shift.end, planned.arrives_at + _MINUTE))


def _solved(shift: Span, start: Place | None, stops: Sequence[Stop]) -> list[int] | None:
    """The shortest way that PyVRP finds on which every window is kept, as places in `stops`."""
    model = pyvrp.Model()
    places = [model.add_location(0, 0) for _ in range(len(stops) + 2)]
    depot, end = model.add_depot(places[0]), model.add_depot(places[-1])
    for place, stop in zip(places[1:-1], stops, strict=True):
        model.add_client(
            place,
            service_duration=_ms(stop.minutes),
            tw_early=max(0, _since_ms(stop.earliest or shift.begin, shift)),
            tw_late=max(0, _since_ms(min(stop.latest or shift.end, shift.end), shift)),
        )
    model.add_vehicle_type(
        start_depot=depot, end_depot=end, tw_early=0, tw_late=_since_ms(shift.end, shift)
    )
    for row, one in enumerate(places):
        for column, other in enumerate(places):
            if row != column:
                way = _way_ms(start, stops, row, column)
                model.add_edge(one, other, distance=way, duration=way)
    found = model.solve(
        MaxIterations(100 + 4 * len(stops)), seed=_SEED, collect_stats=False, display=False
    )
    if not found.is_feasible():
        return None
    [route] = found.best.routes()
    return [visit.idx for visit in route if visit.is_client()]


def _kept(way: Sequence[Planned], bound: Sequence[Stop], shift: Span) -> bool:
    """Whether every window is kept, and the shift."""
    by = {stop.key: stop.latest or shift.end for stop in bound}
    in_time = all(one.arrives_at <= by[one.stop.key] for one in way)
    return in_time and way[-1].leaves_at <= shift.end


def _shorter(way: Sequence[Planned], known: Sequence[Planned]) -> bool:
    return sum(one.travel_min for one in way) < sum(one.travel_min for one in known)


def _way_ms(start: Place | None, order: Sequence[Stop], row: int, column: int) -> int:
    """Milliseconds between two of the model's places; the day ends where the last stop is."""
    ends = len(order) + 1
    if ends in (row, column):
        return 0
    places = [start, *(stop.place for stop in order)]
    return _ms(travel_min(places[row], places[column]))


def _ms(minutes: float) -> int:
    return round(minutes * 60_000)


def _since_ms(at: datetime, shift: Span) -> int:
    return _ms((at - shift.begin) / _MINUTE)
