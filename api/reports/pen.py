"""Writes in two fonts: Latin in the page's own, anything else in the Chinese one."""

from dataclasses import dataclass
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph

from api.reports.fonts import LATIN, VIEWERS

GREY = colors.HexColor("#566573")
_STYLES = getSampleStyleSheet()
_STYLES.add(ParagraphStyle("Small", fontName=LATIN, fontSize=8, leading=10))
_STYLES.add(ParagraphStyle("Figure", parent=_STYLES["Small"], alignment=TA_RIGHT))


def runs(text: str) -> list[tuple[bool, str]]:
    """A text in pieces, each all Latin or all not."""
    parts: list[tuple[bool, str]] = []
    for letter in text:
        latin = ord(letter) < 0x100 or letter == "–"
        if parts and parts[-1][0] == latin:
            parts[-1] = (latin, parts[-1][1] + letter)
        else:
            parts.append((latin, letter))
    return parts


@dataclass(frozen=True, slots=True)
class Pen:
    """The fonts of a document."""

    chinese: str

    @property
    def borrows(self) -> bool:
        """Whether its Chinese is in a font that only the viewer may have."""
        return self.chinese == VIEWERS

    def text(self, text: str, style: str = "BodyText") -> Paragraph:
        """A paragraph."""
        marked = (
            escape(part) if latin else f'<font name="{self.chinese}">{escape(part)}</font>'
            for latin, part in runs(text)
        )
        return Paragraph("".join(marked), _STYLES[style])

    def draw(self, canvas: Canvas, x: float, y: float, text: str, size: float) -> None:
        """A line, from there on."""
        for latin, part in runs(text):
            font = LATIN if latin else self.chinese
            canvas.setFont(font, size)
            canvas.drawString(x, y, part)
            x += stringWidth(part, font, size)

    def width(self, text: str, size: float) -> float:
        """How wide it would be."""
        fonts = ((LATIN if latin else self.chinese, part) for latin, part in runs(text))
        return sum(stringWidth(part, font, size) for font, part in fonts)
