"""A score as one HTML page that needs nothing beside it: styles and charts are in it."""

from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tellergrid.score.report import Report

_ROW, _BAR, _LEFT, _WIDTH = 20, 14, 150, 620
_NAME = Markup('<text x="{}" y="{}" text-anchor="end">{}</text>')
_DARK, _LIGHT = "#1f618d", "#a9cce3"

Bar = tuple[str, float, float]
"""A name, the whole and the darker part of it."""


def page(report: Report, catalogue: str, seed: int) -> str:
    """The page; the same report gives the same page, to the byte."""
    environment = Environment(
        loader=PackageLoader("tellergrid.score", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(
        report=report,
        catalogue=catalogue,
        seed=seed,
        bars=bars,
        delays=[(name, each.p95, each.p50) for name, each in report.delay_s.items()],
        errors=[(each.scenario, each.uptime_error_s_per_day, 0.0) for each in report.scenarios],
    )


def bars(caption: str, rows: Sequence[Bar]) -> Markup:
    """A bar a row, as SVG."""
    most = max((whole for _, whole, _ in rows), default=0.0) or 1.0
    room = _WIDTH - _LEFT - 60
    drawn = [Markup("")]
    for place, (name, whole, part) in enumerate(rows):
        y = place * _ROW + 3
        drawn += [
            Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(
                _LEFT - 6, y + 12, name
            ),
            _rectangle(y, whole / most * room, _LIGHT),
            _rectangle(y, part / most * room, _DARK),
            Markup('<text x="{:.1f}" y="{}">{:g}</text>').format(
                _LEFT + whole / most * room + 5, y + 12, round(whole, 2)
            ),
        ]
    height = len(rows) * _ROW + 6
    start = Markup('<svg width="{}" height="{}" font-size="12" role="img" aria-label="{}">')
    end = Markup('</svg><p class="note">{}</p>').format(caption)
    return start.format(_WIDTH, height, caption) + Markup("").join(drawn) + end


def _rectangle(y: float, width: float, colour: str) -> Markup:
    shape = Markup('<rect x="{}" y="{}" width="{:.1f}" height="{}" fill="{}"/>')
    return shape.format(_LEFT, y, width, _BAR, colour)
