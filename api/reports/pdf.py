"""A report as a PDF, with the definitions on its first page and a footnote on each."""

import io
from functools import partial
from pathlib import Path

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    Flowable,
    KeepTogether,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from api.reports import fonts
from api.reports.drawing import drawn
from api.reports.pen import GREY, Pen
from api.reports.store import Report
from fleet.language import Language
from fleet.reports.monthly import CellMonth, Figures
from fleet.reports.words import Words, words, worst_first

MEDIA_TYPE = "application/pdf"
_MARGIN = 18 * mm
_LONGEST_NAME = 200  # one of pages fits on none, and there would be no report
_PLAIN = TableStyle(
    [
        ("FONTSIZE", (0, 0), (-1, -1), 8),
        ("TOPPADDING", (0, 0), (-1, -1), 0),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
        ("LEFTPADDING", (0, 0), (0, -1), 0),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]
)
_UNDER_HEAD = TableStyle([("LINEBELOW", (0, 0), (-1, 0), 0.5, GREY)])


def written(
    report: Report, font: Path | None = None, language: Language = Language.ENGLISH
) -> bytes:
    """The document; the same report gives the same bytes.

    `font` is a TrueType font for Chinese, which is then embedded; see `fonts` for without.
    """
    pen, said = Pen(fonts.chinese(font)), words(language)
    content = io.BytesIO()
    document = SimpleDocTemplate(
        content,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=said.text("title", month=report.month.month),
        author="Tellergrid",
        invariant=1,
    )
    sections = (_section(cell, pen, said) for cell in report.month.cells)
    story = [*_front(report, pen, said), *sections]
    foot = partial(_foot, report, pen, said)
    document.build(story, onFirstPage=foot, onLaterPages=foot)
    return content.getvalue()


def _borrows(report: Report, pen: Pen, said: Words) -> bool:
    """Whether something is in a font that only the viewer may have."""
    texts = "".join(cell.code + cell.name for cell in report.month.cells)
    return pen.borrows and not (texts.isascii() and said.text("title", month="").isascii())


def _front(report: Report, pen: Pen, said: Words) -> list[Flowable]:
    month = report.month
    meaning = Table(
        [[pen.text(name, "Small"), pen.text(what, "Small")] for name, what in said.definitions],
        [30 * mm, 144 * mm],
    )
    meaning.setStyle(_PLAIN)
    borrowed = [pen.text(said.text("borrowed"), "Small")] if _borrows(report, pen, said) else []
    return [
        pen.text(said.text("title", month=month.month), "Title"),
        pen.text(said.about(report.month, report.made_at, report.digest)),
        pen.text(said.version(report.version, report.changed)),
        *borrowed,
        pen.text(said.text("everything"), "Heading2"),
        _lines(month.fleet, pen, said),
        pen.text(said.text("meaning"), "Heading2"),
        meaning,
        pen.text(said.text("worst_first"), "Heading2"),
        _summary(month.cells, pen, said),
    ]


def _summary(cells: tuple[CellMonth, ...], pen: Pen, said: Words) -> Table:
    rows = [
        (_cut(cell.code), _cut(cell.name), *said.summary(cell.whole)) for cell in worst_first(cells)
    ]
    widths = [28 * mm, 40 * mm, 22 * mm, 22 * mm, 22 * mm, 24 * mm, 16 * mm]
    texts = [[pen.text(one, "Small") for one in row] for row in (said.summary_head, *rows)]
    table = Table(texts, widths, repeatRows=1)
    table.setStyle(_PLAIN)
    table.setStyle(_UNDER_HEAD)
    return table


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]} ..."


def _section(cell: CellMonth, pen: Pen, said: Words) -> Flowable:
    name = _cut(cell.code if cell.name == cell.code else f"{cell.code} {cell.name}")
    figures, chart = _lines(cell.whole, pen, said), drawn(cell, pen, said)
    beside = Table([[figures, chart]], [62 * mm, 112 * mm])
    beside.setStyle(_PLAIN)
    count = said.text("terminals", count=cell.terminals)
    parts = [pen.text(name, "Heading2"), pen.text(count, "Small"), beside]
    if most := said.most(cell.whole):
        parts.append(pen.text(most, "Small"))
    return KeepTogether([*parts, Spacer(0, 4 * mm)])


def _lines(figures: Figures, pen: Pen, said: Words) -> Table:
    rows = [
        [pen.text(name, "Small"), pen.text(value, "Figure")] for name, value in said.lines(figures)
    ]
    table = Table(rows, [27 * mm, 33 * mm], hAlign="LEFT")
    table.setStyle(_PLAIN)
    return table


def _foot(
    report: Report, pen: Pen, said: Words, canvas: Canvas, document: SimpleDocTemplate
) -> None:
    month = report.month
    about = said.text(
        "page", month=month.month, version=report.version, zone=month.zone, page=document.page
    )
    canvas.saveState()
    canvas.setFillColor(GREY)
    pen.draw(canvas, _MARGIN, 10 * mm, said.text("footnote"), 6)
    pen.draw(canvas, A4[0] - _MARGIN - pen.width(about, 6), 7 * mm, about, 6)
    canvas.restoreState()
