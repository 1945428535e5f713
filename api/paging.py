"""Pages of a collection: by keyset, behind an opaque cursor: no page shifts under its reader."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

import msgspec
from fastapi import Depends, Query
from pydantic import BaseModel, Field

from api.errors import Invalid

Item = TypeVar("Item")
Key = TypeVar("Key")


class Page(BaseModel, Generic[Item]):
    """A page; give `next` as `cursor` for the one after it."""

    items: list[Item]
    next: str | None = Field(
        default=None, description="The cursor of the next page; null on the last"
    )


@dataclass(frozen=True, slots=True)
class Paging:
    """The query parameters `limit` and `cursor`."""

    limit: int
    cursor: str | None

    @property
    def rows(self) -> int:
        """How many rows to read: one more than is shown says whether there is a next page."""
        return self.limit + 1

    def after(self, key: type[Key]) -> Key | None:
        """The key of the last item before this page; raises `Invalid` for a cursor not of ours."""
        if self.cursor is None:
            return None
        try:
            return msgspec.json.decode(base64.urlsafe_b64decode(self.cursor), type=key)
        except (msgspec.DecodeError, binascii.Error, ValueError):
            raise Invalid("query.cursor", "is not a cursor of this collection") from None

    def page(self, rows: Sequence[Item], key: Callable[[Item], object]) -> Page[Item]:
        """The page of the rows read; `key` gives an item's place in the order."""
        shown = list(rows[: self.limit])
        more = len(rows) > self.limit
        return Page(items=shown, next=_encode(key(shown[-1])) if more else None)


def _encode(key: object) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode()


async def _asked(
    limit: Annotated[int, Query(ge=1, le=500, description="Items a page")] = 100,
    cursor: Annotated[
        str | None, Query(max_length=500, description="`next` of the page before")
    ] = None,
) -> Paging:
    return Paging(limit, cursor)


AskedPage = Annotated[Paging, Depends(_asked)]
"""The query parameters `limit` and `cursor`."""
