"""Who is told of what, in which words, when, and how often it is tried."""

import re
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
import standardwebhooks

from api.notifications.channels import Channel, ChannelsError, read
from fleet.language import Language
from fleet.notifications.routing import Became, Happening, Kind, Told, told
from fleet.notifications.signing import headers, secret_bytes
from fleet.notifications.timing import MOST_ATTEMPTS, Quiet, again, due
from fleet.notifications.words import Message, digest, message, templates
from fleet.rules.severity import Severity
from fleet.sla.policy import Clock, Level
from fleet.tickets.ticket import State

SHANGHAI = ZoneInfo("Asia/Shanghai")
NIGHT = Quiet(time(22), time(7), SHANGHAI)
NOTHING = timedelta(0)
SECRET = "whsec_" + "c2VjcmV0IG9mIHRoZSB0ZXN0cywgbG9uZyBlbm91Z2g="
FACTS = {
    "ticket": 7,
    "title": "Card reader jammed",
    "severity": "major",
    "remedy": "Remove the card.",
    "cell": "C001",
    "place": "ATM-1 Site 1",
    "technician": None,
    "reason": "response breached",
    "month": "2026-10",
    "zone": "UTC",
    "version": 1,
    "cells": 3,
    "operational": "99.0000 %",
    "coverage": "100.0000 %",
    "became": "merged",
    "parent": 6,
}


@pytest.mark.parametrize(
    ("happening", "expected"),
    [
        (Happening("assign", None, None, "T01"), [Told(Kind.ASSIGNED, "T01", technician=True)]),
        (
            Happening("reopen", "fired again", None, "T01"),
            [Told(Kind.ASSIGNED, "T01", technician=True)],
        ),
        (Happening("accept", None, None, "T01"), []),
        (
            Happening("escalate", "response warning", "for operations", "T01"),
            [Told(Kind.WARNING, "operations")],
        ),
        (
            Happening("escalate", "restore breached", "for admin", None),
            [Told(Kind.BREACHED, "admin")],
        ),
        (
            Happening("escalate", "not accepted", "for operations", "T01"),
            [Told(Kind.WARNING, "operations")],
        ),
        (Happening("escalate", None, None, None), []),
    ],
)
def test_who_hears_of_what(happening: Happening, expected: list[Told]) -> None:
    """The technician of an assignment; of an escalation whom the chain names; else nobody."""
    assert list(told(happening)) == expected


@pytest.mark.parametrize(
    ("event", "state", "expected"),
    [
        ("assign", State.ASSIGNED, (Kind.CHANGED, Became.REASSIGNED)),
        ("time_out", State.ASSIGNED, (Kind.CHANGED, Became.NOT_ACCEPTED)),
        ("recover", State.ASSIGNED, (Kind.CHANGED, Became.RESOLVED)),
        ("recover", State.ACCEPTED, (Kind.CHANGED, Became.RECOVERED)),
        ("recover", State.EN_ROUTE, (Kind.UNDER_WAY, Became.RECOVERED)),
        ("recover", State.ON_SITE, None),
        ("recover", State.RESOLVED, None),
        ("hand_over", State.ON_HOLD, (Kind.CHANGED, Became.HANDED_OVER)),
        ("hand_over", State.EN_ROUTE, (Kind.UNDER_WAY, Became.HANDED_OVER)),
        ("cancel", State.ON_SITE, (Kind.UNDER_WAY, Became.CANCELLED)),
        ("cancel", State.RESOLVED, None),
        ("cancel", State.NEW, None),
        ("merge", State.ACCEPTED, (Kind.CHANGED, Became.MERGED)),
        ("hold", State.EN_ROUTE, (Kind.UNDER_WAY, Became.HELD)),
        ("resume", State.ON_HOLD, (Kind.CHANGED, Became.RESUMED)),
        ("relapse", State.EN_ROUTE, (Kind.UNDER_WAY, Became.RELAPSED)),
        ("relapse", State.ON_SITE, None),
        ("rate", State.EN_ROUTE, None),
    ],
)
def test_whoever_had_a_ticket_hears_what_became_of_it(
    event: str, state: State, expected: tuple[Kind, Became] | None
) -> None:
    """At once under way, by the usual rules else; never of their own doing."""
    what = Happening(event, None, None, None, "T01", state, gone=True)
    told_them = [Told(expected[0], "T01", technician=True, became=expected[1])] if expected else []
    assert list(told(what)) == told_them
    assert list(told(replace(what, by="T01"))) == []
    assert list(told(replace(what, had=None))) == []


def test_of_a_fault_that_is_back_hears_who_heard_that_it_was_gone() -> None:
    back = Happening("relapse", None, None, "T01", "T01", State.EN_ROUTE)
    assert list(told(back)) == []


def test_a_ticket_given_to_whoever_had_it_is_not_taken_from_them() -> None:
    """Pinned to them by hand, say: they hear of the assignment alone."""
    again = Happening("assign", None, None, "T01", "T01", State.ASSIGNED)
    assert list(told(again)) == [Told(Kind.ASSIGNED, "T01", technician=True)]


@pytest.mark.parametrize(
    ("hour", "minute", "until"),
    [(21, 59, (24, 21, 59)), (22, 0, (25, 7, 0)), (23, 30, (25, 7, 0)), (6, 59, (24, 7, 0))],
)
def test_quiet_hours_over_midnight_end_in_the_morning(
    hour: int, minute: int, until: tuple[int, int, int]
) -> None:
    """From ten at night to seven; what happens at their end is told."""
    at = datetime(2026, 11, 24, hour, minute, tzinfo=SHANGHAI)
    day, hour_, minute_ = until
    assert due(at, NIGHT, NOTHING) == datetime(2026, 11, day, hour_, minute_, tzinfo=SHANGHAI)
    seven = datetime(2026, 11, 24, 7, tzinfo=SHANGHAI)
    assert due(seven, NIGHT, NOTHING) == seven


def test_a_digest_ends_for_all_that_is_in_it_at_once() -> None:
    """Half-hours; one that ends in the night is read in the morning."""
    half = timedelta(minutes=30)
    for minute in (0, 1, 29):
        at = datetime(2026, 11, 24, 8, minute, tzinfo=UTC)
        assert due(at, None, half) == datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
    late = datetime(2026, 11, 24, 21, 40, tzinfo=SHANGHAI)
    assert due(late, NIGHT, half) == datetime(2026, 11, 25, 7, tzinfo=SHANGHAI)


def test_each_attempt_waits_longer_until_it_is_given_up() -> None:
    """5 s, 10 s, 20 s … an hour at the most; over a night, then no more."""
    waits = [again(attempt) for attempt in range(1, MOST_ATTEMPTS + 1)]
    assert waits[:3] == [timedelta(seconds=seconds) for seconds in (5, 10, 20)]
    tried = [wait for wait in waits if wait is not None]
    assert tried == sorted(tried)
    assert max(tried) == timedelta(hours=1)
    assert sum(tried, NOTHING) > timedelta(hours=6)
    assert waits[-1] is None


@pytest.mark.parametrize("kind", Kind)
def test_both_languages_say_the_same_facts(kind: Kind) -> None:
    """The same placeholders; each is filled, and what is not there reads as nobody."""
    used = {}
    for language in Language:
        said = message(kind, FACTS, language)
        assert "{" not in said.title + said.body
        template = templates(language)[kind]
        used[language] = set(re.findall(r"{(\w+)}", template["title"] + template["body"]))
    assert used[Language.ENGLISH] == used[Language.CHINESE]
    assert "无" in message(Kind.BREACHED, FACTS, Language.CHINESE).body


@pytest.mark.parametrize("became", Became)
def test_both_languages_say_what_became_of_a_ticket(became: Became) -> None:
    """And of which, in words: no code, no placeholder."""
    facts = FACTS | {"became": became, "technician": "T02"}
    titles = {message(Kind.CHANGED, facts, language).title for language in Language}
    assert len(titles) == 2
    for title in titles:
        assert "7" in title
        assert "{" not in title
        assert ("6" in title) is (became is Became.MERGED)
        assert ("T02" in title) is (became is Became.REASSIGNED)


CLOCKS = [f"{clock} {level}" for clock in Clock for level in (Level.WARNING, Level.BREACHED)]
ELSE = ["declined", "not accepted", "account disabled", "absent"]


@pytest.mark.parametrize("reason", [*CLOCKS, *ELSE])
def test_an_escalation_says_what_is_the_matter(reason: str) -> None:
    """Late is only what is late; and in Chinese there is no English."""
    facts = FACTS | {"reason": reason}
    english, chinese = (
        message(Kind.WARNING, facts, language).title
        for language in (Language.ENGLISH, Language.CHINESE)
    )
    assert ("late" in english, "超时" in chinese) == (
        (True, True) if reason in CLOCKS else (False, False)
    )
    assert not re.search("[a-z]", chinese)


@pytest.mark.parametrize("severity", Severity)
def test_a_technician_reads_the_severity_in_their_language(severity: Severity) -> None:
    """No code in the middle of Chinese."""
    facts = FACTS | {"severity": severity, "remedy": "", "place": "1", "cell": "1"}
    assert severity in message(Kind.ASSIGNED, facts, Language.ENGLISH).body
    assert not re.search("[a-z]", message(Kind.ASSIGNED, facts, Language.CHINESE).body)


def test_a_reason_that_has_no_words_is_told_as_it_is() -> None:
    """What was queued by a later version must not stop the rest."""
    assert (
        "so be it" in message(Kind.WARNING, FACTS | {"reason": "so be it"}, Language.CHINESE).title
    )


def test_several_messages_are_one_and_one_is_itself() -> None:
    first, second = Message("One", "1"), Message("Two", "2")
    assert digest([first], Language.CHINESE) is first
    both = digest([first, second], Language.ENGLISH)
    assert both == Message("2 messages", "One\n  1\nTwo\n  2")


def test_a_foreign_receiver_accepts_the_signature_and_nothing_else() -> None:
    """The reference implementation of Standard Webhooks, which knows the secret alone."""
    receiver = standardwebhooks.Webhook(SECRET)
    body = '{"title": "工单"}'.encode()
    now = int(datetime.now(UTC).timestamp())
    signed = headers(secret_bytes(SECRET), "d-1", now, body)
    assert receiver.verify(body, signed) == {"title": "工单"}
    for wrong in (
        signed | {"webhook-id": "d-2"},
        signed | {"webhook-timestamp": str(now + 1)},
        headers(secret_bytes(SECRET), "d-1", now - 3600, body),
        headers(b"another secret, as long as this", "d-1", now, body),
    ):
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            receiver.verify(body, wrong)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("channels: {a: {to: [operations]}}", "channels.a.url"),
        ("channels: {a: {to: [], url: 'hunter2'}}", "channels.a.to"),
        ("channels: {a: {to: [x], url: 'hunter2', secret: 'hunter2'}}", "channels.a.secret"),
        ("channels: {a: {to: [x], url: 'hunter2', quiet: '25:00-26:00'}}", "channels.a.quiet"),
        ("channels: {a: {to: [x], url: 'hunter2', quiet: '22:00-22:00'}}", "channels.a.quiet"),
        ("channels: {a: {to: [x], url: 'hunter2', time_zone: Mars}}", "channels.a.time_zone"),
        ("channels: {a: {to: [x], url: 'hunter2'}}", "channels.a: url: Apprise"),
        ("channels: [hunter2", "is not YAML in line"),
        ("", "channels: Field required"),
        ("channels: {a: {to: [operation], url: 'hunter2'}}", "a.to: did you mean operations?"),
        ("channels: {a: {to: [Technician], url: 'hunter2'}}", "a.to: did you mean technicians?"),
        ("channels: {a: {to: [x], url: 'hunter2', secret: 'whsec_…'}}", "must be 24 bytes or more"),
        (f"channels: {{a: {{to: [x], url: 'hunter2', secret: '{SECRET}'}}}}", "url: a webhook is"),
        (f"channels: {{a: {{to: [x], url: 'ftp://hunter2', secret: '{SECRET}'}}}}", "url: a webh"),
        ("channels: {a: {to: [x], url: 'ntfys://hunter2/{tecnician}'}}", "only {technician} is"),
        (
            "channels:\n  a: {to: [x], url: 'ntfys://x/y'}\n  a: {to: [x], url: 'ntfys://x/z'}",
            "a name stands twice, again in line 3",
        ),
    ],
)
def test_a_wrong_file_of_channels_is_refused_without_quoting_it(
    tmp_path: Path, text: str, says: str
) -> None:
    """It says where, and never what stands there: that may be a secret."""
    file = tmp_path / "channels.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ChannelsError) as refused:
        read(file)
    assert says in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_file_of_channels_in_another_encoding_is_no_traceback(tmp_path: Path) -> None:
    file = tmp_path / "channels.yaml"
    file.write_bytes("channels: {值班: hunter2}".encode("gbk"))
    with pytest.raises(ChannelsError, match="is not UTF-8"):
        read(file)


def test_a_code_of_signs_that_mean_something_in_a_url_is_told_at_its_own_address() -> None:
    """T#1 and T are two technicians: what stands after # is not sent, so T would be told."""
    channel = Channel(to=["technicians"], url="https://x.test/to/{technician}?a=1", secret=SECRET)
    for code, path in {"T": "/to/T", "T#1": "/to/T%231", "a?b&c": "/to/a%3Fb%26c"}.items():
        assert httpx.URL(channel.address(code)).raw_path.decode() == f"{path}?a=1"


def test_no_file_is_no_channels(tmp_path: Path) -> None:
    assert read(None) == {}
    with pytest.raises(ChannelsError, match="No such file"):
        read(tmp_path / "nothing.yaml")
