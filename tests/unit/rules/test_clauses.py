"""A condition taken apart for people: every part with its own truth, three-valued."""

import pytest

from fleet.rules.catalogue import load
from fleet.rules.clauses import Clause, clauses
from fleet.rules.rule import When
from fleet.snapshot import Values

JAMMED = "cardReader.media == 'jammed'"
HOT = "metrics.temperature_c > 60.0"


def shape(clause: Clause) -> object:
    """A clause as nested texts, truths and operators."""
    if not clause.parts:
        return (clause.text, clause.truth)
    return (clause.operator, clause.truth, [shape(part) for part in clause.parts])


def test_each_side_of_an_or_has_its_own_truth_and_unknown_is_one() -> None:
    """The whole is true although one side was never reported."""
    told = clauses(f"{JAMMED} || {HOT}", {"metrics.temperature_c": 65.0})
    assert shape(told) == ("||", True, [(JAMMED, None), (HOT, True)])


def test_brackets_and_precedence_are_those_of_the_condition() -> None:
    """`a || b && !(c || d)`, over two lines."""
    text = f"{JAMMED} ||\n  ({HOT} && !({JAMMED} || {HOT}))"
    values: Values = {"cardReader.media": "notPresent", "metrics.temperature_c": 65.0}
    inner = ("||", True, [(JAMMED, False), (HOT, True)])
    assert shape(clauses(text, values)) == (
        "||",
        False,
        [(JAMMED, False), ("&&", False, [(HOT, True), ("!", False, [inner])])],
    )


@pytest.mark.parametrize(
    "text",
    [
        "cardReader.media == 'a && b || (c'",
        "cardReader.media in ['jammed', 'present']",
        "cardReader.media == 'jammed' ? true : false",
        "cardReader.media != 'jammed'",
    ],
)
def test_what_cannot_be_divided_stays_whole(text: str) -> None:
    """Quotes and brackets hide operators; a choice is one part."""
    told = clauses(text, {})
    assert (told.text, told.parts) == (text, ())


def test_the_parts_of_every_delivered_condition_agree_with_the_whole() -> None:
    """Where all parts of an `or` are known, so is the whole, and it is what they say."""
    divided = 0
    for rule in load().rules:
        if isinstance(rule.trigger, When) and rule.trigger.each is None:
            values = dict.fromkeys(rule.trigger.condition.paths, "online")
            told = clauses(rule.trigger.condition.text, values)
            if told.operator == "||" and None not in [part.truth for part in told.parts]:
                divided += 1
                assert told.truth is any(part.truth for part in told.parts)
    assert divided
