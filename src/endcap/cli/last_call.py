"""
A listening socket that lets nobody in any more, so that it can be closed without cutting anybody.

Who has connected and was not yet greeted is cut when the last descriptor of a listener is closed, and between the last
look for such and the closing there is always a moment. So new connections are kept from beginning first: the system
drops their first packet, and who sent it tries again a second later, when it is refused or another server is there.

The filter is a classic BPF program, which needs no privilege:
https://www.kernel.org/doc/html/latest/networking/filter.html
"""

import ctypes
import socket
import struct
import sys
from contextlib import suppress

_SO_ATTACH_FILTER = 26  # Linux; Python does not name it
_LOAD_BYTE, _JUMP_IF_SET, _RETURN = 0x30, 0x45, 0x06
_FLAGS_AT, _SYN = 13, 0x02  # of a TCP header, which is where the packet begins here
_NOTHING, _ALL = 0, 0xFFFF_FFFF
# Each: what to do, how many to skip if so, how many if not, with what.
_PROGRAM = (
    (_LOAD_BYTE, 0, 0, _FLAGS_AT),
    (_JUMP_IF_SET, 0, 1, _SYN),
    (_RETURN, 0, 0, _NOTHING),
    (_RETURN, 0, 0, _ALL),
)


def let_nobody_in(listener: socket.socket) -> None:
    """
    For all processes that share the socket. Connections that began before still arrive. Elsewhere than on Linux, and
    where the system does not allow it, nothing happens.
    """
    if sys.platform != "linux":
        return
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in _PROGRAM))
    with suppress(OSError):
        listener.setsockopt(
            socket.SOL_SOCKET,
            _SO_ATTACH_FILTER,
            struct.pack("HP", len(_PROGRAM), ctypes.addressof(code)),
        )
