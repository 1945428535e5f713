"""The grid: cells are named patches of map; every terminal is in one of them or in `UNASSIGNED`."""

UNASSIGNED = "UNASSIGNED"
"""The cell of a terminal that no polygon holds: seen and serviced, but never judged as a place."""
