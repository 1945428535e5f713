"""What the command line says of what was typed wrongly, and how it ends."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from typer.testing import CliRunner

from collector.settings import Settings as CollectorSettings
from tellergrid.cli import _COMMANDS, app
from tellergrid.settings import Settings

RUN = CliRunner()
UNREADABLE = "postgresql://somebody:hun%zzter2@127.0.0.1:1/x"
NOBODY_LISTENS = "postgresql://somebody@127.0.0.1:1/x"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was ever started here."""
    monkeypatch.setenv("TELLERGRID_HOME", str(tmp_path / "nothing"))
    for name in ("DATABASE_URL", "BROKER_URL", "API_PORT"):
        monkeypatch.delenv(f"TELLERGRID_{name}", raising=False)


def test_the_help_names_every_command() -> None:
    """Those that have commands of their own, too: their lines had a text and no name."""
    said = RUN.invoke(app, ["--help"]).output
    named = {words[1] for line in said.splitlines() if len(words := line.split()) > 2}
    assert set(_COMMANDS) <= named


def test_brackets_are_text() -> None:
    """Rich took them for markup: a traceback for one, nothing at all in the place of another."""
    for typed in ("[/x]", "[bold]"):
        found = RUN.invoke(app, ["logs", typed])
        assert found.exit_code == 1
        assert f"There is no log of {typed} here." in found.output


def test_a_path_is_no_part(tmp_path: Path) -> None:
    """pathlib looks for no pattern that begins with a slash: a traceback."""
    (tmp_path / "nothing").mkdir()
    found = RUN.invoke(app, ["logs", "/etc/passwd"])
    assert (found.exit_code, found.output) == (1, "error: There is no log of /etc/passwd here.\n")


def test_a_wrong_setting_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELLERGRID_API_PORT", "many")
    found = RUN.invoke(app, ["status"])
    assert found.exit_code == 2
    assert "error: TELLERGRID_API_PORT: " in found.output


def test_a_url_that_cannot_be_read_is_refused_and_never_quoted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """psycopg's own words for it quote the password."""
    monkeypatch.setenv("TELLERGRID_DATABASE_URL", UNREADABLE)
    found = RUN.invoke(app, ["uptime", "C001"])
    assert found.exit_code == 2
    assert "TELLERGRID_DATABASE_URL" in found.output
    for settings in (Settings, CollectorSettings):
        with pytest.raises(ValidationError) as refused:
            settings()
        assert "hun" not in found.output + str(refused.value)
    monkeypatch.setenv("TELLERGRID_DATABASE_URL", NOBODY_LISTENS)
    assert Settings().database_url == NOBODY_LISTENS
    given = CollectorSettings(broker_url=SecretStr("mqtt://x"))
    assert given.database_url.get_secret_value() == NOBODY_LISTENS


@pytest.mark.parametrize("command", [["loss"], ["verify"]], ids=" ".join)
@pytest.mark.parametrize("url", ["", NOBODY_LISTENS], ids=["no stack", "no database"])
def test_an_audit_that_cannot_look_does_not_say_that_something_is_wrong(
    command: list[str], url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1 is a loss or a forgery; this is neither."""
    monkeypatch.setenv("TELLERGRID_DATABASE_URL", url)
    heads = tmp_path / "heads.jsonl"
    heads.touch()
    more = ["--heads", str(heads), "--key", "0" * 64] if command == ["verify"] else []
    assert RUN.invoke(app, ["audit", *command, *more]).exit_code == 2


@pytest.mark.parametrize("number", ["inf", "nan", "0", "-1"])
@pytest.mark.parametrize(("command", "option"), [("score", "--hours"), ("backfill", "--days")])
def test_what_would_never_end_is_refused(command: str, option: str, number: str) -> None:
    found = RUN.invoke(app, [command, f"{option}={number}"])
    assert found.exit_code == 2
    assert option in found.output


def test_a_key_that_is_none_is_refused() -> None:
    found = RUN.invoke(app, ["audit", "verify", "--key", "zzz"])
    assert found.exit_code == 2
    assert "--key" in found.output


def test_without_a_stack_no_simulator_answers() -> None:
    assert RUN.invoke(app, ["repair", "ATM-0001"]).exit_code == 3


@pytest.mark.parametrize("command", ["cells", "terminals", "technicians"])
def test_a_file_in_another_encoding_is_refused(command: str, tmp_path: Path) -> None:
    """As a spreadsheet in China saves it."""
    file = tmp_path / "file"
    file.write_bytes("code,name\n北京,x\n".encode("gbk"))
    found = RUN.invoke(app, [command, "import", str(file)])
    assert found.exit_code == 1
    assert "is not UTF-8 (byte 10)" in found.output.replace("\n", "")


@pytest.mark.parametrize("around", ["91,0", "0,181", "nan,0", "30", "x,y"])
def test_hexagons_lie_on_the_earth(around: str) -> None:
    """Latitude 91 gave a grid, beyond the pole."""
    found = RUN.invoke(app, ["cells", "generate", f"--around={around}"])
    assert found.exit_code == 2
    assert "LATITUDE,LONGITUDE" in found.output


@pytest.mark.parametrize("rings", [-1, 101, 100_000])
def test_there_are_as_many_hexagons_as_a_machine_can_hold(rings: int) -> None:
    """A hundred thousand rings were a traceback, and a thousand took all the memory."""
    found = RUN.invoke(app, ["cells", "generate", "--around=30,120", f"--rings={rings}"])
    assert found.exit_code == 2
    assert f"rings must be from 0 to 100, not {rings}" in found.output


def test_a_page_of_scores_has_a_folder_before_anything_is_played(tmp_path: Path) -> None:
    """A month of virtual time was played, and then nothing was told of it."""
    found = RUN.invoke(app, ["score", "quiet", "--html", str(tmp_path / "none" / "score.html")])
    assert found.exit_code == 2
    assert "--html" in found.output


def test_a_truth_is_of_one_scenario(tmp_path: Path) -> None:
    """Of two it was a traceback."""
    found = RUN.invoke(app, ["score", "quiet", "payday", "--truth", str(tmp_path / "truth.jsonl")])
    assert found.exit_code == 2
    assert "name one" in found.output


def test_a_folder_that_cannot_be_is_no_traceback(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    found = RUN.invoke(app, ["certificates", str(file), "--terminals", "1"])
    assert found.exit_code == 1
    assert "File exists" in found.output


def test_a_broker_at_no_port_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELLERGRID_BROKER_URL", "mqtt://127.0.0.1:99999")
    found = RUN.invoke(app, ["simulate", "--terminals", "1"])
    assert found.exit_code == 1
    assert "the port in a broker's url" in found.output


def test_rules_that_are_none_are_refused(tmp_path: Path) -> None:
    found = RUN.invoke(app, ["recut", "ATM-0001", "--rules", str(tmp_path / "none")])
    assert found.exit_code == 1
    assert "is not a folder" in found.output.replace("\n", "")


@pytest.mark.parametrize("url", ["", "mqtt://somebody@127.0.0.1:1"], ids=["no stack", "no broker"])
def test_a_recording_stays_where_no_broker_is_reached(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was emptied first."""
    monkeypatch.setenv("TELLERGRID_BROKER_URL", url)
    file = tmp_path / "monday.jsonl"
    file.write_text("precious")
    assert RUN.invoke(app, ["record", str(file), "--for", "1s"]).exit_code == 1
    assert file.read_text() == "precious"


@pytest.mark.parametrize("command", ["backtest", "explain"])
def test_why_a_catalogue_cannot_be_used_is_no_answer(command: str, tmp_path: Path) -> None:
    """Whoever reads the answers of --json was given it as one."""
    (tmp_path / "rules.yaml").write_text("rules: 7\n")
    typed = {"backtest": [str(tmp_path)], "explain": ["ATM-1", "--catalogue", str(tmp_path)]}
    found = RUN.invoke(app, ["rules", command, *typed[command], "--json"])
    assert (found.exit_code, found.stdout) == (2, "")
    assert "rules.yaml" in found.stderr
