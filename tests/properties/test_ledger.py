"""The ledger of a boot equals a plain set, however messages are shuffled and doubled."""

from hypothesis import given
from hypothesis import strategies as st

from fleet.ledger import Received

sequences = st.lists(st.integers(1, 40), max_size=120)


@given(sequences)
def test_a_number_is_new_exactly_once(numbers: list[int]) -> None:
    received, seen, doubled = Received(), set[int](), 0
    for number in numbers:
        assert (number in received) == (number in seen)
        assert received.add(number) == (number not in seen)
        doubled += number in seen
        seen.add(number)
    assert received.doubled == doubled
    assert {n for first, last in received.ranges for n in range(first, last + 1)} == seen
    highest = max(seen, default=0)
    gaps = {n for first, last in received.missing for n in range(first, last + 1)}
    assert gaps == set(range(1, highest + 1)) - seen


@given(sequences)
def test_ranges_are_disjoint_and_never_touch(numbers: list[int]) -> None:
    received = Received()
    for number in numbers:
        received.add(number)
    ranges = received.ranges
    assert all(first <= last for first, last in ranges)
    assert all(ranges[n][1] + 1 < ranges[n + 1][0] for n in range(len(ranges) - 1))


@given(sequences, sequences)
def test_a_ledger_read_back_goes_on_the_same(before: list[int], after: list[int]) -> None:
    whole, first = Received(), Received()
    for number in before:
        whole.add(number)
        first.add(number)
    second = Received(first.ranges, first.doubled)
    assert [whole.add(n) for n in after] == [second.add(n) for n in after]
    assert (whole.ranges, whole.doubled) == (second.ranges, second.doubled)


@given(sequences)
def test_what_did_not_reshape_a_ledger_only_made_its_last_range_longer(numbers: list[int]) -> None:
    """A ledger written down whenever it was reshaped, and made longer to its last number, is it."""
    received, written = Received(), Received()
    for number in numbers:
        received.add(number)
        if received.reshaped:
            written = Received(received.ranges, received.doubled)
            received.reshaped = False
    *before, (first, _) = written.ranges or [(1, 0)]
    longer = [*before, (first, received.last)] if numbers else []
    assert (longer, written.doubled) == (received.ranges, received.doubled)


@given(sequences, st.integers(1, 4))
def test_a_bounded_ledger_neither_loses_nor_doubles_a_number(numbers: list[int], most: int) -> None:
    """What it gave up it looks for, once, where the messages are stored; each gap is given up once,
    and what it calls stored besides is what is stored."""
    received, stored, given_up = Received(), set[int](), set[int]()
    for number in numbers:
        if received.is_blurred(number):
            received.sharpen((n, n) for n in sorted(stored) if n <= received.blurred_to)
        assert (number in received) == (number in stored)
        assert received.add(number) == (number not in stored)
        stored.add(number)
        spans = received.bound(most)
        gone = {n for first, last in spans for n in range(first, last + 1)}
        assert not gone & (stored | given_up)
        given_up |= gone
        assert len(received.ranges) <= most
        told = {n for first, last in received.ranges for n in range(first, last + 1)}
        assert told == stored | given_up
        if number % 2:
            received = Received(received.ranges, received.doubled, received.blurred_to)
    assert received.doubled == len(numbers) - len(stored)
