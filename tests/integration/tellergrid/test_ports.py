"""Ports that are given out: nobody takes them by chance before they are listened on."""

import socket

from tellergrid.stack.ports import LOOPBACK, free_port


def test_a_port_is_given_once_and_is_none_for_outgoing_connections() -> None:
    """A hundred; each can be listened on, and the system would give none to whoever connects."""
    given = [free_port() for _ in range(100)]
    assert len(set(given)) == len(given)
    with socket.create_server((LOOPBACK, 0)) as taken_by_the_system:
        assert max(given) < taken_by_the_system.getsockname()[1]
    for port in given:
        socket.create_server((LOOPBACK, port)).close()


def test_a_port_that_somebody_listens_on_is_not_given() -> None:
    """Not while it is held, nor afterwards."""
    port = free_port()
    with socket.create_server((LOOPBACK, port)):
        assert free_port() != port
