"""`tellergrid report`: the uptime of a month, as a page or a document."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

import typer

from api.reports import page, pdf
from api.reports.store import Report, ReportRefused, kept, make
from fleet.db.pool import connect
from fleet.language import Language
from fleet.reports.monthly import last_month
from tellergrid.console import explained, output, refuse
from tellergrid.stack.reach import database_url

_SUFFIXES = (".html", ".pdf", ".json")


def report(
    out: Annotated[
        Path, typer.Option(dir_okay=False, help="Where to write it: .html, .pdf or .json.")
    ],
    month: Annotated[str, typer.Option(help="As 2026-10; default: the last one.")] = "",
    tz: Annotated[str, typer.Option(help="Whose month, like Asia/Shanghai.")] = "UTC",
    version: Annotated[
        int, typer.Option(min=0, help="One that was made before, as it was; 0: as it is now.")
    ] = 0,
    language: Annotated[Language, typer.Option(help="Of what it says.")] = Language.ENGLISH,
    font: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="TrueType, for Chinese; embedded in a PDF. Default: one that is installed.",
        ),
    ] = None,
) -> None:
    """Write the uptime of a month, cell by cell, with charts and with what the figures mean.

    The figures are kept. Made again it is the same report, or, when records came or were corrected
    since, the next version of it, which says so. Ends with 1 when there can be no such report.
    """
    if tz not in available_timezones():
        raise typer.BadParameter(f"there is no time zone {tz}", param_hint="--tz")
    if out.suffix not in _SUFFIXES:
        raise typer.BadParameter(f"must end in {', '.join(_SUFFIXES)}", param_hint="--out")
    if not out.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {out.parent}", param_hint="--out")
    zone = ZoneInfo(tz)

    def write(made: Report) -> None:
        out.write_bytes(_written(made, out.suffix, font, language))

    with explained():
        try:
            which = month or last_month(datetime.now(UTC), zone)
            made = asyncio.run(_make(which, zone, version, write))
        except ReportRefused as refused:
            refuse(refused)
            raise typer.Exit(1) from refused
    kind = "new" if made.new else "as before"
    line = f"{out}: {made.month.month} in {tz}, version {made.version} ({kind})"
    output.print(line, markup=False, soft_wrap=True)


async def _make(
    month: str, zone: ZoneInfo, version: int, write: Callable[[Report], None]
) -> Report:
    """The report, written; what could not be written is not published either."""
    async with await connect(database_url(), name="report") as connection:
        if version:
            found = await kept(connection, month, zone, version)
        else:
            found = await make(connection, month, zone, getuser(), "tellergrid report")
        if found is None:
            raise ReportRefused(f"there is no version {version} of {month} in {zone}")
        write(found)
    return found


def _written(made: Report, suffix: str, font: Path | None, language: Language) -> bytes:
    if suffix == ".pdf":
        return pdf.written(made, font, language)
    if suffix == ".html":
        return page.written(made, language).encode()
    return json.dumps(made.as_json(), ensure_ascii=False, indent=1).encode()
