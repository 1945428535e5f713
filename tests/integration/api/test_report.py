"""The report of a month: written, made again, and made anew when records came late."""

import asyncio
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pypdf
import pytest
import reportlab
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from typer.testing import CliRunner

from api.reports import fonts
from api.reports.store import make
from api.uptime.figures import slices
from api.uptime.schemas import Slice
from fleet.db.pool import connect
from fleet.language import Language
from fleet.reports.words import words
from fleet.service_state import ServiceState
from tellergrid.cli import app
from tests.integration.api.conftest import SignIn

Database = AsyncConnection[TupleRow]
TZ = "Asia/Shanghai"


@pytest.fixture
async def october(
    connection: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Database:
    """All terminals have been there since August; ATM-1 was offline on the 5th, two hours long.

    Of the others nothing is recorded but ATM-3, which was well all the time.
    """
    monkeypatch.setenv("TELLERGRID_DATABASE_URL", database_url)
    began = datetime(2026, 8, 1, tzinfo=UTC)
    await connection.execute("UPDATE terminal SET commissioned_at = %s", (began,))
    await connection.execute("UPDATE terminal_cell SET valid = tstzrange(%s, NULL)", (began,))
    await connection.execute("UPDATE cell_version SET name = '西湖 <1>' WHERE cell_code = 'C001'")
    await was(connection, "ATM-3", "in_service", "2026-08-01", None)
    await was(connection, "ATM-1", "in_service", "2026-08-01", "2026-10-05 10:00+08")
    await was(connection, "ATM-1", "offline", "2026-10-05 10:00+08", "2026-10-05 12:00+08")
    await was(connection, "ATM-1", "in_service", "2026-10-05 12:00+08", None)
    return connection


async def was(connection: Database, terminal: str, state: str, begin: str, end: str | None) -> None:
    causes = ["silent"] if state == "offline" else []
    await connection.execute(
        "INSERT INTO service_interval SELECT id, %s, tstzrange(%s, %s), %s FROM terminal"
        " WHERE code = %s",
        (state, begin, end, causes, terminal),
    )


async def report(out: Path, *arguments: str) -> Any:
    command = ["report", "--out", str(out), "--month", "2026-10", "--tz", TZ, *arguments]
    return await asyncio.to_thread(CliRunner().invoke, app, command)


@pytest.mark.usefixtures("october")
async def test_the_page_says_what_the_api_says(tmp_path: Path, sign_in: SignIn) -> None:
    """Each cell's shares, its day in the chart, its cause, and what the figures mean."""
    out = tmp_path / "report.html"
    shown = await report(out)
    assert shown.exit_code == 0, shown.output
    text = out.read_text(encoding="utf-8")
    window = {"from": "2026-10-01T00:00:00+08:00", "to": "2026-11-01T00:00:00+08:00"}
    answer = await (await sign_in("ops")).get("/api/v1/cells/C001/uptime", params=window)
    figures = answer.json()
    section = text[text.index('<h2 id="C001">') : text.index('<h2 id="C002">')]
    assert "西湖 &lt;1&gt;" in section
    for name in ("operational", "technical", "full_function", "coverage"):
        assert words().share(figures[name]) in section
    for name in ("scope_us", "up_us", "down_us", "unknown_us"):
        assert words().hours(figures[name]) in section
    assert "<title>5: offline 2.00 h</title>" in section
    assert "silent (2.00 h)" in section
    for name, meaning in words().definitions:
        assert f"<th>{name}</th><td>{meaning.replace(chr(39), '&#39;')}</td>" in text
    assert re.search(r"(href|src)=\"(?!#)", text) is None, "it needs nothing beside it"


async def test_what_cannot_be_written_is_not_published(october: Database, tmp_path: Path) -> None:
    """Into a folder that is not there, or over one: it was the first version all the same, and the
    one that was written at last was said to be made before."""
    (tmp_path / "taken.json").mkdir()
    for out, status in (("none/october.pdf", 2), ("taken.json", 2)):
        shown = await report(tmp_path / out)
        assert (shown.exit_code, "--out" in shown.output) == (status, True)
    full = await report(Path("/proc/october.json"))
    assert full.exit_code == 1
    assert "/proc/october.json: " in full.output
    assert await (await october.execute("SELECT FROM published_figure")).fetchall() == []


@pytest.fixture
def no_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a font for Chinese."""
    monkeypatch.setattr(fonts, "INSTALLED", ())


@pytest.mark.usefixtures("october", "no_fonts")
async def test_the_document_has_every_cell_and_its_chinese_name(tmp_path: Path) -> None:
    """Read by a foreign reader: figures, definitions, a footnote on every page, a chart a cell."""
    out = tmp_path / "report.pdf"
    shown = await report(out)
    assert shown.exit_code == 0, shown.output
    pages = pypdf.PdfReader(io.BytesIO(out.read_bytes())).pages
    text = "\n".join(page.extract_text() for page in pages)
    for code in ("C001", "C002", "C003"):
        assert code in text
    assert "西湖" in text
    assert "a viewer without one of its own leaves it blank" in text.replace("\n", " ")
    assert "silent (2.00 h)" in text
    assert all(words().text("footnote") in page.extract_text() for page in pages)
    assert text.count("hours lost on each day") == 3
    assert "up + down + unknown = scope" in text


async def test_a_name_of_pages_is_cut(october: Database, tmp_path: Path) -> None:
    """As a map brought it before names were bounded: on no page is room for it."""
    await october.execute(
        "UPDATE cell_version SET name = repeat('long ', 2000) WHERE cell_code = 'C001'"
    )
    out = tmp_path / "report.pdf"
    shown = await report(out)
    assert shown.exit_code == 0, shown.output
    text = "".join(page.extract_text() for page in pypdf.PdfReader(out).pages)
    assert "C003" in text
    assert "..." in text


@pytest.mark.usefixtures("october")
async def test_a_font_of_ones_own_is_embedded(tmp_path: Path) -> None:
    """Then nothing is left to the viewer, and the document does not say so."""
    out = tmp_path / "report.pdf"
    font = Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"
    shown = await report(out, "--font", str(font))
    assert shown.exit_code == 0, shown.output
    document = pypdf.PdfReader(out)
    assert "leaves it" not in document.pages[0].extract_text()
    assert any("Vera" in str(font["/BaseFont"]) for font in fonts_of(document.pages[1]))


@pytest.mark.usefixtures("october")
async def test_a_font_that_is_installed_is_embedded_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first of those that a system may have and has."""
    there = Path(reportlab.__file__).parent / "fonts" / "VeraBd.ttf"
    monkeypatch.setattr(fonts, "INSTALLED", (tmp_path / "not-there.ttc", there))
    out = tmp_path / "report.pdf"
    assert (await report(out)).exit_code == 0
    document = pypdf.PdfReader(out)
    assert any("Vera" in str(font["/BaseFont"]) for font in fonts_of(document.pages[1]))


@pytest.mark.usefixtures("october", "no_fonts")
async def test_a_report_in_chinese_says_the_same_figures(tmp_path: Path) -> None:
    """As a page and as a document; it is the same version of the same report."""
    page, document = tmp_path / "report.html", tmp_path / "report.pdf"
    assert "version 1 (new)" in (await report(page, "--language", "zh")).output
    assert "version 1 (as before)" in (await report(document, "--language", "zh")).output
    text = page.read_text(encoding="utf-8")
    assert '<html lang="zh">' in text
    assert "主要原因：silent（2.00 小时）。" in text
    assert "<title>5: 离线 2.00 小时</title>" in text
    pages = pypdf.PdfReader(document).pages
    printed = "".join("".join(one.extract_text().split()) for one in pages)
    for name, _ in words(Language.CHINESE).definitions:
        assert name in printed
    assert "2.00小时" in printed
    assert "未嵌入中文字体" in printed
    assert "operational" not in printed


def fonts_of(page: Any) -> list[Any]:
    return [font.get_object() for font in page["/Resources"]["/Font"].values()]


async def test_made_again_it_is_the_same_or_another_version(
    october: Database, tmp_path: Path
) -> None:
    """The same bytes as long as nothing is recorded anew; then version 2, which says what changed.

    A cell that was renamed later is called as it was then. The first version can still be printed.
    """
    one, again, late, old = (tmp_path / f"{name}.pdf" for name in ("one", "again", "late", "old"))
    assert "version 1 (new)" in (await report(one)).output
    await october.execute("UPDATE cell SET name = 'Another name' WHERE code = 'C002'")
    assert "version 1 (as before)" in (await report(again)).output
    assert again.read_bytes() == one.read_bytes()
    await was(october, "KSK-5", "cash_out", "2026-10-20 00:00+08", "2026-10-20 01:00+08")
    assert "version 2 (new)" in (await report(late)).output
    text = "".join(page.extract_text().replace("\n", " ") for page in pypdf.PdfReader(late).pages)
    assert "It replaces version 1" in text
    assert "changed C003" in text
    assert "version 1 (as before)" in (await report(old, "--version", "1")).output
    assert old.read_bytes() == one.read_bytes()
    out = tmp_path / "late.json"
    assert "version 2 (as before)" in (await report(out)).output
    told = json.loads(out.read_text(encoding="utf-8"))
    assert (told["version"], told["changed"]) == (2, ["C003"])


async def test_who_makes_it_at_once_makes_one_version(october: Database, database_url: str) -> None:
    """Three at once: one of them makes it, the others find it made."""

    async def made() -> bool:
        async with await connect(database_url, name="test") as one:
            return (await make(one, "2026-10", ZoneInfo(TZ), "ops", "monthly")).new

    assert sorted(await asyncio.gather(made(), made(), made())) == [False, False, True]
    [(rows,)] = await (await october.execute("SELECT count(*) FROM published_figure")).fetchall()
    assert rows == 1


@pytest.mark.usefixtures("october")
async def test_what_cannot_be_reported_is_refused(tmp_path: Path) -> None:
    """A month that is not over, a version that never was, a suffix nobody writes."""
    running = await report(tmp_path / "a.pdf", "--month", "2999-01")
    assert (running.exit_code, "not over" in running.output) == (1, True)
    assert (await report(tmp_path / "a.pdf", "--version", "7")).exit_code == 1
    assert (await report(tmp_path / "a.docx")).exit_code == 2
    assert (await report(tmp_path / "a.pdf", "--tz", "Mars/Olympus")).exit_code == 2
    font = tmp_path / "a.ttf"
    font.write_bytes(b"no font")
    refused = await report(tmp_path / "a.pdf", "--font", str(font))
    assert (refused.exit_code, "cannot be embedded" in refused.output) == (1, True)


async def test_a_report_is_of_one_state_of_the_records(
    october: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A correction is said while it is read: cells are their days, and all of them the fleet."""
    said: list[None] = []

    async def when_somebody_corrects(*given: Any) -> list[Slice]:
        found = await slices(*given)
        if not said:
            said.append(None)
            await october.execute(
                "INSERT INTO service_correction (terminal_id, state, period, author, reason)"
                " SELECT id, 'in_service', tstzrange('2026-10-05', '2026-10-06'), 'a', 'r'"
                " FROM terminal WHERE code IN ('ATM-1', 'ATM-2')"
            )
        return found

    monkeypatch.setattr("api.reports.store.slices", when_somebody_corrects)
    async with await connect(database_url, name="report") as connection:
        made = await make(connection, "2026-10", ZoneInfo(TZ), "test", "")
    assert made.month.adds_up
    [cell] = [one for one in made.month.cells if one.code == "C001"]
    days = sum(day.by_state_us.get(ServiceState.IN_SERVICE, 0) for day in cell.days)
    assert days == cell.whole.by_state_us[ServiceState.IN_SERVICE]
