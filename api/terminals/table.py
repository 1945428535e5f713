"""A terminal's timeline as a table."""

from collections.abc import Sequence

from api.tables import INSTANT, TEXT, TEXTS, Column


def _field(name: str, called: str | None = None) -> Column:
    """What entries of some kinds have and others lack; ids of faults and tickets are both text."""

    def read(entry: object) -> object:
        value = getattr(entry, name, None)
        return str(value) if name == "id" and value is not None else value

    types = {"begin": INSTANT, "end": INSTANT, "causes": TEXTS}
    return Column(called or name, types.get(name, TEXT), read)


ENTRIES: Sequence[Column] = (
    _field("kind"),
    _field("begin", "from"),
    _field("end", "to"),
    *map(_field, ("state", "causes", "id", "rule", "severity", "title", "technician")),
)
