"""The rule catalogue on the wire."""

import pytest

from api.rules.schemas import Rule
from fleet.rules import rule
from fleet.rules.catalogue import describe
from fleet.rules.shelf import Shelf

_RULES = Shelf(None).present().rules


@pytest.mark.parametrize("each", _RULES, ids=[each.name for each in _RULES])
def test_every_rule_of_the_default_catalogue_can_be_shown(each: rule.Rule) -> None:
    """Whatever kind of trigger it has: what that kind has not is null."""
    shown = Rule.model_validate(describe(each))
    assert shown.name == each.name
    assert shown.severity == each.severity
