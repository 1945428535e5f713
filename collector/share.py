"""Which regions are whose: any number of collectors share them, evenly. Pure: time is handed in.

Rules, which each collector follows by itself, looking at the same locks:

- Each has a quota: the regions there are, divided evenly; what is left over stays with those that
  hold the most.
- Below its quota a collector takes what is free. Above it, it gives up what is too much, in good
  order, and another takes it. Nothing else moves.
- What stays free for `PATIENCE` is taken by whoever sees it, quota or not.
- A collector that does not talk to the database any more, though its connections stand, is stale:
  they are ended, which frees what it holds. Whoever has itself not looked for longer than
  `ATTENTION` calls nobody stale: it, or the database, slept as well.
- Regions held by a collector that was told its regions (`TELLERGRID_REGIONS`) are not shared.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

PATIENCE = timedelta(seconds=3)
ATTENTION = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Holding:
    """A region and who holds it: `holder` and `backend` are None while it is free."""

    region: str
    holder: str | None = None
    backend: int | None = None
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Moves:
    """What a collector does now: regions to take and to give up, connections to end."""

    take: Sequence[str] = ()
    give_up: Sequence[str] = ()
    evict: Sequence[int] = ()


def quotas(held: Mapping[str, int], regions: int) -> dict[str, int]:
    """How many regions each collector should hold, from how many it holds; they add up."""
    each, rest = divmod(regions, len(held)) if held else (0, 0)
    most_first = sorted(held, key=lambda name: (-held[name], name))
    return {name: each + (place < rest) for place, name in enumerate(most_first)}


@dataclass(slots=True)
class Share:
    """What one collector knows from round to round; `only` are the regions it was told."""

    name: str
    only: frozenset[str] = frozenset()
    _free_since: dict[str, datetime] = field(default_factory=dict)
    _looked_at: datetime | None = None

    def decide(
        self,
        holdings: Sequence[Holding],
        members: frozenset[str],
        mine: frozenset[str],
        now: datetime,
    ) -> Moves:
        """The next moves; `mine` are the regions at work here."""
        attentive = self._looked_at is None or now - self._looked_at <= ATTENTION
        self._looked_at = now
        evict = [
            each.backend
            for each in holdings
            if each.backend is not None and self._is_gone(each, mine, attentive=attentive)
        ]
        free = [each.region for each in holdings if each.holder is None and each.region not in mine]
        self._free_since = {region: self._free_since.get(region, now) for region in free}
        if self.only:
            return Moves([region for region in free if region in self.only], (), evict)
        everyone = members | {self.name}
        shared = [each for each in holdings if each.holder is None or each.holder in everyone]
        held = Counter(dict.fromkeys(everyone, 0))
        held.update(each.holder for each in shared if each.holder not in (None, self.name))
        held[self.name] = len(mine)
        room = quotas(held, len(shared))[self.name] - len(mine)
        left = [region for region in free if now - self._free_since[region] >= PATIENCE]
        take = [*free[:room], *left] if room > 0 else left
        give_up = sorted(mine)[room:] if room < 0 else []
        return Moves(list(dict.fromkeys(take)), give_up, evict)

    def _is_gone(self, holding: Holding, mine: frozenset[str], *, attentive: bool) -> bool:
        """Stale, or a connection of ours that broke and that the database still believes in."""
        if holding.holder == self.name:
            return holding.region not in mine
        return holding.stale and attentive
