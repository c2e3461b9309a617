"""Access control: a token is required wherever other machines can reach the app.

The app has no user accounts and can import any path of its server. If it listens beyond loopback, or `FERSCOPE_TOKEN`
is set, nothing is served (no page, upload or stream) without the token: it is given once in a link and then kept in a
cookie. On loopback without a token only requests to names of this machine are answered, which prevents DNS rebinding.

The launcher (`fer_ui/serve.py`) installs the middleware before everything that Streamlit serves; `app.py` refuses to
run without it where it is needed.
"""

from __future__ import annotations

import hmac
import os
import secrets
import signal
import sys
import threading
from hashlib import sha256
from ipaddress import ip_address
from urllib.parse import quote, urlencode, urlsplit

from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config
from streamlit.url_util import make_url_path
from streamlit.web.server import server_util
from streamlit.web.server.starlette import starlette_app

from fer_core.errors import SettingsError
from fer_core.settings import settings

TOKEN_PARAM = "token"
_HEALTH = "_stcore/health"
"""Health check for container runtimes; reveals nothing else."""
_TOKEN_BYTES = 24
_TOKEN_LENGTH_MIN = 16
_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>FERscope</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<body style="font:1rem/1.5 sans-serif;max-width:34rem;margin:4rem auto;padding:0 1rem"><h1>FERscope</h1><p>{}</p>{}"""
_FORM = """<form><label>Token <input type="password" name="token" autocomplete="current-password" autofocus></label>
<button>Open</button></form>"""
_INSTALLED = threading.Event()
"""Set once the middleware is installed in this process."""


class AuthMiddleware:
    """ASGI middleware that requires the token or, without one, a local host name."""

    def __init__(self, app: ASGIApp, token: str = "") -> None:
        self._app, self._token = app, token
        self._cookie = f"ferscope-{_digest(token, 'name')[:8]}"  # all ports of a machine share their cookies
        self._cookie_value = _digest(token, "pass")
        self._health = make_url_path(config.get_option("server.baseUrlPath"), _HEALTH)
        _INSTALLED.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on to the app."""
        if scope["type"] == "lifespan" and self._token:
            print_link(self._token)
        if scope["type"] not in ("http", "websocket") or scope["path"] == self._health:
            await self._app(scope, receive, send)
            return
        response = self._respond(HTTPConnection(scope))
        if response is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # before it is accepted: a 403
        else:
            await response(scope, receive, send)

    def _respond(self, request: HTTPConnection) -> Response | None:
        """Choose the response instead of the app's; None passes the request on."""
        if not self._token:
            return None if _is_local_host(request.headers.get("host", "")) else _reject_host()
        token = request.query_params.get(TOKEN_PARAM)
        if token is not None and _equal(token, self._token):
            return self._redirect_with_cookie(request)
        if _equal(request.cookies.get(self._cookie, ""), self._cookie_value):
            return None
        error = "That token is wrong. " if token is not None else ""
        message = f"{error}Open the link that FERscope printed at its start, or enter the token here."
        return HTMLResponse(_PAGE.format(message, _FORM), 401, _HEADERS)

    def _redirect_with_cookie(self, request: HTTPConnection) -> Response:
        """Redirect to the same URL without the token and set the cookie."""
        rest = [(name, value) for name, value in request.query_params.multi_items() if name != TOKEN_PARAM]
        response = RedirectResponse(f"?{urlencode(rest)}", 303, _HEADERS)  # no path: can't redirect to another site
        response.set_cookie(
            self._cookie, self._cookie_value, httponly=True, samesite="lax", secure=request.url.scheme == "https"
        )
        return response


def install_auth() -> None:
    """Install the middleware before everything that Streamlit serves; exit if the token is too short."""
    if 0 < len(_configured_token()) < _TOKEN_LENGTH_MIN:
        sys.exit(
            f"FERSCOPE_TOKEN has {len(_configured_token())} characters. Give {_TOKEN_LENGTH_MIN} or more, or none."
        )
    inner = starlette_app.create_streamlit_middleware

    def with_auth() -> list[Middleware]:
        token = _configured_token() or ("" if listens_on_loopback() else secrets.token_urlsafe(_TOKEN_BYTES))
        if token:  # Streamlit's message has links without the token, and asks a website for this machine's IP
            config.set_option("logger.hideWelcomeMessage", True)
        return [Middleware(AuthMiddleware, token), *inner()]

    starlette_app.create_streamlit_middleware = with_auth


def startup_error() -> str:
    """Explain why the app must not run; "" if it may."""
    if _INSTALLED.is_set() or (listens_on_loopback() and not _configured_token()):
        return ""
    return (
        f"FERscope has no user accounts, so it requires a token at {_address() or 'all addresses'}. Start it with "
        "`python -m fer_ui.serve` and the same options."
    )


def stop_server(error: str, after_s: float = 1.0) -> None:
    """Stop this process's server, as Ctrl+C does, after the page has shown the error."""
    sys.stderr.write(f"{error}\n")
    threading.Timer(after_s, os.kill, (os.getpid(), signal.SIGTERM)).start()


def listens_on_loopback() -> bool:
    """Whether only this machine can reach the server; an empty address means all addresses."""
    address = _address()
    return address.startswith("unix://") or _is_loopback(address)


def print_link(token: str) -> None:
    """Print the app's URL with its token."""
    address = config.get_option("browser.serverAddress") if config.is_manually_set("browser.serverAddress") else ""
    host = address or server_util.get_display_address(_address() or "0.0.0.0")
    link = f"{server_util.get_url(host)}/?{TOKEN_PARAM}={quote(token)}"
    sys.stdout.write(f"\n  FERscope requires a token. Open\n\n  {link}\n\n")
    if not listens_on_loopback():
        sys.stdout.write(f"  or, from another machine, the same link with this machine's name instead of {host}.\n\n")
    sys.stdout.flush()


def _configured_token() -> str:
    try:
        return settings().token
    except SettingsError:  # every page shows the error
        return ""


def _address() -> str:
    return str(config.get_option("server.address") or "")


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_local_host(host_header: str) -> bool:
    """Whether the Host header names this machine or a host that the settings allow."""
    try:
        host = (urlsplit(f"//{host_header}").hostname or "").rstrip(".")
    except ValueError:
        return False
    addresses = {_address(), str(config.get_option("browser.serverAddress") or "")}
    allowed = {*addresses, *config.get_option("server.allowedHosts")} - {""}
    return _is_loopback(host) or any(
        name in ("*", host) or (name.startswith("*.") and host.endswith(name[1:])) for name in map(str.lower, allowed)
    )


def _reject_host() -> Response:
    message = "FERscope answers only as localhost. Behind a proxy, start it with --server.allowedHosts=NAME."
    return HTMLResponse(_PAGE.format(message, ""), 403, _HEADERS)


def _digest(token: str, use: str) -> str:
    """Derive a value from the token for one use; it does not reveal the token."""
    return hmac.new(token.encode(), use.encode(), sha256).hexdigest()


def _equal(given: str, expected: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(given.encode(), expected.encode())
