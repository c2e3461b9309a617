"""Send each answer at once: without it every request on a connection that is in use waits 40 ms.

asyncio turns Nagle's algorithm off only for sockets that were created with the protocol number of TCP, and the one that
Streamlit binds was not. A response is two writes, head and body, so the body waits for the browser's acknowledgement of
the head, which the browser delays. Opening a page takes a hundred requests.
"""

from __future__ import annotations

import socket
from typing import Any

from streamlit.web.server.starlette import starlette_server


def install_no_delay() -> None:
    """Turn Nagle's algorithm off for the connections of the server that this process starts."""
    bind = getattr(starlette_server, "_bind_socket", None)
    if bind is None:  # another version of Streamlit: slower, not broken
        return

    def bind_without_delay(*args: Any, **kwargs: Any) -> socket.socket:
        listening: socket.socket = bind(*args, **kwargs)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # connections inherit it
        return listening

    starlette_server._bind_socket = bind_without_delay
