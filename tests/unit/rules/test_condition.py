"""Conditions: checked against the contract when compiled, three-valued when evaluated."""

import pytest

from fleet.rules.condition import compile_condition
from fleet.rules.errors import ConditionError
from fleet.snapshot import Value


def refusal(text: str, each: str | None = None) -> ConditionError:
    with pytest.raises(ConditionError) as caught:
        compile_condition(text, each)
    return caught.value


@pytest.mark.parametrize(
    ("text", "inputs"),
    [
        ("cardReader.media == 'jammed'", {"cardReader.media"}),
        ("metrics.temperature_c > 60.0", {"metrics.temperature_c"}),
        ("auxiliaries.UPS.low", {"auxiliaries.UPS.low"}),
        (
            "auxiliaries.safeDoor == 'open' && !(auxiliaries.operatorSwitch in ['supervisor'])",
            {"auxiliaries.safeDoor", "auxiliaries.operatorSwitch"},
        ),
        ("cardReader.media.matches('^acme')", {"cardReader.media"}),
        ("['jammed', 'latched'].exists(m, m == cardReader.media)", {"cardReader.media"}),
    ],
)
def test_a_condition_knows_exactly_what_it_reads(text: str, inputs: set[str]) -> None:
    """The engine evaluates only when an input changed, so the inputs must be all and no more."""
    assert compile_condition(text).inputs == inputs


def test_over_the_members_of_a_list_the_input_is_the_list() -> None:
    """A member's values come under their own names, as the snapshot holds them."""
    missing = compile_condition("unit.status == 'missing' && unit.count >= 0", "storage")
    assert missing.inputs == {"storage"}
    assert missing.evaluate({"id": "CST1", "status": "missing", "count": 0}) is True
    assert missing.evaluate({"id": "CST1", "status": "ok", "count": 0}) is False
    shutter = compile_condition("position.shutter == 'jammedOpen'", "cashDispenser.positions")
    assert shutter.inputs == {"cashDispenser.positions"}
    assert shutter.evaluate({"position": "outDefault", "shutter": "jammedOpen"}) is True


@pytest.mark.parametrize(
    ("text", "values", "answer"),
    [
        ("cardReader.media == 'jammed'", {"cardReader.media": "jammed"}, True),
        ("cardReader.media == 'jammed'", {"cardReader.media": "present"}, False),
        ("cardReader.media == 'jammed'", {"cardReader.media": "a vendor's own"}, False),
        ("cardReader.media == 'jammed'", {}, None),
        ("cardReader.media != 'jammed'", {}, None),
        ("!(cardReader.media == 'jammed')", {}, None),
        ("cardReader.media == 'jammed' || printer.toner == 'out'", {"printer.toner": "out"}, True),
        ("cardReader.media == 'jammed' || printer.toner == 'out'", {"printer.toner": "low"}, None),
        ("cardReader.media == 'jammed' && printer.toner == 'out'", {"printer.toner": "low"}, False),
        ("cardReader.media == 'jammed' && printer.toner == 'out'", {"printer.toner": "out"}, None),
        ("metrics.temperature_c > 60.0", {"metrics.temperature_c": 61}, True),
        ("metrics.rtt_ms / metrics.disk_free_pct > 1.0", {"metrics.rtt_ms": 1.0}, None),
    ],
)
def test_what_is_missing_makes_it_unknown_unless_the_rest_decides(
    text: str, values: dict[str, Value], answer: bool | None
) -> None:
    """Neither fire nor clear on what a terminal does not say."""
    assert compile_condition(text).evaluate(values) is answer


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"count": 1, "capacity": 0}, "division by zero"),
        ({"count": 2**70, "capacity": 1}, "more than a number can hold"),
        ({"count": 2**62, "capacity": 1}, "overflow on the way"),
    ],
)
def test_an_error_while_evaluating_is_unknown(values: dict[str, Value], why: str) -> None:
    """A terminal can send any number: the engine must not fall over it."""
    condition = compile_condition("unit.count * 100 / unit.capacity > 90", "storage")
    assert condition.evaluate(values) is None, why


@pytest.mark.parametrize(
    ("text", "column", "suggestion"),
    [
        ("cardReader.media == 'jamed'", 21, "did you mean 'jammed'?"),
        ("'jamed' == cardReader.media", 1, "did you mean 'jammed'?"),
        ("(cardReader.media) != ('jamed')", 24, "did you mean 'jammed'?"),
        ("cardReader.media in ['present', 'jamed']", 33, "did you mean 'jammed'?"),
        ("'jamed' in [cardReader.media]", 1, "did you mean 'jammed'?"),
        ("printer.toner == 'low' || cardReader.media == 'jamed'", 47, "did you mean 'jammed'?"),
        ("printer.toner == 'zzz'", 18, "one of unknown, full, low, out"),
    ],
)
def test_a_misspelt_value_is_refused_with_its_place_and_the_right_one(
    text: str, column: int, suggestion: str
) -> None:
    """Well typed, never true: the worst kind of wrong, and the type check does not see it."""
    error = refusal(text)
    assert (error.line, error.column) == (1, column)
    assert "is never" in error.message
    assert error.suggestion == suggestion


@pytest.mark.parametrize(
    ("text", "each", "column", "suggestion"),
    [
        ("cardReader.meda == 'jammed'", None, 1, "did you mean cardReader.media?"),
        ("true && cardRedaer.media == 'jammed'", None, 9, "did you mean cardReader.media?"),
        ("unit.statsu == 'missing'", "storage", 1, "did you mean unit.status?"),
        ("unit.status == 'missing'", None, 1, "add each: storage and write unit.status"),
        ("storage.status == 'missing'", None, 1, "add each: storage and write unit.status"),
        (
            "cashDispenser.positions.shutter == 'open'",
            None,
            1,
            "add each: cashDispenser.positions and write position.shutter",
        ),
        (
            "cardReader.media == 'jammed'",
            "storage",
            1,
            "with each: storage a condition reads only unit.…",
        ),
        ("cardReader.media == jammed", None, 21, "text stands in quotes: 'jammed'"),
    ],
)
def test_a_property_that_is_none_is_refused_with_what_was_meant(
    text: str, each: str | None, column: int, suggestion: str
) -> None:
    """A misspelt path, or a right one under the wrong `each`."""
    error = refusal(text, each)
    assert (error.line, error.column, error.suggestion) == (1, column, suggestion)
    assert "is not a property of" in error.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("metrics.temperature_c > 60", "write 60.0, not 60"),
        ("metrics.temperature_c in [60, 61]", "write 60.0, not 60"),
        ("cardReader.media == 3", "text and a whole number"),
        ("metrics.rtt_ms == 'slow'", "a number with a fraction and text"),
        ("auxiliaries.UPS.low == 'yes'", "true or false and text"),
        ("cardReader.media = 'jammed'", "write =="),
        ("cardReader.media ==", "ends too early"),
        ("", "ends too early"),
        ("cardReader.media == 'jammed", "closing quote"),
        ("cardReader.media", "must be true or false"),
        ("true", "reads no property"),
        ("'jammed' == 'jammed'", "reads no property"),
        ("has(cardReader.media)", "has() does not work"),
        ("cardReader.media.size == 1", "operand of a select"),
        ("cardReader.media == 'jammed' )", "syntax"),
    ],
)
def test_what_is_no_condition_is_refused_in_plain_words(text: str, message: str) -> None:
    """The compiler's own words are for those who wrote the compiler."""
    assert message in str(refusal(text))


def test_the_place_of_an_error_counts_lines() -> None:
    """A condition over several lines points at its own line."""
    error = refusal("cardReader.media == 'jammed' ||\n  printer.toner == 'emty'")
    assert (error.line, error.column) == (2, 20)
    error = refusal("cardReader.media == 'jammed' ||\n  printer.tonr == 'low'")
    assert (error.line, error.column) == (2, 3)


def test_only_the_lists_of_the_contract_can_be_walked() -> None:
    """A misspelt `each` says which there are."""
    assert "storage" in str(refusal("unit.status == 'ok'", "storages"))
    assert compile_condition("unit.status == 'ok'", "storage").text == "unit.status == 'ok'"


def test_equal_values_of_other_types_are_other_questions() -> None:
    """1 and 1.0 are equal keys: an answer remembered for one is not given for the other."""
    condition = compile_condition("unit.count == 1", "storage")
    assert condition.evaluate({"count": 1}) is True
    assert condition.evaluate({"count": 1.0}) is None
    assert condition.evaluate({"count": 1}) is True
