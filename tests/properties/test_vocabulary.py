"""The quick look for what is unknown never overlooks anything."""

from hypothesis import given
from hypothesis import strategies as st

from fleet.vocabulary import PROPERTIES, familiar, unknown

words = sorted({part.removesuffix("[]") for path in PROPERTIES for part in path.split(".")})
values = sorted({value for known in PROPERTIES.values() for value in known.values})
names = st.sampled_from([*words, "acme"])
leaves = st.sampled_from([None, True, 7, "acme", *values])
inner = st.dictionaries(names, leaves, max_size=2)
nodes = leaves | inner | st.lists(leaves | inner, max_size=2)
likely = st.dictionaries(names, nodes | st.dictionaries(names, nodes, max_size=2), max_size=3)


@given(likely)
def test_what_is_called_familiar_holds_nothing_unknown(tree: dict[str, object]) -> None:
    """As a status and as a storage unit, whatever a vendor sends."""
    if familiar(tree):
        assert list(unknown(tree)) == []
    if familiar(tree, unit=True):
        assert list(unknown(tree, "storage[]")) == []


def test_what_the_contract_names_is_familiar() -> None:
    """Else the slow look would be the only one."""
    status = {"cardReader": {"media": "jammed"}, "printer": {"paper": {"upper": "low"}}}
    positions = [{"position": "outDefault", "shutter": "closed"}]
    assert familiar({**status, "cashDispenser": {"positions": positions}})
    assert familiar({"id": "CST1", "status": "ok"}, unit=True)
    assert not familiar({"cardReader": {"media": "stuck"}})
    assert not familiar({"acme": {}})
    assert not familiar({"acme": 1}, unit=True)
