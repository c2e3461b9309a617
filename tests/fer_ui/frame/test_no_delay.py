"""Answers are sent at once."""

from __future__ import annotations

import socket

import pytest
from streamlit.web.server.starlette import starlette_server

from fer_ui.frame.no_delay import install_no_delay


def test_connections_of_the_server_do_not_wait_to_send(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starlette_server, "_bind_socket", starlette_server._bind_socket)  # restored afterwards
    install_no_delay()
    with starlette_server._bind_socket("127.0.0.1", 0, 1) as listening:
        listening.setblocking(True)
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
