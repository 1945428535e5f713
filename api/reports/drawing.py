"""The chart of a cell's month, drawn for a PDF."""

from typing import Literal

from reportlab.graphics.shapes import Drawing, Line, Rect, String
from reportlab.lib import colors
from reportlab.lib.units import mm

from api.reports.fonts import LATIN
from api.reports.pen import GREY, Pen
from fleet.reports import chart
from fleet.reports.monthly import CellMonth
from fleet.reports.words import Words

_WIDE, _HIGH = 110 * mm, 42 * mm
_LEFT, _FOOT = 8 * mm, 8 * mm
_KEY = 20 * mm


def drawn(cell: CellMonth, pen: Pen, words: Words) -> Drawing:
    """Bars a day, an axis, and what the colours are."""
    across, up = _WIDE - _LEFT, _HIGH - _FOOT
    drawing = Drawing(_WIDE, _HIGH + 4 * mm)
    for piece in chart.pieces(cell.days):
        left, bottom = _LEFT + piece.left * across, _FOOT + piece.bottom * up
        colour = chart.COLOURS[piece.state]
        drawing.add(_filled(left, bottom, piece.width * across, piece.height * up, colour))
    for line in ((_LEFT, _FOOT, _LEFT, _HIGH), (_LEFT, _FOOT, _WIDE, _FOOT)):
        drawing.add(Line(*line, strokeColor=GREY, strokeWidth=0.5))
    drawing.add(_small(_LEFT - 2, _HIGH - 6, f"{chart.top_h(cell.days)} h", "end"))
    drawing.add(_small(_LEFT - 2, _FOOT, "0", "end"))
    for number in range(1, len(cell.days) + 1, 5):
        middle = _LEFT + (number - 0.6) / len(cell.days) * across
        drawing.add(_small(middle, _FOOT - 7, str(number), "middle"))
    for place, (state, colour) in enumerate(chart.COLOURS.items()):
        drawing.add(_filled(_LEFT + place * _KEY, 0, 5, 5, colour))
        drawing.add(_small(_LEFT + place * _KEY + 7, 0, words.state(state), font=_font(pen, words)))
    drawing.add(_small(_LEFT, _HIGH + 4, words.text("chart"), font=_font(pen, words)))
    return drawing


def _font(pen: Pen, words: Words) -> str:
    return LATIN if words.text("chart").isascii() else pen.chinese


def _filled(left: float, bottom: float, width: float, height: float, colour: str) -> Rect:
    rectangle = Rect(left, bottom, width, height)
    rectangle.fillColor = colors.HexColor(colour)
    rectangle.strokeColor = None
    return rectangle


def _small(
    x: float,
    y: float,
    text: str,
    anchor: Literal["start", "middle", "end"] = "start",
    font: str = LATIN,
) -> String:
    return String(x, y, text, fontName=font, fontSize=6, fillColor=GREY, textAnchor=anchor)
