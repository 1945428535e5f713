"""The address of the database, with how statements are to be planned."""

from psycopg.conninfo import conninfo_to_dict

from api.planning import planned_each_time


def test_what_the_address_says_is_kept() -> None:
    """Host, user and options of its own: nothing of the URL is lost."""
    url = "postgresql://me:secret@host:5433/grid?options=-c%20timezone%3DUTC"
    parts = conninfo_to_dict(planned_each_time(url))
    assert (parts["host"], parts["user"], parts["dbname"]) == ("host", "me", "grid")
    assert parts["options"] == "-c timezone=UTC -c plan_cache_mode=force_custom_plan"
    bare = conninfo_to_dict(planned_each_time("postgresql://host/grid"))
    assert bare["options"] == "-c plan_cache_mode=force_custom_plan"
