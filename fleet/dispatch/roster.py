"""The roster of technicians from a CSV file: what they can do, where, when they work."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from zoneinfo import available_timezones

from fleet.dispatch.place import Place
from fleet.grid.cell import Problem
from fleet.sheet import Sheet, check_length
from fleet.sla.calendar import Hours

REQUIRED = ("code", "name", "skills", "cells")
OPTIONAL = ("lines", "home_latitude", "home_longitude", "zone", "shifts", "most_visits")
MOST_VISITS = 8
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CODE = re.compile(r"[^\s/,;]{1,64}")
_SHIFT = re.compile(r"(?P<first>[a-z]{3})(-(?P<last>[a-z]{3}))? (?P<from>\S+)-(?P<to>\S+)")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
_DAY_MIN = 24 * 60


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A technician as the file has them; without `shifts` they are always on shift."""

    code: str
    name: str
    skills: tuple[str, ...]
    cells: tuple[str, ...]
    lines: tuple[int, ...]
    home: Place | None
    zone: str
    shifts: tuple[Hours, ...]
    most_visits: int


def read(text: str) -> tuple[list[Enrolled], list[Problem]]:
    """The technicians of a file and all that is wrong with it; a bad row gives nobody."""
    sheet = Sheet(text, REQUIRED, OPTIONAL)
    found: dict[str, Enrolled] = {}
    for where, row in sheet.rows():
        try:
            one = _enrolled(row)
        except ValueError as error:
            sheet.problems.append(Problem(where, str(error)))
            continue
        if one.code in found:
            sheet.problems.append(Problem(where, f"{one.code} stands in the file before"))
        found[one.code] = one
    return list(found.values()), sheet.problems


def _enrolled(row: Mapping[str, str | None]) -> Enrolled:
    """One row; raises `ValueError`."""
    values = {name: (row.get(name) or "").strip() for name in (*REQUIRED, *OPTIONAL)}
    empty = [name for name in REQUIRED if not values[name]]
    if empty:
        raise ValueError(f"{', '.join(empty)} must not be empty")
    check_length({"name": values["name"]})
    if not _CODE.fullmatch(values["code"]):
        raise ValueError(f"code {values['code']!r} has a space, / , or ; in it, or is too long")
    skills = tuple(values["skills"].split())
    zone = values["zone"] or "UTC"
    if zone not in available_timezones():
        raise ValueError(f"zone {zone!r} is no IANA time zone, such as Asia/Shanghai")
    return Enrolled(
        code=values["code"],
        name=values["name"],
        skills=tuple(dict.fromkeys(skills)),
        cells=tuple(dict.fromkeys(values["cells"].split())),
        lines=_lines(values["lines"]),
        home=_home(values),
        zone=zone,
        shifts=shifts(values["shifts"]),
        most_visits=_most(values["most_visits"]),
    )


def _lines(text: str) -> tuple[int, ...]:
    lines = tuple(sorted(set(text.split()))) or ("1", "2")
    if not set(lines) <= {"1", "2"}:
        raise ValueError(f"lines {text!r}: 1 is branch staff, 2 a field engineer, or both")
    return tuple(int(line) for line in lines)


def _home(values: Mapping[str, str]) -> Place | None:
    texts = values["home_latitude"], values["home_longitude"]
    if not any(texts):
        return None
    try:
        place = Place(float(texts[0]), float(texts[1]))
    except ValueError:
        raise ValueError(f"home {' '.join(texts)!r} is not two numbers") from None
    if not (-90 <= place.latitude <= 90 and -180 <= place.longitude <= 180):
        raise ValueError(f"home {' '.join(texts)!r} is not in degrees")
    return place


def _most(text: str) -> int:
    if not text:
        return MOST_VISITS
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise ValueError(f"most_visits {text!r} is no number from 1 to 100")
    return int(text)


def shifts(text: str) -> tuple[Hours, ...]:
    """Hours of weekdays, as in `Mon-Fri 08:00-17:00; Sat 22:00-06:00`; raises `ValueError`.

    What ends at or before it begins goes on past midnight.
    """
    parts = [part.strip() for part in text.split(";") if part.strip()]
    hours = sorted(
        {one for part in parts for one in _shift(part)},
        key=lambda one: (one.weekday, one.opens, one.closes),
    )
    return tuple(_merged(hours))


def _shift(text: str) -> Iterator[Hours]:
    parts = _SHIFT.fullmatch(text.lower())
    if parts is None:
        raise ValueError(f"shift {text!r} is not like Mon-Fri 08:00-17:00")
    days = [parts["first"], parts["last"] or parts["first"]]
    if unknown := [day for day in days if day not in _DAYS]:
        raise ValueError(f"shift {text!r}: {unknown[0]} is none of {', '.join(_DAYS)}")
    first, last = (_DAYS.index(day) for day in days)
    opens, closes = _minutes(parts["from"], text), _minutes(parts["to"], text)
    for number in range(first, last + 1 if last >= first else last + 8):
        weekday = number % 7 + 1
        if opens < closes:
            yield Hours(weekday, opens, closes)
        else:
            yield Hours(weekday, opens, _DAY_MIN)
            if closes:
                yield Hours(weekday % 7 + 1, 0, closes)


def _minutes(text: str, whole: str) -> int:
    clock = _CLOCK.fullmatch(text)
    minutes = int(clock[1]) * 60 + int(clock[2]) if clock else _DAY_MIN + 1
    if clock is None or int(clock[2]) >= 60 or minutes > _DAY_MIN:
        raise ValueError(f"shift {whole!r}: {text} is no time of day")
    return minutes


def _merged(hours: list[Hours]) -> Iterator[Hours]:
    """The same hours, apart: the database has one row for each beginning."""
    standing: Hours | None = None
    for one in hours:
        if standing is None:
            standing = one
        elif one.weekday == standing.weekday and one.opens <= standing.closes:
            closes = max(one.closes, standing.closes)
            standing = Hours(standing.weekday, standing.opens, closes)
        else:
            yield standing
            standing = one
    if standing is not None:
        yield standing
