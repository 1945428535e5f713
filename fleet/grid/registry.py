"""The registry of terminals from a CSV file: what stands where, from which vendor."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from fleet.grid.cell import Problem
from fleet.grid.datum import Datum, to_wgs84
from fleet.sheet import Sheet, check_length
from fleet.topics import check_name

REQUIRED = ("code", "kind", "vendor", "model", "region", "site", "latitude", "longitude")
OPTIONAL = ("datum", "cell", "commissioned_at", "skills", "schedule")
KINDS = ("atm", "recycler", "kiosk")
_LONGEST_SKILL = 64
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(9989, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Registered:
    """A terminal as the file has it, in WGS 84; `cell` is an override of what the map says.

    `skills` are needed by whoever works on it; `schedule` is the service schedule it serves by,
    empty for none of its own. Each is None where the file does not say, and then stays as it is.
    """

    code: str
    kind: str
    vendor: str
    model: str
    region: str
    site: str
    latitude: float
    longitude: float
    cell: str | None
    commissioned_at: datetime | None
    skills: tuple[str, ...] | None = None
    schedule: str | None = None


def read(text: str, datum: Datum = Datum.WGS84) -> tuple[list[Registered], list[Problem]]:
    """The terminals of a file and all that is wrong with it; a bad row gives no terminal.

    `datum` is that of rows which name none of their own.
    """
    sheet = Sheet(text, REQUIRED, OPTIONAL)
    found: dict[str, Registered] = {}
    for where, row in sheet.rows():
        try:
            terminal = _terminal(row, datum)
        except ValueError as error:
            sheet.problems.append(Problem(where, str(error)))
            continue
        if terminal.code in found:
            sheet.problems.append(Problem(where, f"{terminal.code} stands in the file before"))
        found[terminal.code] = terminal
    return list(found.values()), sheet.problems


def _terminal(row: Mapping[str, str | None], datum: Datum) -> Registered:
    """One row; raises `ValueError`."""
    values = {name: (row.get(name) or "").strip() for name in (*REQUIRED, *OPTIONAL)}
    empty = [name for name in REQUIRED if not values[name]]
    if empty:
        raise ValueError(f"{', '.join(empty)} must not be empty")
    check_length({name: values[name] for name in ("vendor", "model", "site")})
    code, region = check_name("code", values["code"]), check_name("region", values["region"])
    if values["kind"] not in KINDS:
        raise ValueError(f"kind {values['kind']!r} is none of {', '.join(KINDS)}")
    longitude, latitude = _place(values, datum)
    return Registered(
        code=code,
        kind=values["kind"],
        vendor=values["vendor"],
        model=values["model"],
        region=region,
        site=values["site"],
        latitude=latitude,
        longitude=longitude,
        cell=values["cell"] or None,
        commissioned_at=_instant(values["commissioned_at"]),
        skills=None if row.get("skills") is None else _skills(values["skills"]),
        schedule=None if row.get("schedule") is None else values["schedule"],
    )


def _skills(text: str) -> tuple[str, ...]:
    """Several side by side, with blanks, commas or semicolons between them."""
    skills = sorted(set(text.replace(";", " ").replace(",", " ").split()))
    if long := [skill for skill in skills if len(skill) > _LONGEST_SKILL]:
        raise ValueError(f"skills: {long[0][:16]}… has more than {_LONGEST_SKILL} characters")
    return tuple(skills)


def _place(values: Mapping[str, str], datum: Datum) -> tuple[float, float]:
    point = _degrees(values, "longitude", 180), _degrees(values, "latitude", 90)
    named = values["datum"].lower().replace("-", "").replace(" ", "")
    if named and named not in tuple(Datum):
        raise ValueError(f"datum {values['datum']!r} is none of {', '.join(Datum)}")
    return to_wgs84(point, Datum(named) if named else datum)


def _degrees(values: Mapping[str, str], name: str, most: int) -> float:
    try:
        value = float(values[name])
    except ValueError:
        raise ValueError(f"{name} {values[name]!r} is no number") from None
    if not -most <= value <= most:
        raise ValueError(f"{name} {values[name]} is not from -{most} to {most} degrees")
    return value


def _instant(text: str) -> datetime | None:
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise ValueError(f"commissioned_at {text!r} is no RFC 3339 time with an offset")
    if not _FIRST <= instant <= _LAST:
        raise ValueError(f"commissioned_at {text} is not of the years 1970 to 9989")
    return instant
