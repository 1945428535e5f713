"""A demo grid, made from a seed alone, so that seeder and simulator agree without a database.

Cells are H3 hexagons around a centre, grouped under their H3 parents; each parent is a district
and is served by one region. Nothing in it names a real bank, site or person.
"""

import random
from dataclasses import dataclass

import h3

CENTRE = (30.2741, 120.1551)  # WGS 84; Hangzhou, the example city of the documentation
RESOLUTION = 8  # hexagons of about 0.7 km², a patch one technician walks
TERMINALS_PER_CELL = 10
SKILLS = ("cash", "card", "printer", "electronics", "network", "security")

_MODELS = {
    "atm": (("vendor-a", "A-100"), ("vendor-b", "B-20")),
    "recycler": (("vendor-a", "A-300R"), ("vendor-c", "C-7")),
    "kiosk": (("vendor-b", "B-K1"), ("vendor-c", "C-K2")),
}
_KIND_WEIGHTS = {"atm": 6, "recycler": 3, "kiosk": 1}


@dataclass(frozen=True, slots=True)
class DemoCell:
    """A grid cell; `boundary` is a ring of (longitude, latitude), closed; levels grow downwards."""

    code: str
    name: str
    level: int
    parent: str | None
    boundary: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class DemoTerminal:
    """A terminal as the registry knows it."""

    code: str
    kind: str
    vendor: str
    model: str
    region: str
    cell: str
    site: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class DemoTechnician:
    """A technician and the cells they answer for; branch staff are those of the first line."""

    code: str
    name: str
    cells: tuple[str, ...]
    skills: tuple[str, ...]
    lines: tuple[int, ...] = (1, 2)

    @property
    def account(self) -> str:
        """The username they sign in with: `tech01`, `branch01`."""
        return f"{'branch' if self.code.startswith('B') else 'tech'}{self.code[1:]}"


@dataclass(frozen=True, slots=True)
class DemoGrid:
    """Everything the demo needs to be alive."""

    regions: tuple[str, ...]
    cells: tuple[DemoCell, ...]
    terminals: tuple[DemoTerminal, ...]
    technicians: tuple[DemoTechnician, ...]


def grid(seed: int, terminals: int, cells: int | None = None) -> DemoGrid:
    """The demo grid of a seed: `terminals` of them over `cells` cells (default: ten to a cell).

    The first n terminals are the same for every total with the same number of cells.
    """
    if terminals < 1:
        raise ValueError(f"terminals must be at least 1, not {terminals}")
    count = cells or max(1, -(-terminals // TERMINALS_PER_CELL))
    hexagons = _hexagons(count)
    districts = {parent: f"D{n:02d}" for n, parent in enumerate(_parents(hexagons), 1)}
    regions = {parent: f"region-{n:02d}" for n, parent in enumerate(districts, 1)}
    leaves = {cell: f"C{n:03d}" for n, cell in enumerate(hexagons, 1)}
    tree = [_cell(code, "District", 0, None, parent) for parent, code in districts.items()]
    tree += [
        _cell(code, "Cell", 1, districts[h3.cell_to_parent(cell)], cell)
        for cell, code in leaves.items()
    ]
    placed = tuple(
        _terminal(seed, n, n // count, hexagons[n % count], leaves, regions)
        for n in range(terminals)
    )
    return DemoGrid(tuple(regions.values()), tuple(tree), placed, _technicians(leaves, districts))


def _hexagons(count: int) -> list[str]:
    centre = h3.latlng_to_cell(*CENTRE, RESOLUTION)
    found: list[str] = []
    ring = 0
    while len(found) < count:
        found += sorted(h3.grid_ring(centre, ring))
        ring += 1
    return found[:count]


def _parents(hexagons: list[str]) -> list[str]:
    return list(dict.fromkeys(h3.cell_to_parent(cell) for cell in hexagons))


def _cell(code: str, noun: str, level: int, parent: str | None, hexagon: str) -> DemoCell:
    ring = [(longitude, latitude) for latitude, longitude in h3.cell_to_boundary(hexagon)]
    return DemoCell(code, f"{noun} {code[1:]}", level, parent, (*ring, ring[0]))


def _terminal(
    seed: int,
    number: int,
    order: int,
    hexagon: str,
    leaves: dict[str, str],
    regions: dict[str, str],
) -> DemoTerminal:
    chance = random.Random(f"{seed}/terminal/{number}")  # noqa: S311 - a demo, not a secret
    kind = chance.choices(list(_KIND_WEIGHTS), list(_KIND_WEIGHTS.values()))[0]
    vendor, model = chance.choice(_MODELS[kind])
    latitude, longitude = h3.cell_to_latlng(hexagon)
    return DemoTerminal(
        code=f"{'KSK' if kind == 'kiosk' else 'ATM'}-{number + 1:04d}",
        kind=kind,
        vendor=vendor,
        model=model,
        region=regions[h3.cell_to_parent(hexagon)],
        cell=leaves[hexagon],
        site=f"Site {leaves[hexagon][1:]}-{order // 2 + 1}",
        latitude=round(latitude + chance.uniform(-0.002, 0.002), 6),
        longitude=round(longitude + chance.uniform(-0.002, 0.002), 6),
    )


def _technicians(leaves: dict[str, str], districts: dict[str, str]) -> tuple[DemoTechnician, ...]:
    """Two field engineers for each district, who together have every skill, so that no ticket is
    left over; and its branch staff, for what a rule gives to the first line.
    """
    by_district: dict[str, list[str]] = {code: [] for code in districts.values()}
    for cell, code in leaves.items():
        by_district[districts[h3.cell_to_parent(cell)]].append(code)
    engineers = [
        DemoTechnician(f"T{number:02d}", f"Technician {number:02d}", tuple(codes), skills, (2,))
        for number, (codes, skills) in enumerate(
            ((codes, skills) for codes in by_district.values() for skills in (SKILLS, SKILLS[:4])),
            1,
        )
    ]
    staff = [
        DemoTechnician(f"B{number:02d}", f"Branch staff {number:02d}", tuple(codes), SKILLS, (1,))
        for number, codes in enumerate(by_district.values(), 1)
    ]
    return (*engineers, *staff)
