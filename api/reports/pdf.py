"""A report as a PDF, with the definitions on its first page and a footnote on each."""

import io
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    Flowable,
    KeepTogether,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from api.reports.drawing import GREY, LATIN, drawn
from api.reports.store import Report, ReportRefused
from fleet.reports import words
from fleet.reports.monthly import CellMonth, Figures

MEDIA_TYPE = "application/pdf"
_MARGIN = 18 * mm
_VIEWERS_FONT = "STSong-Light"
_BORROWED = (
    "Chinese names are in no font of this document: a viewer without one of its own leaves them"
    " blank. The code of the cell stands before each."
)
_STYLES = getSampleStyleSheet()
_STYLES.add(ParagraphStyle("Small", fontName=LATIN, fontSize=8, leading=10))
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
_FIGURES_RIGHT = TableStyle([("ALIGN", (1, 0), (1, -1), "RIGHT")])


def written(report: Report, font: Path | None = None) -> bytes:
    """The document; the same report gives the same bytes.

    `font` is a TrueType font for Chinese, which is then embedded. Without one Chinese text names
    Adobe's standard Song, which a viewer brings along or puts its own in place of.
    """
    pen = _Pen(_chinese(font))
    content = io.BytesIO()
    document = SimpleDocTemplate(
        content,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=f"Uptime of {report.month.month}, version {report.version}",
        author="Tellergrid",
        invariant=1,
    )
    story = [*_front(report, pen), *(_section(cell, pen) for cell in report.month.cells)]
    foot = partial(_foot, report)
    document.build(story, onFirstPage=foot, onLaterPages=foot)
    return content.getvalue()


@dataclass(frozen=True, slots=True)
class _Pen:
    """Writes in two fonts: Latin in the page's own, anything else in the Chinese one."""

    chinese: str

    def text(self, text: str, style: str = "BodyText") -> Paragraph:
        """A paragraph."""
        parts: list[tuple[bool, str]] = []
        for letter in text:
            latin = ord(letter) < 0x100
            if parts and parts[-1][0] == latin:
                parts[-1] = (latin, parts[-1][1] + letter)
            else:
                parts.append((latin, letter))
        marked = (
            escape(part) if latin else f'<font name="{self.chinese}">{escape(part)}</font>'
            for latin, part in parts
        )
        return Paragraph("".join(marked), _STYLES[style])


def _chinese(font: Path | None) -> str:
    if font is None:
        pdfmetrics.registerFont(UnicodeCIDFont(_VIEWERS_FONT))
        return _VIEWERS_FONT
    try:
        pdfmetrics.registerFont(TTFont("chinese", str(font)))
    except (OSError, TTFError) as error:
        raise ReportRefused(f"{font} cannot be embedded: {error}") from error
    return "chinese"


def _borrows(report: Report, pen: _Pen) -> bool:
    """Whether something is in a font that only the viewer may have."""
    texts = "".join(cell.code + cell.name for cell in report.month.cells)
    return pen.chinese == _VIEWERS_FONT and not texts.isascii()


def _front(report: Report, pen: _Pen) -> list[Flowable]:
    month = report.month
    meaning = Table(
        [[name, pen.text(what, "Small")] for name, what in words.DEFINITIONS], [26 * mm, 148 * mm]
    )
    meaning.setStyle(_PLAIN)
    borrowed = [pen.text(_BORROWED, "Small")] if _borrows(report, pen) else []
    return [
        pen.text(f"Uptime of {month.month}", "Title"),
        pen.text(words.about(report.month, report.made_at, report.digest)),
        pen.text(words.version(report.version, report.changed)),
        *borrowed,
        pen.text("Everything", "Heading2"),
        _lines(month.fleet),
        pen.text("What the figures mean", "Heading2"),
        meaning,
        pen.text("Cells, the worst first", "Heading2"),
        _summary(month.cells, pen),
    ]


def _summary(cells: tuple[CellMonth, ...], pen: _Pen) -> Table:
    rows: list[list[str | Paragraph]] = [
        [
            pen.text(cell.code, "Small"),
            pen.text(cell.name, "Small"),
            *words.summary(cell.whole),
        ]
        for cell in words.worst_first(cells)
    ]
    widths = [28 * mm, 40 * mm, 22 * mm, 22 * mm, 22 * mm, 24 * mm, 16 * mm]
    table = Table([list(words.SUMMARY), *rows], widths, repeatRows=1)
    table.setStyle(_PLAIN)
    table.setStyle(_UNDER_HEAD)
    return table


def _section(cell: CellMonth, pen: _Pen) -> Flowable:
    name = cell.code if cell.name == cell.code else f"{cell.code} {cell.name}"
    beside = Table([[_lines(cell.whole), drawn(cell)]], [62 * mm, 112 * mm])
    beside.setStyle(_PLAIN)
    parts = [pen.text(name, "Heading2"), pen.text(f"Terminals: {cell.terminals}", "Small"), beside]
    most = ", ".join(f"{cause} ({lost})" for cause, lost in words.causes(cell.whole))
    if most:
        parts.append(pen.text(f"Most of it because of {most}.", "Small"))
    return KeepTogether([*parts, Spacer(0, 4 * mm)])


def _lines(figures: Figures) -> Table:
    table = Table(list(words.lines(figures)), [26 * mm, 34 * mm], hAlign="LEFT")
    table.setStyle(_PLAIN)
    table.setStyle(_FIGURES_RIGHT)
    return table


def _foot(report: Report, canvas: Canvas, document: SimpleDocTemplate) -> None:
    canvas.saveState()
    canvas.setFont(LATIN, 6.5)
    canvas.setFillColor(GREY)
    canvas.drawString(_MARGIN, 10 * mm, words.FOOTNOTE)
    about = f"{report.month.month}, version {report.version}, {report.month.zone}"
    canvas.drawRightString(A4[0] - _MARGIN, 10 * mm, f"{about}, page {document.page}")
    canvas.restoreState()
