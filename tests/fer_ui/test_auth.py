"""The gate before the app: who comes in, and that nothing at all is served to anybody else."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
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

TOKEN = "open sesame & ümlaut"
APP = Path(__file__).resolve().parents[2] / "app.py"
OPTIONS = ("server.address", "server.port", "server.allowedHosts", "browser.serverAddress", "logger.hideWelcomeMessage")


@pytest.fixture(autouse=True)
def _as_before(store: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Options, Streamlit and the gate as they were."""
    monkeypatch.setattr(auth, "_INSTALLED", type(auth._INSTALLED)())
    monkeypatch.setattr(starlette_app, "create_streamlit_middleware", starlette_app.create_streamlit_middleware)
    before = {name: config.get_option(name) for name in OPTIONS}
    config.set_option("server.address", "127.0.0.1")
    yield
    for name, value in before.items():
        config.set_option(name, value)


async def _content(scope: Scope, receive: Receive, send: Send) -> None:
    """The app behind the auth."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
    else:
        await PlainTextResponse("content")(scope, receive, send)


def ask(
    guarded: AuthMiddleware, path: str = "/", query: str = "", kind: str = "http", method: str = "GET", **headers: str
) -> list[Message]:
    """What the gate sends back."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    raw = [(name.encode(), value.encode()) for name, value in {"host": "127.0.0.1:8501", **headers}.items()]
    scope = {"type": kind, "method": method, "path": path, "raw_path": path.encode(), "query_string": query.encode()}
    scope |= {"headers": raw, "scheme": "http" if kind == "http" else "ws", "server": ("127.0.0.1", 8501)}
    asyncio.run(guarded(scope, receive, send))
    return sent


def header(sent: list[Message], name: str) -> str:
    return next((value.decode() for key, value in sent[0]["headers"] if key == name.encode()), "")


def came_in(sent: list[Message]) -> bool:
    return sent[0]["type"] == "websocket.accept" or sent[-1].get("body") == b"content"


@pytest.fixture
def guarded() -> AuthMiddleware:
    return AuthMiddleware(_content, TOKEN)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE"])
@pytest.mark.parametrize(
    "path", ["/", "/evaluation", "/_stcore/upload_file/s/f", "/media/x.png", "/static/js/x.js", "/x/_stcore/health"]
)
def test_nothing_is_served_before_the_token(guarded: AuthMiddleware, method: str, path: str) -> None:
    sent = ask(guarded, path, method=method)
    assert not came_in(sent)
    assert sent[0]["status"] == 401 and header(sent, "cache-control") == "no-store"


@pytest.mark.parametrize("query", ["", "token=open", f"token={TOKEN}x", "token=", "token=%FF%00"])
def test_no_stream_is_opened_without_the_cookie(guarded: AuthMiddleware, query: str) -> None:
    assert ask(guarded, "/_stcore/stream", query, "websocket") == [{"type": "websocket.close", "code": 1008}]
    assert not came_in(ask(guarded, "/", query))


def test_health_is_told_to_everybody(guarded: AuthMiddleware) -> None:
    assert came_in(ask(guarded, "/_stcore/health"))
    assert came_in(ask(guarded, "/_stcore/health", host="ferscope.internal"))


def let_in(guarded: AuthMiddleware, path: str = "/", query: str = "") -> list[Message]:
    from urllib.parse import urlencode

    return ask(guarded, path, f"{query}&{urlencode({'token': TOKEN})}".lstrip("&"))


def test_a_link_with_the_token_lets_in_and_the_cookie_stands_for_it(guarded: AuthMiddleware) -> None:
    sent = let_in(guarded, "/evaluation", "run=a%20b&class=fear&class=anger")
    assert sent[0]["status"] == 303 and not came_in(sent)
    assert header(sent, "location") == "?run=a+b&class=fear&class=anger", "the same page, without the token"
    cookie = header(sent, "set-cookie")
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "open" not in cookie
    given = cookie.split(";")[0]
    assert came_in(ask(guarded, "/evaluation", cookie=given))
    assert came_in(ask(guarded, "/_stcore/upload_file/s/f", method="PUT", cookie=given))
    assert came_in(ask(guarded, "/_stcore/stream", kind="websocket", cookie=given))
    assert came_in(ask(guarded, cookie=given, host="another.name"))
    assert not came_in(ask(guarded, cookie=given[:-1]))
    assert not came_in(ask(AuthMiddleware(_content, TOKEN + "2"), cookie=given)), "after a start with another token"


def test_the_link_leads_to_no_other_site(guarded: AuthMiddleware) -> None:
    assert header(let_in(guarded, "//evil.example/x"), "location") == "?"


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8501", "127.0.0.1:8501", "[::1]:8501", "a.localhost", "LOCALHOST."]
)
def test_without_a_token_this_machine_comes_in_by_its_own_names(host: str) -> None:
    assert came_in(ask(AuthMiddleware(_content), host=host))
    assert came_in(ask(AuthMiddleware(_content), "/_stcore/stream", kind="websocket", host=host))


@pytest.mark.parametrize("host", ["evil.example:8501", "192.168.1.5", "", "localhost.evil.example", "[", "0.0.0.0"])
def test_a_foreign_name_that_leads_here_is_refused(host: str) -> None:
    sent = ask(AuthMiddleware(_content), host=host)
    assert sent[0]["status"] == 403 and b"--server.allowedHosts=NAME" in sent[1]["body"]
    assert not came_in(ask(AuthMiddleware(_content), "/_stcore/stream", kind="websocket", host=host))


def test_names_that_the_settings_allow_come_in() -> None:
    config.set_option("server.allowedHosts", ["Faces.example", "*.trusted.example"])
    config.set_option("browser.serverAddress", "proxy.example")
    for host in ("faces.example", "a.trusted.example:80", "proxy.example"):
        assert came_in(ask(AuthMiddleware(_content), host=host)), host
    assert not came_in(ask(AuthMiddleware(_content), host="trusted.example"))


@pytest.mark.parametrize(
    ("address", "alone"),
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
def test_which_addresses_are_of_this_machine_alone(address: str | None, alone: bool) -> None:
    config.set_option("server.address", address)
    assert listens_on_loopback() is alone
    assert bool(startup_error()) is not alone, "without the gate"


def standing() -> AuthMiddleware:
    """The gate that stands before the server that Streamlit would start now."""
    built = Starlette(middleware=starlette_app.create_streamlit_middleware()).build_middleware_stack()
    while not isinstance(built, AuthMiddleware):
        built = built.app  # type: ignore[attr-defined]
    return built


def test_beyond_loopback_a_token_is_made_and_printed_with_the_link(capsys: pytest.CaptureFixture[str]) -> None:
    config.set_option("server.address", "0.0.0.0")
    config.set_option("server.port", 8777)
    install_auth()
    first, second = standing(), standing()
    assert len(first._token) >= 32 and first._token != second._token
    assert config.get_option("logger.hideWelcomeMessage") is True, "its links lack the token"
    print_link(first._token)
    assert f"http://localhost:8777/?token={first._token}\n" in capsys.readouterr().out
    assert startup_error() == ""


def test_on_loopback_there_is_no_token(capsys: pytest.CaptureFixture[str]) -> None:
    install_auth()
    assert standing()._token == ""
    assert capsys.readouterr().out == ""


def test_a_token_of_ones_own_is_asked_for_on_loopback_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FERSCOPE_TOKEN", TOKEN)
    settings.cache_clear()
    assert "requires a token" in startup_error(), "only the launcher can ask"
    install_auth()
    assert standing()._token == TOKEN
    print_link(TOKEN)
    assert "?token=open%20sesame%20%26%20%C3%BCmlaut\n" in capsys.readouterr().out
    assert TOKEN not in repr(settings())


def test_a_token_that_can_be_guessed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERSCOPE_TOKEN", "secret")
    settings.cache_clear()
    with pytest.raises(SystemExit, match=r"^FERSCOPE_TOKEN has 6 characters\. Give 16 or more"):
        install_auth()


def test_the_gate_is_the_first_to_be_asked() -> None:
    install_auth()
    first = starlette_app.create_streamlit_middleware()[0]
    assert isinstance(first, Middleware) and first.cls is AuthMiddleware


def test_without_the_launcher_the_app_shows_no_page_beyond_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    config.set_option("server.address", "0.0.0.0")
    ended: list[str] = []
    monkeypatch.setattr(auth, "stop_server", ended.append)
    app = AppTest.from_file(str(APP), default_timeout=60).run()
    assert [error.value for error in app.error] == ended != []
    assert "python -m fer_ui.serve" in ended[0]
    assert not app.title and not app.sidebar.caption


def test_refusing_stops_the_server_as_ctrl_c_does(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(auth.os, "kill", lambda pid, number: sent.append((pid, number)))
    auth.stop_server("Not so.", after_s=0)
    _until(lambda: sent != [])
    assert sent == [(auth.os.getpid(), signal.SIGTERM)]
    assert capsys.readouterr().err == "Not so.\n"


def _until(holds: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
