"""What can go wrong in the collector, told apart by what to do about it."""


class CollectorError(Exception):
    """The collector cannot go on; says what to do."""


class RegionLost(CollectorError):
    """The database connection that held the region is gone: begin again from what is stored."""
