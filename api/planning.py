"""How the database plans the api's statements."""

from psycopg.conninfo import conninfo_to_dict, make_conninfo

_OPTIONS = "-c plan_cache_mode=force_custom_plan"


def planned_each_time(url: str) -> str:
    """The same database, with every statement planned for the values it is run with.

    Filters that are off and the scope of who sees everything are nulls that fold away only when
    they are known. A plan for all values at once, which PostgreSQL makes after a few runs, reads
    whole tables: 30 ms instead of 2 for one terminal of 100,000. Planning takes under one.
    """
    given = conninfo_to_dict(url).get("options")
    return make_conninfo(url, options=f"{given} {_OPTIONS}" if given else _OPTIONS)
