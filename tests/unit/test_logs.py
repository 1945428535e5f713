"""Logs are one event a line, as JSON."""

import json

import pytest
import structlog

from fleet import logs


def test_an_event_is_a_line_of_json_with_its_level_and_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Below the level that was asked for nothing is said; an error keeps to its line, too."""
    try:
        logs.configure("info")
        log = structlog.get_logger()
        log.debug("unheard")
        log.info("region taken", region="region-01", epoch=3)
        try:
            raise ValueError("two\nlines")
        except ValueError:
            log.exception("region begins again")
    finally:
        structlog.reset_defaults()
    taken, again = map(json.loads, capsys.readouterr().err.splitlines())
    assert (taken["event"], taken["level"], taken["region"], taken["epoch"]) == (
        "region taken",
        "info",
        "region-01",
        3,
    )
    assert taken["timestamp"].endswith("Z")
    assert again["level"] == "error"
    assert "two\nlines" in again["exception"]
