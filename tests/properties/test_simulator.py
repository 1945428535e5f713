"""What must hold for every device, seed and pace."""

from itertools import groupby

from hypothesis import given, settings
from hypothesis import strategies as st

from fleet import telemetry
from fleet.telemetry import Event, Telemetry
from fleet.vocabulary import PROPERTIES
from simulator.behaviour import Behaviour
from simulator.device import Device, Origin
from simulator.journal import Journal, key
from simulator.properties import general
from simulator.truth import Witness
from simulator.voice import Outgoing

START = 1_795_651_200.0

kinds = st.sampled_from(["atm", "recycler", "kiosk"])
seeds = st.integers(0, 2**32)
vendors = st.sampled_from(["vendor-a", "vendor-b", "vendor-c"])
behaviours = st.builds(
    Behaviour,
    heartbeat_s=st.floats(1, 120),
    customers_per_day=st.floats(0, 5000),
    faults_per_day=st.floats(0, 50),
    repair_h=st.floats(0.01, 5),
    battery_h=st.floats(0.01, 2),
    retained=st.floats(0, 0.1),
    drops_per_day=st.just(0.0) | st.floats(0.01, 50),
    replenish_h=st.floats(0, 5),
    stock_at_start=st.floats(0, 1),
    rate=st.floats(0.1, 50),
)


def device(
    kind: str, seed: int, behaviour: Behaviour, vendor: str = "", witness: Witness | None = None
) -> Device:
    origin = Origin("ATM-0001", kind, seed, 1, START, vendor)
    return Device(origin, behaviour, witness=witness)


@given(kind=kinds, seed=seeds, behaviour=behaviours, steps=st.lists(st.floats(0, 900), max_size=8))
@settings(deadline=None, max_examples=30)
def test_the_same_seed_gives_the_same_bytes_however_often_one_looks(
    kind: str, seed: int, behaviour: Behaviour, steps: list[float]
) -> None:
    """Once in one step, once in many: the pace of looking changes nothing."""
    end = START + 1200
    at_once = [telemetry.encode(m) for m in device(kind, seed, behaviour).advance(end)]
    again = device(kind, seed, behaviour)
    said: list[Outgoing] = []
    for step in sorted(steps):
        said += again.advance(START + step)
    said += again.advance(end)
    assert [telemetry.encode(message) for message in said] == at_once


@given(kind=kinds, seed=seeds, behaviour=behaviours, vendor=vendors)
@settings(deadline=None, max_examples=25)
def test_whoever_keeps_the_truth_about_a_terminal_changes_no_byte_of_it(
    kind: str, seed: int, behaviour: Behaviour, vendor: str
) -> None:
    """What is known inside must not leak: no message differs, and none has a word of it."""
    end = START + 1200
    alone = device(kind, seed, behaviour, vendor).advance(end)
    witness = Witness("ATM-0001", kind, START)
    watched = device(kind, seed, behaviour, vendor, witness).advance(end)
    said = [telemetry.encode(message) for message in watched]
    assert said == [telemetry.encode(message) for message in alone]
    for word in (b'"silent"', b'"dark"', b'"offline":true', b"cause", b"mains-lost"):
        assert not any(word in payload for payload in said)


@given(kind=kinds, seed=seeds, behaviour=behaviours)
@settings(deadline=None, max_examples=30)
def test_numbers_grow_by_one_and_times_never_go_back(
    kind: str, seed: int, behaviour: Behaviour
) -> None:
    """Within a boot, and each boot is the one before and one: a gap is a loss and nothing else."""
    said = device(kind, seed, behaviour).advance(START + 1200)
    boots = [list(group) for _, group in groupby(said, key=lambda message: message.boot)]
    numbers = [group[0].boot for group in boots]
    assert numbers == sorted(set(numbers))
    for group in boots:
        assert [message.seq for message in group] == list(range(1, len(group) + 1))
    times = [message.ts for message in said]
    assert times == sorted(times)
    assert all(isinstance(group[0], Telemetry) for group in boots)


def settable() -> list[tuple[str, str]]:
    """Every path with a listed value that an ATM has, and each of its values."""
    present = device("atm", 1, Behaviour(stock_at_start=1, faults_per_day=0)).properties()
    return [(path, value) for path in present for value in PROPERTIES[general(path)].values]


@given(seed=seeds, wanted=st.sampled_from(settable()))
@settings(deadline=None)
def test_a_break_changes_exactly_the_named_property(seed: int, wanted: tuple[str, str]) -> None:
    """Nothing else moves, and a repair brings all of it back."""
    path, value = wanted
    calm = Behaviour(customers_per_day=0, faults_per_day=0, stock_at_start=1)
    one = device("atm", seed, calm)
    one.advance(START)
    before = one.properties()
    one.set_by_hand({path: value}, START + 1)
    assert one.properties() == before | {path: value}
    one.repair(START + 2)
    assert one.properties() == before


@given(seed=seeds, kind=kinds)
@settings(deadline=None, max_examples=20)
def test_a_fleets_size_changes_no_terminals_story(seed: int, kind: str) -> None:
    """A device knows its own name and seed, and nobody else."""
    alone = device(kind, seed, Behaviour().at_rate(60)).advance(START + 600)
    others = [Device(Origin(f"ATM-{n}", "atm", seed, 1, START), Behaviour()) for n in range(3)]
    among = device(kind, seed, Behaviour().at_rate(60))
    for other in others:
        other.advance(START + 600)
    assert among.advance(START + 600) == alone


@st.composite
def fates(draw: st.DrawFn) -> list[tuple[str, int]]:
    """What may happen to a journal, in any order."""
    return draw(
        st.lists(
            st.tuples(
                st.sampled_from(["make", "send", "acknowledge", "break", "resend"]),
                st.integers(0, 30),
            ),
            max_size=60,
        )
    )


@given(happened=fates())
def test_whatever_happens_every_message_is_sent_until_it_is_acknowledged(
    happened: list[tuple[str, int]],
) -> None:
    """Against the plainest model: a list of messages and a set of those acknowledged."""
    said = device("kiosk", 1, Behaviour(heartbeat_s=1)).advance(START + 100)
    journal = Journal()
    made: list[Outgoing] = []
    in_flight: list[Outgoing] = []
    acknowledged: set[tuple[int, int]] = set()
    for what, number in happened:
        if what == "make":
            made.append(said[len(made)])
            journal.append(made[-1])
        elif what == "send":
            if message := journal.next():
                in_flight.append(message)
        elif what == "acknowledge" and in_flight:
            message = in_flight.pop(number % len(in_flight))
            acknowledged.add(key(message))
            journal.acknowledge(key(message))
        elif what == "break":
            in_flight.clear()
            journal.rewind()
        elif what == "resend":
            journal.resend(1, number, number + 3)
    journal.rewind()
    while message := journal.next():
        acknowledged.add(key(message))
        journal.acknowledge(key(message))
    assert acknowledged == {key(message) for message in made}
    assert journal.acknowledged.get(1, 0) == len(made)
    assert all(isinstance(message, Telemetry | Event) for message in made)
