"""Uptime by anything over HTTP."""

from itertools import islice
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from fastapi import Query, Response

from api.accounts.caller import SignedIn
from api.errors import Invalid, NotFound, Unauthenticated
from api.paths import V1
from api.problem import documented
from api.routing import Router
from api.services import Connection, Running
from api.tables import AskedMedia, Media, answer, documented_tables
from api.uptime import table
from api.uptime.figures import MOST_BUCKETS, Question, most_slices, outages, slices
from api.uptime.schemas import By, Outages, Slices
from api.window import AskedWindow
from fleet.buckets import Bucket, buckets

router = Router(V1, tags=["uptime"])

MOST_SLICES = 100_000
"""A slice takes six kilobytes until it is sent: by terminal and hour there are millions."""


@router.get(
    "/uptime",
    response_model=Slices,
    responses=documented(Unauthenticated) | documented_tables(table.SLICES),
)
async def get_uptime_by(
    caller: SignedIn,
    connection: Connection,
    running: Running,
    window: AskedWindow,
    by: By = By.CELL,
    cell: Annotated[str | None, Query(description="With all that was below it")] = None,
    level: Annotated[int, Query(ge=0, le=99, description="Of the parts, by level")] = 0,
    bucket: Annotated[Bucket | None, Query(description="Default: the whole window")] = None,
    target: Annotated[
        float | None, Query(gt=0, le=1, description="Of operational availability, like 0.995")
    ] = None,
    tz: Annotated[str, Query(description="Whose hours and days, like Asia/Shanghai")] = "UTC",
    media: AskedMedia = Media.JSON,
) -> Slices | Response:
    """How available everything was, by part and bucket; as CSV or Parquet if you accept that."""
    if tz not in available_timezones():
        raise Invalid("query.tz", f"there is no time zone {tz}")
    # No more than tells that there are too many: of hours, ten thousand years have millions.
    cuts = list(islice(buckets(window.begin, window.until, bucket, ZoneInfo(tz)), MOST_BUCKETS + 1))
    if len(cuts) > MOST_BUCKETS:
        raise Invalid("query.bucket", f"gives more than {MOST_BUCKETS} buckets")
    components = {rule.name: rule.component for rule in running.catalogue.rules}
    question = Question(by, cuts, cell, level, target)
    if await most_slices(connection, caller.scope, question) > MOST_SLICES:
        raise Invalid(
            "query.bucket",
            f"gives more than {MOST_SLICES} figures: ask for longer buckets, for less time, or for"
            " a cell",
        )
    found = await slices(connection, caller.scope, question, components)
    if media is not Media.JSON:
        return answer(media, table.SLICES, found)
    return Slices(
        by=by,
        bucket=bucket,
        target=target,
        time_zone=tz,
        begin=window.begin,
        end=window.end,
        until=window.until,
        items=found,
    )


@router.get(
    "/cells/{code}/outages",
    response_model=Outages,
    responses=documented(Unauthenticated, NotFound) | documented_tables(table.OUTAGES),
)
async def get_outages(
    code: str,
    caller: SignedIn,
    connection: Connection,
    window: AskedWindow,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    media: AskedMedia = Media.JSON,
) -> Outages | Response:
    """The outages that touch a window in a cell and below it, the longest first."""
    found = await outages(connection, caller.scope, code, window, limit)
    if media is not Media.JSON:
        return answer(media, table.OUTAGES, found)
    return Outages(items=found)
