"""A report as one HTML page that needs nothing beside it: styles and charts are in it."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from api.reports.store import Report
from fleet.language import Language
from fleet.reports import chart
from fleet.reports.words import words, worst_first

MEDIA_TYPE = "text/html"


def written(report: Report, language: Language = Language.ENGLISH) -> str:
    """The page; the same report gives the same page, to the byte."""
    environment = Environment(
        loader=PackageLoader("api.reports", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(
        report=report,
        month=report.month,
        words=words(language),
        worst_first=worst_first,
        chart=chart,
    )
