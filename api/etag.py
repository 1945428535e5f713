"""Versions of things as `ETag`: whoever changes one may say which version they have seen."""

import re
from typing import Annotated

from fastapi import Depends, Header, Response

from api.errors import Invalid, Stale

_TAG = re.compile(r'"(\d{1,9})"', re.ASCII)


def show(response: Response, version: int) -> None:
    """Answer with a version as `ETag`."""
    response.headers["ETag"] = f'"{version}"'


def version(tag: str) -> int:
    """The version that an `ETag` of ours names; raises `ValueError`."""
    return int(tag.strip('"'))


def require(expected: int | None, version: int, what: str) -> None:
    """Raise `Stale` where a version was expected and is another."""
    if expected is not None and expected != version:
        raise Stale(f"{what} is at version {version} by now: read it again.")


async def _expected(
    if_match: Annotated[
        str | None,
        Header(description="The `ETag` you have seen: with another one by now, 412"),
    ] = None,
) -> int | None:
    if if_match is None or if_match == "*":
        return None
    tag = _TAG.fullmatch(if_match)
    if tag is None:
        raise Invalid("header.If-Match", "must be an ETag of ours, in its quotes, or *")
    return int(tag[1])


Expected = Annotated[int | None, Depends(_expected)]
"""The version that the header `If-Match` wants, or nothing."""
