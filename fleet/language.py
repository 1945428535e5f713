"""The languages that people are written to in: templates are data, a file for each."""

from enum import StrEnum


class Language(StrEnum):
    """What there are templates in."""

    ENGLISH = "en"
    CHINESE = "zh"
