"""What a condition may read: the contract's properties by the names that conditions use."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from fleet.vocabulary import PROPERTIES, Property

EACH: Mapping[str, str] = MappingProxyType(
    {"storage": "unit", "cashDispenser.positions": "position", "cashAcceptor.positions": "position"}
)
"""The lists that `each` may name, and what a condition calls one member."""


@cache
def readable(each: str | None) -> Mapping[str, Property]:
    """The properties a condition may read, by name: a terminal's scalars, or a member's own."""
    if each is None:
        return MappingProxyType({path: it for path, it in PROPERTIES.items() if "[]" not in path})
    members = {path.partition("[].")[2]: it for path, it in PROPERTIES.items() if each == owner(it)}
    return MappingProxyType({f"{EACH[each]}.{name}": it for name, it in members.items()})


def owner(known: Property) -> str | None:
    """The list whose members have this property, or None for a scalar of the terminal."""
    path, listed, _ = known.path.partition("[].")
    return path if listed else None
