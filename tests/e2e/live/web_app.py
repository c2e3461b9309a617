"""A server with the scripts of Live and nothing else, to run them in a browser without Streamlit."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def run_web_app() -> Iterator[str]:
    """Serve on a free loopback port, in a thread; yields the URL."""
    routes = [Route("/", _blank), *(Route(f"/{path}", serve) for path, serve in ROUTES)]
    options = uvicorn.Config(Starlette(routes=routes), host="127.0.0.1", port=0, log_level="warning")
    server = uvicorn.Server(options)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    host, port = server.servers[0].sockets[0].getsockname()
    yield f"http://{host}:{port}"
    server.should_exit = True
    thread.join(10)
