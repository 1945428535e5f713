"""Passwords and tokens."""

from datetime import UTC, datetime, timedelta
from unittest.mock import Mock
from uuid import uuid4

import pytest
from argon2 import PasswordHasher, extract_parameters
from pydantic import ValidationError

from api.accounts import tokens
from api.accounts.passwords import hashed, matches
from api.accounts.schemas import AccountChange
from api.accounts.tokens import issue, read
from api.errors import Unauthenticated
from api.events.position import Position
from api.seed import demo_accounts
from fleet.demo import grid

SECRET = "a secret of the tests, 32 bytes or more"


def test_a_password_matches_its_own_hash_alone() -> None:
    """Salted: the same password has another hash every time."""
    first, second = hashed("correct horse"), hashed("correct horse")
    assert first != second
    assert first.startswith("$argon2id$")
    assert matches(first, "correct horse")
    assert not matches(first, "wrong horse")
    assert not matches("not a hash", "correct horse")


def test_an_unknown_account_costs_what_a_known_one_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the time it takes nobody learns which accounts there are: one hash of the same cost."""
    known, verified = hashed("correct horse"), list[str]()
    verify = PasswordHasher.verify

    def recording(hasher: PasswordHasher, stored: str, password: str) -> bool:
        verified.append(stored)
        return verify(hasher, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", recording)
    assert not matches(None, "wrong horse")
    assert not matches(known, "wrong horse")
    costs = [extract_parameters(each) for each in verified]
    assert len(costs) == 2
    assert costs[0] == costs[1]


def test_a_token_says_who_and_until_when() -> None:
    """What was issued is read; another secret reads nothing."""
    now = datetime.now(UTC).replace(microsecond=0)
    session = uuid4()
    token = issue(SECRET, "tech01", "technician", session, now, timedelta(minutes=5))
    claims = read(SECRET, token)
    assert (claims.username, claims.role) == ("tech01", "technician")
    assert claims.session == session
    assert claims.expires_at == now + timedelta(minutes=5)
    with pytest.raises(Unauthenticated):
        read(SECRET[::-1], token)


def test_a_token_that_was_good_expires_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read before and after its end: that it was good once makes it no better."""
    now = datetime.now(UTC)
    token = issue(SECRET, "t01", "technician", uuid4(), now, timedelta(minutes=15))
    assert read(SECRET, token) == read(SECRET, token)

    later = Mock(wraps=datetime)
    later.now.return_value = now + timedelta(minutes=15)
    monkeypatch.setattr(tokens, "datetime", later)
    with pytest.raises(Unauthenticated, match="expired"):
        read(SECRET, token)


def test_a_place_in_the_feed_is_read_as_it_was_written() -> None:
    """Ids of events come back as `Last-Event-ID`."""
    for position in (Position.before("811"), Position("811", 0, 42), Position("9", 1, 1)):
        assert Position.parse(str(position)) == position


def test_everybody_of_the_demo_has_an_account() -> None:
    """Three for staff, one for each technician, each with the password it was given."""
    people = grid(7, 40)
    accounts = demo_accounts(people, lambda username: f"for {username}")
    assert [one.username for one in accounts[:4]] == ["admin", "ops", "tester", "tech01"]
    assert len(accounts) == 3 + len(people.technicians)
    assert all(one.password == f"for {one.username}" for one in accounts)
    assert "for admin" not in repr(accounts)


def test_a_password_of_half_characters_is_refused() -> None:
    """JSON can write them, and nothing can hash them; what it was is not said."""
    with pytest.raises(ValidationError, match="must be text of whole characters") as refused:
        AccountChange.model_validate({"password": "\ud800" * 12})
    assert "ud800" not in str(refused.value)
