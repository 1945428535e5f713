"""Conditions against a slow, obvious model of three-valued logic."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from fleet.rules.condition import compile_condition
from fleet.snapshot import Value

Answer = bool | None
READ = {
    "cardReader.media": ("jammed", "present"),
    "printer.toner": ("full", "low", "out"),
    "keyManagement.encryptionState": ("ready", "notReady"),
}


@dataclass(frozen=True)
class Formula:
    """A condition as text, and what it must answer."""

    text: str
    answer: Callable[[Mapping[str, Value]], Answer]


def compared(path: str, value: str) -> Formula:
    def answer(values: Mapping[str, Value]) -> Answer:
        return None if path not in values else values[path] == value

    return Formula(f"{path} == '{value}'", answer)


def negated(inner: Formula) -> Formula:
    def answer(values: Mapping[str, Value]) -> Answer:
        found = inner.answer(values)
        return None if found is None else not found

    return Formula(f"!({inner.text})", answer)


def joined(sign: str, deciding: bool, left: Formula, right: Formula) -> Formula:
    """`||` is decided by a true side, `&&` by a false one; else unknown is contagious."""

    def answer(values: Mapping[str, Value]) -> Answer:
        sides = (left.answer(values), right.answer(values))
        if deciding in sides:
            return deciding
        return None if None in sides else not deciding

    return Formula(f"({left.text} {sign} {right.text})", answer)


atoms = st.sampled_from([compared(path, value) for path, all_ in READ.items() for value in all_])
formulas = st.recursive(
    atoms,
    lambda inner: (
        inner.map(negated)
        | st.builds(lambda left, right: joined("||", True, left, right), inner, inner)
        | st.builds(lambda left, right: joined("&&", False, left, right), inner, inner)
    ),
    max_leaves=8,
)
reports = st.fixed_dictionaries(
    {}, optional={path: st.sampled_from((*values, "acme")) for path, values in READ.items()}
)


@given(formulas, reports)
def test_a_condition_answers_as_three_valued_logic_does(
    formula: Formula, values: dict[str, Value]
) -> None:
    """Missing is unknown, and unknown spreads unless the rest decides."""
    assert compile_condition(formula.text).evaluate(values) is formula.answer(values)


@given(formulas, reports, reports)
def test_what_was_decided_stays_decided_when_more_is_known(
    formula: Formula, values: dict[str, Value], more: dict[str, Value]
) -> None:
    """A terminal that says more can end the unknown, not turn an answer round."""
    condition = compile_condition(formula.text)
    decided = condition.evaluate(values)
    if decided is not None:
        assert condition.evaluate({**more, **values}) is decided


@given(formulas, reports, st.dictionaries(st.sampled_from(["common.device", "x"]), st.just("on")))
def test_only_the_inputs_count(
    formula: Formula, values: dict[str, Value], others: dict[str, Value]
) -> None:
    """The engine asks again only when an input changed: so nothing else may matter."""
    condition = compile_condition(formula.text)
    assert condition.evaluate({**values, **others}) is condition.evaluate(values)
    only = {path: value for path, value in values.items() if path in condition.inputs}
    assert condition.evaluate(only) is condition.evaluate(values)
