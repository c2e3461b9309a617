"""A server with the scripts of Live and nothing else, to run them in a browser without Streamlit."""

from __future__ import annotations

import threading
import time

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from fer_ui.live.web_files import ROUTES

_HTML = '<!doctype html><meta charset="utf-8"><title>Live scripts</title><body>'


async def _blank(request: Request) -> Response:
    del request
    return HTMLResponse(_HTML)


class WebApp:
    """Serves on a free loopback port, in a thread."""

    def __init__(self) -> None:
        routes = [Route("/", _blank), *(Route(f"/{path}", serve) for path, serve in ROUTES)]
        options = uvicorn.Config(Starlette(routes=routes), host="127.0.0.1", port=0, log_level="warning")
        self._server = uvicorn.Server(options)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def start(self) -> None:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.02)

    @property
    def url(self) -> str:
        (server,) = self._server.servers
        host, port = server.sockets[0].getsockname()
        return f"http://{host}:{port}"

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
