"""Real traffic on a real broker: recorded, masked, played again at another speed."""

import asyncio
import time
from datetime import datetime
from io import BytesIO
from pathlib import Path

import msgspec
import pytest

from fleet.mqtt import Broker, Session, connect
from simulator import recording
from simulator.errors import RecordingError, SimulatorError
from tests.engines import BrokerServer
from tests.integration.simulator.test_fleet import plan, playing, watching

CARD = b"4111111111111111"


async def test_what_was_recorded_is_played_again_without_its_card_numbers(
    broker: BrokerServer, tmp_path: Path
) -> None:
    """A fleet talks, somebody sends a card number and noise; all of it, masked, comes again.

    The second time nobody else speaks: what is heard then is the recording, in later boots.
    """
    tester = Broker.parse(broker.url("tester"))
    file, stopped, counts = BytesIO(), asyncio.Event(), [0]
    task = asyncio.create_task(
        recording.record(tester, file, recording.FLEET, stopped, counts.append)
    )
    async with watching(broker) as watcher:
        async with playing(broker, plan(tmp_path)):
            stray = await connect(tester, Session("stray"), lambda *_: None)
            topic = "fleet/v1/region-01/ATM-0001/telemetry"
            await watcher.until(lambda: sum(map(len, watcher.seen.values())) > 30)
            await stray.publish("fleet/v1/region-01/ATM-0001/x", b'{"pan":"%s"}' % CARD)
            await stray.publish("fleet/v1/region-01/ATM-0001/x", b"\xff\xfe\x00")
            await stray.disconnect()
        heard = {key for key, seqs in watcher.seen.items() for _ in seqs}
    stopped.set()
    assert await task == counts[-1] > 30
    assert CARD not in file.getvalue()
    path = tmp_path / "traffic.jsonl"
    path.write_bytes(file.getvalue())
    messages = list(recording.read(path))
    assert [m.content for m in messages if m.raw] == [b"\xff\xfe\x00"]
    ours = [m for m in messages if not m.topic.endswith("/x")]
    async with watching(broker) as watcher:
        began = time.time()
        played = await recording.replay(
            tester, iter(ours), lambda _: None, speed=0, retime=True, boots=100
        )
        assert played == len(ours)
        await watcher.until(lambda: {(t, b - 100) for t, b in watcher.seen if b > 100} == heard)
        said = [
            _said_at(payload)
            for (_, boot, _), payloads in watcher.payloads.items()
            for payload in payloads
            if boot > 100
        ]
    assert topic in {message.topic for message in ours}
    late_s = max(m.at - _said_at(m.content) for m in ours)  # how late any was when it was recorded
    assert min(said) >= began - late_s - 0.01


def _said_at(payload: bytes) -> float:
    at = datetime.fromisoformat(msgspec.json.decode(payload)["ts"])
    return at.timestamp()


async def test_speed_divides_the_time_between_messages(broker: BrokerServer) -> None:
    """Four seconds of traffic at twenty times the speed; the order stays."""
    tester = Broker.parse(broker.url("tester"))
    at = time.time()
    kept = [recording.recorded(f"fleet/v1/r/T/{n}", b"%d" % n, at + n) for n in range(5)]
    began = time.monotonic()
    assert await recording.replay(tester, iter(kept), lambda _: None, speed=20) == 5
    assert time.monotonic() - began >= 0.2


def test_a_recording_that_is_none_is_refused_naming_the_line(tmp_path: Path) -> None:
    """And one that is not there."""
    path = tmp_path / "traffic.jsonl"
    path.write_text('{"at":1,"topic":"a","payload":"b"}\nrubbish\n')
    with pytest.raises(RecordingError, match=r"traffic\.jsonl:2"):
        list(recording.read(path))
    with pytest.raises(SimulatorError, match="none"):
        list(recording.read(tmp_path / "none.jsonl"))


def test_only_time_and_boot_are_another_when_it_is_played_again() -> None:
    """And what is no message of ours is left as it was."""
    message = recording.recorded("t", b'{"ts":"2026-11-23T08:00:00+08:00","boot":3,"seq":7}', 1)
    moved = msgspec.json.decode(recording.again(message, 60, 10))
    assert moved == {"ts": "2026-11-23T08:01:00+08:00", "boot": 13, "seq": 7}
    for payload in (b"[1]", b"no json", b'{"ts":"soon"}'):
        assert recording.again(recording.recorded("t", payload, 1), 60, 10) == payload


@pytest.mark.parametrize("topic", ["fleet/#", "", "x" * 70_000])
async def test_a_message_that_cannot_be_sent_is_named(broker: BrokerServer, topic: str) -> None:
    """A recording that somebody edited: it was a traceback."""
    tester = Broker.parse(broker.url("tester"))
    kept = [recording.Recorded(1, "fleet/v1/r/T/1", "a"), recording.Recorded(1, topic, "a")]
    with pytest.raises(RecordingError, match="message 2: "):
        await recording.replay(tester, iter(kept), lambda _: None)


async def test_a_refusal_is_told_whatever_follows_it(broker: BrokerServer) -> None:
    """The account may not write one topic of several."""
    tester = Broker.parse(broker.url("tester"))
    kept = [recording.Recorded(1, topic, "a") for topic in ("other/x", "fleet/v1/r/T/1")]
    with pytest.raises(SimulatorError, match="NOT_AUTHORIZED"):
        await recording.replay(tester, iter(kept), lambda _: None)


def test_what_is_no_utf8_is_refused_naming_the_line(tmp_path: Path) -> None:
    """JSON all around it: it was a traceback."""
    path = tmp_path / "traffic.jsonl"
    path.write_bytes(b'{"at":1,"topic":"a","payload":"\xff"}\n')
    with pytest.raises(RecordingError, match=r"traffic\.jsonl:1"):
        list(recording.read(path))


@pytest.mark.parametrize("topic", ["fleet/#/x", ""])
async def test_a_filter_that_is_none_leaves_an_older_recording(
    broker: BrokerServer, topic: str
) -> None:
    """A slip in --topic is an error, and costs nothing that was recorded before."""
    tester, older = Broker.parse(broker.url("tester")), BytesIO(b"older")
    with pytest.raises(SimulatorError):
        await recording.record(tester, older, topic, asyncio.Event(), lambda _: None)
    assert older.getvalue() == b"older"
