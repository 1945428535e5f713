"""Dotted paths: what a request means, what it becomes on the wire."""

import pytest

from simulator.errors import RequestError
from simulator.properties import Values, check, general, resolve, trees

PRESENT: Values = {
    "cardReader.media": "notPresent",
    "storage.CST1.status": "ok",
    "storage.CST2.status": "ok",
    "cashDispenser.positions.outDefault.shutter": "closed",
}


@pytest.mark.parametrize(
    ("path", "value", "means"),
    [
        ("cardReader.media", "jammed", {"cardReader.media": "jammed"}),
        ("storage.CST1.status", "missing", {"storage.CST1.status": "missing"}),
        (
            "storage[].status",
            "missing",
            {"storage.CST1.status": "missing", "storage.CST2.status": "missing"},
        ),
        ("storage.CST1.count", "12", {"storage.CST1.count": 12}),
        ("metrics.temperature_c", "70", {"metrics.temperature_c": 70.0}),
        ("cashAcceptor.dropBox", "true", {"cashAcceptor.dropBox": True}),
        (
            "cashDispenser.positions[].shutter",
            "jammedOpen",
            {"cashDispenser.positions.outDefault.shutter": "jammedOpen"},
        ),
        ("offline", True, {"offline": True}),
    ],
)
def test_a_request_becomes_typed_values(path: str, value: object, means: Values) -> None:
    """The command line knows only text; the contract knows types."""
    assert resolve(path, value, PRESENT) == means


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("cardReader.medya", "jammed", "did you mean 'cardReader.media'?"),
        ("cardReader.media", "jamed", "did you mean 'jammed'?"),
        ("cardReader.media", "xyz", "it is one of unknown, present"),
        ("storage.CST3.status", "ok", "did you mean 'CST2'?"),
        ("storage.CST1.count", "many", "an integer"),
        ("metrics.temperature_c", "hot", "is a number"),
        ("offline", "perhaps", "true or false"),
        ("cashAcceptor.positions[].shutter", "open", "no cashAcceptor.positions"),
        ("nonsense", "1", "no property 'nonsense'"),
    ],
)
def test_what_is_not_there_is_refused_with_help(path: str, value: object, says: str) -> None:
    """A typing error must not look like a test that passed."""
    with pytest.raises(RequestError) as caught:
        resolve(path, value, PRESENT)
    assert says in str(caught.value)


def test_a_path_can_be_checked_without_a_terminal() -> None:
    """Scenarios are, when they are read."""
    assert check("storage.ANY.status", "missing") == "missing"
    assert general("storage.CST1.status") == "storage[].status"
    assert general("cardReader.media") == "cardReader.media"


def test_flat_paths_become_the_contracts_trees() -> None:
    """Members of lists carry their own names; the line's state is no property of the contract."""
    status, storage, metrics = trees(PRESENT | {"metrics.rtt_ms": 4, "offline": True})
    assert status == {
        "cardReader": {"media": "notPresent"},
        "cashDispenser": {"positions": [{"position": "outDefault", "shutter": "closed"}]},
    }
    assert storage == [{"id": "CST1", "status": "ok"}, {"id": "CST2", "status": "ok"}]
    assert metrics == {"rtt_ms": 4}
