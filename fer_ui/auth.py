"""Who may come in: on a machine's own address anybody who is on it, on any other whoever has the token.

The app has no sign-in, and may import any path of its server. So where it listens beyond loopback, or where
`FERSCOPE_TOKEN` is set, nothing is served (no page, no upload, no stream) before the token was given: once, in a link,
after which a cookie stands for it. On loopback without a token only names of this machine are answered, so that a
foreign website can't reach the app by a name of its own that leads here (DNS rebinding).

The launcher (`fer_ui/serve.py`) puts the gate before everything that Streamlit serves; `app.py` refuses without it.
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

PARAMETER = "token"
_HEALTH = "_stcore/health"
"""Says "ok" and no more: what runs containers asks for it."""
_TOKEN_BYTES = 24
_CHARACTERS_MIN = 16
_SECURE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>FERscope</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<body style="font:1rem/1.5 sans-serif;max-width:34rem;margin:4rem auto;padding:0 1rem"><h1>FERscope</h1><p>{}</p>{}"""
_FORM = """<form><label>Token <input type="password" name="token" autocomplete="current-password" autofocus></label>
<button>Open</button></form>"""
_STANDING = threading.Event()
"""Whether the gate stands before this process's server."""


class AuthMiddleware:
    """ASGI middleware that lets through who has the token or, where none is needed, who asks for this machine."""

    def __init__(self, app: ASGIApp, token: str = "") -> None:
        self._app, self._token = app, token
        self._cookie = f"ferscope-{_mark(token, 'name')[:8]}"  # the ports of a machine share their cookies
        self._pass = _mark(token, "pass")
        self._health = make_url_path(config.get_option("server.baseUrlPath"), _HEALTH)
        _STANDING.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request itself, or let it through."""
        if scope["type"] == "lifespan" and self._token:
            print_link(self._token)
        if scope["type"] not in ("http", "websocket") or scope["path"] == self._health:
            await self._app(scope, receive, send)
            return
        answer = self._answer(HTTPConnection(scope))
        if answer is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # before it is accepted: a 403
        else:
            await answer(scope, receive, send)

    def _answer(self, asked: HTTPConnection) -> Response | None:
        """What is answered instead of the app; None to let it through."""
        if not self._token:
            return None if _is_of_this_machine(asked.headers.get("host", "")) else _wrong_host()
        offered = asked.query_params.get(PARAMETER)
        if offered is not None and _same(offered, self._token):
            return self._let_in(asked)
        if _same(asked.cookies.get(self._cookie, ""), self._pass):
            return None
        wrong = "That token is wrong. " if offered is not None else ""
        words = f"{wrong}Open the link that FERscope printed when it was started, or give its token here."
        return HTMLResponse(_PAGE.format(words, _FORM), 401, _SECURE)

    def _let_in(self, asked: HTTPConnection) -> Response:
        """To the same address without the token, with the cookie."""
        rest = [(name, value) for name, value in asked.query_params.multi_items() if name != PARAMETER]
        answer = RedirectResponse(f"?{urlencode(rest)}", 303, _SECURE)  # no path: it can't lead to another site
        answer.set_cookie(self._cookie, self._pass, httponly=True, samesite="lax", secure=asked.url.scheme == "https")
        return answer


def install_auth() -> None:
    """Put the gate before everything that Streamlit will serve in this process, or end it for too short a token."""
    if 0 < len(_chosen_token()) < _CHARACTERS_MIN:
        sys.exit(f"FERSCOPE_TOKEN has {len(_chosen_token())} characters. Give {_CHARACTERS_MIN} or more, or none.")
    inner = starlette_app.create_streamlit_middleware

    def guarded() -> list[Middleware]:
        token = _chosen_token() or ("" if listens_on_loopback() else secrets.token_urlsafe(_TOKEN_BYTES))
        if token:  # its own greeting has links without the token, and asks a website for this machine's address
            config.set_option("logger.hideWelcomeMessage", True)
        return [Middleware(AuthMiddleware, token), *inner()]

    starlette_app.create_streamlit_middleware = guarded


def startup_error() -> str:
    """Why the app may not be shown, in words; "" where it may."""
    if _STANDING.is_set() or (listens_on_loopback() and not _chosen_token()):
        return ""
    return (
        f"FERscope has no sign-in, so at {_address() or 'every address'} it asks for a token. Only "
        "`python -m fer_ui.serve` does that: start it so, with the same options."
    )


def end_server(why: str, after_s: float = 1.0) -> None:
    """Stop this process's server, as Ctrl+C does, once its visitor has read why."""
    sys.stderr.write(f"{why}\n")
    threading.Timer(after_s, os.kill, (os.getpid(), signal.SIGTERM)).start()


def listens_on_loopback() -> bool:
    """Whether the server's address can be reached from its own machine alone; no address stands for all of them."""
    address = _address()
    return address.startswith("unix://") or _is_loopback(address)


def print_link(token: str) -> None:
    """Print the address of the app with its token."""
    address = config.get_option("browser.serverAddress") if config.is_manually_set("browser.serverAddress") else ""
    host = address or server_util.get_display_address(_address() or "0.0.0.0")
    link = f"{server_util.get_url(host)}/?{PARAMETER}={quote(token)}"
    sys.stdout.write(f"\n  FERscope asks for a token. Open it with\n\n  {link}\n\n")
    if not listens_on_loopback():
        sys.stdout.write(f"  or, on another machine, with this one's name in place of {host}.\n\n")
    sys.stdout.flush()


def _chosen_token() -> str:
    try:
        return settings().token
    except SettingsError:  # every page says it, and shows nothing else
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


def _is_of_this_machine(host_header: str) -> bool:
    """Whether a request was sent to a name of this machine, or to one that the settings allow."""
    try:
        host = (urlsplit(f"//{host_header}").hostname or "").rstrip(".")
    except ValueError:
        return False
    own = {_address(), str(config.get_option("browser.serverAddress") or "")}
    allowed = {*own, *config.get_option("server.allowedHosts")} - {""}
    return _is_loopback(host) or any(
        name in ("*", host) or (name.startswith("*.") and host.endswith(name[1:])) for name in map(str.lower, allowed)
    )


def _wrong_host() -> Response:
    words = "FERscope answers to localhost alone. Behind a proxy, start it with --server.allowedHosts=NAME."
    return HTMLResponse(_PAGE.format(words, ""), 403, _SECURE)


def _mark(token: str, use: str) -> str:
    """What stands for a token, from which it can't be had."""
    return hmac.new(token.encode(), use.encode(), sha256).hexdigest()


def _same(offered: str, right: str) -> bool:
    """Whether two texts are the same, in a time that does not tell how much of them is."""
    return hmac.compare_digest(offered.encode(), right.encode())
