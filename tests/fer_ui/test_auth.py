"""Access control before the app."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send
from streamlit import config
from streamlit.testing.v1 import AppTest
from streamlit.web.server.starlette import starlette_app

from fer_core.settings import Settings, settings
from fer_ui import auth
from fer_ui.auth import AuthMiddleware, install_auth, listens_on_loopback, print_link, startup_error
from tests.support.coroutines import run_coroutine
from tests.waiting import wait_until

TOKEN = "open sesame & ümlaut"
APP = Path(__file__).resolve().parents[2] / "app.py"
OPTIONS = ("server.address", "server.port", "server.allowedHosts", "browser.serverAddress", "logger.hideWelcomeMessage")


@pytest.fixture(autouse=True)
def _restore_options(store: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Restore the options, Streamlit and the middleware."""
    monkeypatch.setattr(auth, "_INSTALLED", type(auth._INSTALLED)())
    monkeypatch.setattr(starlette_app, "create_streamlit_middleware", starlette_app.create_streamlit_middleware)
    options = {name: config.get_option(name) for name in OPTIONS}
    config.set_option("server.address", "127.0.0.1")
    yield
    for name, value in options.items():
        config.set_option(name, value)


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    """The app behind the middleware."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
    else:
        await PlainTextResponse("content")(scope, receive, send)


def send_request(
    middleware: AuthMiddleware,
    path: str = "/",
    query: str = "",
    kind: str = "http",
    method: str = "GET",
    **headers: str,
) -> list[Message]:
    """Send a request through the middleware and return its messages."""
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    raw = [(name.encode(), value.encode()) for name, value in {"host": "127.0.0.1:8501", **headers}.items()]
    scope = {"type": kind, "method": method, "path": path, "raw_path": path.encode(), "query_string": query.encode()}
    scope |= {"headers": raw, "scheme": "http" if kind == "http" else "ws", "server": ("127.0.0.1", 8501)}
    run_coroutine(middleware(scope, receive, send))
    return messages


def header(messages: list[Message], name: str) -> str:
    return next((value.decode() for key, value in messages[0]["headers"] if key == name.encode()), "")


def is_admitted(messages: list[Message]) -> bool:
    return messages[0]["type"] == "websocket.accept" or messages[-1].get("body") == b"content"


@pytest.fixture
def middleware() -> AuthMiddleware:
    return AuthMiddleware(_app, TOKEN)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE"])
@pytest.mark.parametrize(
    "path", ["/", "/evaluation", "/_stcore/upload_file/s/f", "/media/x.png", "/static/js/x.js", "/x/_stcore/health"]
)
def test_nothing_is_served_without_the_token(middleware: AuthMiddleware, method: str, path: str) -> None:
    messages = send_request(middleware, path, method=method)
    assert not is_admitted(messages)
    assert messages[0]["status"] == 401 and header(messages, "cache-control") == "no-store"


@pytest.mark.parametrize("query", ["", "token=open", f"token={TOKEN}x", "token=", "token=%FF%00"])
def test_no_websocket_is_opened_without_the_cookie(middleware: AuthMiddleware, query: str) -> None:
    assert send_request(middleware, "/_stcore/stream", query, "websocket") == [
        {"type": "websocket.close", "code": 1008}
    ]
    assert not is_admitted(send_request(middleware, "/", query))


def test_health_needs_no_token(middleware: AuthMiddleware) -> None:
    assert is_admitted(send_request(middleware, "/_stcore/health"))
    assert is_admitted(send_request(middleware, "/_stcore/health", host="ferscope.internal"))


def send_request_with_token(middleware: AuthMiddleware, path: str = "/", query: str = "") -> list[Message]:
    from urllib.parse import urlencode

    return send_request(middleware, path, f"{query}&{urlencode({'token': TOKEN})}".lstrip("&"))


def test_a_link_with_the_token_sets_a_cookie_that_admits(middleware: AuthMiddleware) -> None:
    messages = send_request_with_token(middleware, "/evaluation", "run=a%20b&class=fear&class=anger")
    assert messages[0]["status"] == 303 and not is_admitted(messages)
    assert header(messages, "location") == "?run=a+b&class=fear&class=anger", "the same page, without the token"
    cookie = header(messages, "set-cookie")
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "open" not in cookie
    cookie_pair = cookie.split(";")[0]
    assert is_admitted(send_request(middleware, "/evaluation", cookie=cookie_pair))
    assert is_admitted(send_request(middleware, "/_stcore/upload_file/s/f", method="PUT", cookie=cookie_pair))
    assert is_admitted(send_request(middleware, "/_stcore/stream", kind="websocket", cookie=cookie_pair))
    assert is_admitted(send_request(middleware, cookie=cookie_pair, host="another.name"))
    assert not is_admitted(send_request(middleware, cookie=cookie_pair[:-1]))
    assert not is_admitted(send_request(AuthMiddleware(_app, TOKEN + "2"), cookie=cookie_pair)), (
        "after a restart with another token"
    )


def test_the_redirect_leads_to_no_other_site(middleware: AuthMiddleware) -> None:
    assert header(send_request_with_token(middleware, "//evil.example/x"), "location") == "?"


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8501", "127.0.0.1:8501", "[::1]:8501", "a.localhost", "LOCALHOST."]
)
def test_local_host_names_need_no_token(host: str) -> None:
    assert is_admitted(send_request(AuthMiddleware(_app), host=host))
    assert is_admitted(send_request(AuthMiddleware(_app), "/_stcore/stream", kind="websocket", host=host))


@pytest.mark.parametrize("host", ["evil.example:8501", "192.168.1.5", "", "localhost.evil.example", "[", "0.0.0.0"])
def test_a_foreign_host_name_is_refused(host: str) -> None:
    messages = send_request(AuthMiddleware(_app), host=host)
    assert messages[0]["status"] == 403 and b"--server.allowedHosts=NAME" in messages[1]["body"]
    assert not is_admitted(send_request(AuthMiddleware(_app), "/_stcore/stream", kind="websocket", host=host))


def test_host_names_allowed_by_the_settings_are_admitted() -> None:
    config.set_option("server.allowedHosts", ["Faces.example", "*.trusted.example"])
    config.set_option("browser.serverAddress", "proxy.example")
    for host in ("faces.example", "a.trusted.example:80", "proxy.example"):
        assert is_admitted(send_request(AuthMiddleware(_app), host=host)), host
    assert not is_admitted(send_request(AuthMiddleware(_app), host="trusted.example"))


@pytest.mark.parametrize(
    ("address", "is_loopback"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("127.0.0.2", True),
        ("unix:///run/app.sock", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.5", False),
        ("my-host", False),
        ("", False),
        (None, False),
    ],
)
def test_loopback_addresses_are_recognized(address: str | None, is_loopback: bool) -> None:
    config.set_option("server.address", address)
    assert listens_on_loopback() is is_loopback
    assert bool(startup_error()) is not is_loopback, "without the middleware"


def build_installed_middleware() -> AuthMiddleware:
    """Build the middleware of a server that Streamlit would start now."""
    built = Starlette(middleware=starlette_app.create_streamlit_middleware()).build_middleware_stack()
    while not isinstance(built, AuthMiddleware):
        built = built.app  # type: ignore[attr-defined]
    return built


def test_beyond_loopback_a_token_is_generated_and_printed_in_the_link(capsys: pytest.CaptureFixture[str]) -> None:
    config.set_option("server.address", "0.0.0.0")
    config.set_option("server.port", 8777)
    install_auth()
    first, second = build_installed_middleware(), build_installed_middleware()
    assert len(first._token) >= 32 and first._token != second._token
    assert config.get_option("logger.hideWelcomeMessage") is True, "Streamlit's links lack the token"
    print_link(first._token)
    assert f"http://localhost:8777/?token={first._token}\n" in capsys.readouterr().out
    assert startup_error() == ""


def test_on_loopback_there_is_no_token(capsys: pytest.CaptureFixture[str]) -> None:
    install_auth()
    assert build_installed_middleware()._token == ""
    assert capsys.readouterr().out == ""


def test_a_configured_token_is_required_on_loopback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FERSCOPE_TOKEN", TOKEN)
    settings.cache_clear()
    assert "requires a token" in startup_error(), "only the launcher checks it"
    install_auth()
    assert build_installed_middleware()._token == TOKEN
    print_link(TOKEN)
    assert "?token=open%20sesame%20%26%20%C3%BCmlaut\n" in capsys.readouterr().out
    assert TOKEN not in repr(settings())


def test_a_short_token_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERSCOPE_TOKEN", "secret")
    settings.cache_clear()
    with pytest.raises(SystemExit, match=r"^FERSCOPE_TOKEN has 6 characters\. Give 16 or more"):
        install_auth()


def test_the_auth_middleware_is_first() -> None:
    install_auth()
    first = starlette_app.create_streamlit_middleware()[0]
    assert isinstance(first, Middleware) and first.cls is AuthMiddleware


def test_without_the_launcher_the_app_shows_no_page_beyond_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    config.set_option("server.address", "0.0.0.0")
    reasons: list[str] = []
    monkeypatch.setattr(auth, "stop_server", reasons.append)
    app = AppTest.from_file(str(APP), default_timeout=60).run()
    assert [error.value for error in app.error] == reasons != []
    assert "python -m fer_ui.serve" in reasons[0]
    assert not app.title and not app.sidebar.caption


def test_refusing_stops_the_server_by_sigterm(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    signals: list[Any] = []
    monkeypatch.setattr(auth.os, "kill", lambda pid, number: signals.append((pid, number)))
    auth.stop_server("Not so.", after_s=0)
    wait_until(lambda: signals != [])
    assert signals == [(auth.os.getpid(), signal.SIGTERM)]
    assert capsys.readouterr().err == "Not so.\n"
