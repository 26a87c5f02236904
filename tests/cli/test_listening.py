"""Sockets that several server processes share an address with."""

import select
import socket

import pytest

from trackai.cli.http import listening, listening_together
from trackai.errors import ConfigurationError

HOST = "127.0.0.1"
CONNECTIONS = 200
PATIENCE_S = 60.0


def _taken(*listeners: socket.socket) -> list[int]:
    """Accept all connections; return how many each has. One may come after it was made."""
    shares = [0] * len(listeners)
    while sum(shares) < CONNECTIONS:
        ready, _, _ = select.select(listeners, [], [], PATIENCE_S)
        assert ready, shares
        for one in ready:
            one.accept()[0].close()
            shares[listeners.index(one)] += 1
    return shares


def _connect(port: int) -> list[socket.socket]:
    return [socket.create_connection((HOST, port), 5) for _ in range(CONNECTIONS)]


def test_connections_are_spread_over_all() -> None:
    with listening_together(HOST, 0, 2) as listeners:
        ports = {listener.getsockname()[1] for listener in listeners}
        made = _connect(ports.pop())
        shares = _taken(*listeners)
        for one in made:
            one.close()

    assert ports == set()
    assert min(shares) > CONNECTIONS // 5


def test_one_that_ends_leaves_all_to_the_others() -> None:
    with listening_together(HOST, 0, 2) as (first, second):
        second.close()
        made = _connect(first.getsockname()[1])
        (share,) = _taken(first)
        for one in made:
            one.close()

    assert share == CONNECTIONS


@pytest.mark.parametrize("count", [1, 2])
def test_an_address_that_another_program_has_is_refused(count: int) -> None:
    with listening(HOST, 0) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(ConfigurationError, match=str(port)),
            listening_together(HOST, port, count),
        ):
            pass


def test_an_address_that_others_share_already_is_refused() -> None:
    with listening_together(HOST, 0, 2) as others:
        port = others[0].getsockname()[1]
        with (
            pytest.raises(ConfigurationError, match=str(port)),
            listening_together(HOST, port, 2),
        ):
            pass
