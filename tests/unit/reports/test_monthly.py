"""Monthly reports: when a month is, what is a new version, and what the chart shows."""

import re
from datetime import UTC, datetime
from string import Formatter
from zoneinfo import ZoneInfo

import msgspec
import pytest

from fleet.language import Language
from fleet.reports import chart
from fleet.reports.monthly import (
    CellMonth,
    Figures,
    Month,
    bounds,
    changed,
    last_month,
)
from fleet.reports.words import Words, words
from fleet.service_state import ServiceState

HOUR = 3_600_000_000
SHANGHAI = ZoneInfo("Asia/Shanghai")
GOOD = Figures({ServiceState.IN_SERVICE: 24 * HOUR}, 0, 0, {})
BAD = Figures(
    {
        ServiceState.IN_SERVICE: 18 * HOUR,
        ServiceState.OFFLINE: 3 * HOUR,
        ServiceState.CASH_OUT: 2 * HOUR,
        ServiceState.UNKNOWN: HOUR,
    },
    2,
    3 * HOUR,
    {"silent": 3 * HOUR, "cash_out": 2 * HOUR},
)


def month(*days: Figures, name: str = "One") -> Month:
    cell = CellMonth("C1", name, 1, BAD, days)
    return Month("2026-10", "Asia/Shanghai", BAD, 1, (cell,))


@pytest.mark.parametrize(
    ("text", "zone", "begin", "hours"),
    [
        ("2026-10", "Asia/Shanghai", datetime(2026, 9, 30, 16, tzinfo=UTC), 744),
        ("2026-12", "UTC", datetime(2026, 12, 1, tzinfo=UTC), 744),
        ("2026-10", "Europe/Berlin", datetime(2026, 9, 30, 22, tzinfo=UTC), 745),
        ("2028-02", "UTC", datetime(2028, 2, 1, tzinfo=UTC), 696),
    ],
)
def test_a_month_is_that_of_the_wall_clock(
    text: str, zone: str, begin: datetime, hours: int
) -> None:
    """With the hour that the autumn gives back."""
    began, ended = bounds(text, ZoneInfo(zone))
    assert (began, (ended - began).total_seconds()) == (begin, hours * 3600)


@pytest.mark.parametrize("text", ["2026-13", "2026-1", "october", "0000-01", ""])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="2026-10"):
        bounds(text, SHANGHAI)


@pytest.mark.parametrize(
    ("now", "month_"),
    [
        (datetime(2026, 11, 1, 0, 0, tzinfo=SHANGHAI), "2026-10"),
        (datetime(2026, 10, 31, 23, 59, tzinfo=SHANGHAI), "2026-09"),
        (datetime(2027, 1, 5, tzinfo=SHANGHAI), "2026-12"),
    ],
)
def test_the_last_month_is_over_in_its_zone(now: datetime, month_: str) -> None:
    assert last_month(now.astimezone(UTC), SHANGHAI) == month_


def test_two_versions_differ_where_their_figures_do() -> None:
    """Kept and read again it is the same; a microsecond more is told, a name is not."""
    first = month(GOOD, BAD)
    again = msgspec.convert(msgspec.to_builtins(first), Month)
    assert again == first
    late = msgspec.structs.replace(BAD, longest_outage_us=3 * HOUR + 1)
    assert list(changed(first, month(GOOD, late))) == ["C1"]
    assert list(changed(first, month(GOOD, BAD, name="Renamed"))) == []


def test_the_chart_shows_what_was_lost_in_proportion() -> None:
    """Six of the bad day's hours, in three colours, as high as the chart; nothing of the good."""
    drawn = list(chart.pieces((GOOD, BAD)))
    assert chart.top_h((GOOD, BAD)) == 6
    assert {piece.day for piece in drawn} == {2}
    assert [(piece.state, round(piece.height * 6)) for piece in drawn] == [
        (ServiceState.CASH_OUT, 2),
        (ServiceState.OFFLINE, 3),
        (ServiceState.UNKNOWN, 1),
    ]
    assert drawn[-1].bottom + drawn[-1].height == pytest.approx(1)


def test_a_share_is_never_rounded_up_to_all() -> None:
    assert words().share(0.99999999) == "99.9999 %"
    assert (words().share(1.0), words().share(None)) == ("100.0000 %", "unknown")


def test_a_share_of_six_digits_is_written_as_it_is() -> None:
    """None of them is a digit less for what binary fractions cannot say."""
    for parts in range(0, 1_000_001, 83):
        whole, rest = divmod(parts, 10_000)
        assert words().share(parts / 1_000_000) == f"{whole}.{rest:04d} %"


def test_figures_are_written_with_their_shares() -> None:
    """18 of 23 known hours up; two outages."""
    told = dict(words().lines(BAD))
    assert (told["operational"], told["coverage"]) == ("78.2608 %", "95.8333 %")
    assert (told["technical"], told["full function"]) == ("86.9565 %", "78.2608 %")
    assert (told["scope"], told["down"], told["unknown"]) == ("24.00 h", "5.00 h", "1.00 h")
    assert (told["MTBF"], told["MTTR"], told["longest"]) == ("9 h", "2 h 30 min", "3 h")
    assert words().causes(BAD) == [("silent", "3.00 h"), ("cash_out", "2.00 h")]
    assert dict(words().lines(GOOD))["MTBF"] == "–"


def test_both_languages_say_the_same_things() -> None:
    """The same templates with the same placeholders, the same figures, states and definitions; and
    in the Chinese one nothing is left in English."""
    english, chinese = (words(language) for language in (Language.ENGLISH, Language.CHINESE))
    assert english.texts.keys() == chinese.texts.keys()
    for name, text in english.texts.items():
        other = chinese.texts[name]
        if isinstance(text, str):
            assert placeholders(text) == placeholders(other), name
        else:
            assert len(text) == len(other), name
        if isinstance(text, dict):
            assert text.keys() == other.keys()
    for one in (english, chinese):
        assert {state.value for state in chart.COLOURS} <= one.texts["states"].keys()
        assert len(one.summary(BAD)) == len(one.summary_head) - 2
    said = " ".join(words_of(chinese))
    assert set(re.findall("[A-Za-z]{2,}", said)) <= {"UTC"}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def words_of(one: Words) -> list[str]:
    """All that a report says but names and numbers."""
    lines = [text for line in one.lines(BAD) for text in line]
    meanings = [text for pair in one.definitions for text in pair]
    filled = [
        one.text(name, **dict.fromkeys(placeholders(text), "1"))
        for name, text in one.texts.items()
        if isinstance(text, str)
    ]
    return [*lines, *meanings, *filled, *one.summary_head, one.duration(1_000_000)]
