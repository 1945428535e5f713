"""A broker's address."""

import ssl

import pytest

from fleet.mqtt import Broker, trust
from fleet.mqtt.credentials import terminal_password


def test_a_url_names_host_port_and_account() -> None:
    """Percent signs as in any url: passwords hold what they like."""
    broker = Broker.parse("mqtt://api:p%40ss%2Fword@127.0.0.1:28883")
    assert (broker.host, broker.port, broker.username) == ("127.0.0.1", 28883, "api")
    assert broker.password == "p@ss/word"
    assert broker.tls is None


def test_the_usual_ports_are_understood() -> None:
    """And mqtts verifies the broker's certificate."""
    assert Broker.parse("mqtt://host").port == 1883
    secure = Broker.parse("mqtts://[::1]")
    assert (str(secure), secure.port) == ("[::1]:8883", 8883)
    assert secure.tls is not None
    assert secure.tls.verify_mode is ssl.CERT_REQUIRED


def test_certificates_for_a_line_in_the_clear_are_a_mistake() -> None:
    """Somebody believes it to be secured."""
    with pytest.raises(ValueError, match="mqtts://"):
        Broker.parse("mqtt://host", trust())


@pytest.mark.parametrize(
    "url", ["http://h", "mqtt://", "mqtt://u:hunter2@h:99999", "mqtt://u:hunter2@h/topic", "h:1883"]
)
def test_what_is_no_broker_is_refused_without_showing_the_password(url: str) -> None:
    """The message ends in a log."""
    with pytest.raises(ValueError, match="broker's url") as caught:
        Broker.parse(url)
    assert "hunter2" not in str(caught.value)


def test_the_password_shows_in_no_repr() -> None:
    """Nor through another account of the same broker."""
    broker = Broker.parse("mqtt://a:hunter2@h").account("b", "hunter3")
    assert broker.username == "b"
    assert "hunter" not in f"{broker!r} {broker}"


def test_a_terminals_password_follows_from_the_secret_and_its_name() -> None:
    """The same on both sides, for ever: a changed rule locks a fleet out."""
    assert terminal_password("secret", "ATM-0001") == terminal_password("secret", "ATM-0001")
    assert terminal_password("secret", "ATM-0001") == "29bfe9600399ba697b653a3cafefee21"
    assert terminal_password("secret", "ATM-0002") != terminal_password("secret", "ATM-0001")
