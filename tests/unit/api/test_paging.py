"""Pages: a cursor leads to the next item and nowhere else."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import Invalid
from api.faults.store import Place
from api.paging import Paging
from api.tickets.store import Urgency

AT = datetime(2026, 11, 23, 8, 0, 0, 123456, tzinfo=UTC)


@given(keys=st.sets(st.text(min_size=1)), limit=st.integers(1, 5))
def test_every_item_is_on_one_page(keys: set[str], limit: int) -> None:
    """Read to the end by cursors, a collection comes whole and in order."""
    stored = sorted(keys)
    found: list[str] = []
    cursor = None
    while True:
        paging = Paging(limit, cursor)
        after = paging.after(str)
        rows = [key for key in stored if after is None or key > after][: paging.rows]
        page = paging.page(rows, lambda key: key)
        found += page.items
        cursor = page.next
        if cursor is None:
            break
    assert found == stored


@pytest.mark.parametrize("key", [Place(AT, UUID(int=7)), Urgency(2, AT, 17), "ATM-0001", 17])
def test_a_place_survives_its_cursor(key: object) -> None:
    """Times to the microsecond, ids, codes: what stands behind a cursor is exact."""
    page = Paging(1, None).page([key, key], lambda one: one)
    assert Paging(1, page.next).after(type(key)) == key


@pytest.mark.parametrize("cursor", ["", "garbage", "Z2FyYmFnZQ==", "IkFUTSI=", "MTc", "é"])
def test_what_is_no_cursor_of_the_collection_is_refused(cursor: str) -> None:
    """Garbage, or the cursor of another collection: 422, not a page from nowhere."""
    with pytest.raises(Invalid) as refused:
        Paging(10, cursor).after(Place)
    assert refused.value.field == "query.cursor"
