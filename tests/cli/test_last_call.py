"""
The end of a listening socket: who was let in is served, and nobody else comes in.
"""

import socket
import sys

import pytest

from endcap.cli.last_call import let_nobody_in

WAIT_SECONDS = 0.3
SECONDS_MAX = 10.0


@pytest.mark.skipif(sys.platform != "linux", reason="a filter of Linux")
def test_who_was_let_in_is_served_and_nobody_else_comes_in() -> None:
    """And once the socket is closed, who comes is told so."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        with socket.create_connection(address, SECONDS_MAX) as before:
            let_nobody_in(listener)
            with pytest.raises(TimeoutError):
                socket.create_connection(address, WAIT_SECONDS)
            before.sendall(b"asked")
            served, _ = listener.accept()
            with served:
                listener.settimeout(WAIT_SECONDS)
                with pytest.raises(TimeoutError):
                    listener.accept()
                assert served.recv(5) == b"asked"
                served.sendall(b"answered")
                assert before.recv(8) == b"answered"

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, SECONDS_MAX)


@pytest.mark.skipif(sys.platform != "linux", reason="a filter of Linux")
def test_all_who_share_the_socket_let_nobody_in() -> None:
    """The supervisor says it once for all workers."""
    with socket.create_server(("127.0.0.1", 0)) as listener, listener.dup() as shared:
        let_nobody_in(shared)

        with pytest.raises(TimeoutError):
            socket.create_connection(listener.getsockname(), WAIT_SECONDS)
