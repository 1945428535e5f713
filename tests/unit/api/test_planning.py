"""Which routes have their statements planned once."""

from api.planning import Plans, planned_once, plans_of


def test_a_route_is_planned_each_time_unless_it_says_otherwise() -> None:
    @planned_once
    async def by_key() -> None:
        return

    async def filtered() -> None:
        return

    assert plans_of({"endpoint": by_key}) is Plans.ONCE
    assert plans_of({"endpoint": filtered}) is Plans.EACH_TIME
    assert plans_of({}) is Plans.EACH_TIME
