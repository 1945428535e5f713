"""Fonts for what Latin letters cannot say: one that is given, one that is installed, or none.

Embedded is what is TrueType; the outlines of PostScript (`.otf`, as Noto's and Source Han's are)
cannot be. Without any a document names Adobe's standard Song, which a viewer brings along or puts
its own in place of, and says so.
"""

from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from api.reports.store import ReportRefused

LATIN = "Helvetica"
VIEWERS = "STSong-Light"

INSTALLED = (
    Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"),
    Path("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc"),
    Path("/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf"),
)
"""Where Debian's `fonts-wqy-microhei`, `fonts-wqy-zenhei` and `fonts-droid-fallback` put theirs."""


def chinese(font: Path | None = None) -> str:
    """The name of a font for Chinese; raises `ReportRefused` for one that cannot be embedded."""
    if font is None:
        font = next((each for each in INSTALLED if each.is_file()), None)
    if font is None:
        pdfmetrics.registerFont(UnicodeCIDFont(VIEWERS))
        return VIEWERS
    try:
        pdfmetrics.registerFont(TTFont("chinese", str(font)))
    except (OSError, TTFError) as error:
        raise ReportRefused(f"{font} cannot be embedded: {error}") from error
    return "chinese"
