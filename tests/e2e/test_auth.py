"""Access with a token: nothing is served without it, every link works with it."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection

import pytest
from playwright.sync_api import Browser, Page, WebSocket, expect

from tests.e2e.app_server import AppServer
from tests.e2e.conftest import DESKTOP
from tests.e2e.page_state import wait_until_ready

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

TOKEN = "open-sesame-open-sesame"


@pytest.fixture(scope="module")
def token_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """The app on loopback with a token."""
    app = AppServer(tmp_path_factory.mktemp("token") / "store", {"FERSCOPE_TOKEN": TOKEN})
    app.start()
    yield app
    app.stop()


@pytest.fixture
def token_page(browser: Browser, token_server: AppServer) -> Iterator[Page]:
    context = browser.new_context(base_url=token_server.url, viewport=DESKTOP)
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


def test_the_log_has_the_link(token_server: AppServer) -> None:
    assert f"http://127.0.0.1:{token_server.port}/?token={TOKEN}" in token_server.log()


@pytest.mark.parametrize("path", ["/", "/predict", "/_stcore/host-config", "/_stcore/upload_file/a/b", "/media/a.png"])
@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_without_the_token_nothing_is_served(token_server: AppServer, path: str, method: str) -> None:
    request = urllib.request.Request(f"{token_server.url}{path}", data=None if method == "GET" else b"x", method=method)
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request, timeout=30)
    assert error.value.code == 401 and b"streamlit" not in error.value.read().lower()
    error.value.close()


def test_no_stream_is_opened_without_the_token(token_server: AppServer) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    upgrade["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    with closing(HTTPConnection("127.0.0.1", token_server.port, timeout=30)) as connection:
        connection.request("GET", "/_stcore/stream", headers=upgrade)
        assert connection.getresponse().status == 403


def test_a_link_with_the_token_opens_its_page_and_later_links_need_no_token(token_page: Page) -> None:
    streams: list[WebSocket] = []
    token_page.on("websocket", lambda stream: streams.append(stream))
    token_page.goto(f"/datasets?view=published&token={TOKEN}")
    wait_until_ready(token_page)
    expect(token_page.get_by_role("heading", name="Datasets", exact=True)).to_be_visible()
    expect(token_page).to_have_url(re.compile(r"/datasets\?view=published$"))
    assert streams, "the page uses the WebSocket"
    token_page.goto("/predict")
    wait_until_ready(token_page)
    expect(token_page.get_by_role("heading", name="Predict", exact=True)).to_be_visible()


def test_uploads_work_with_the_token(token_page: Page) -> None:
    token_page.goto(f"/predict?token={TOKEN}")
    wait_until_ready(token_page)
    with token_page.expect_response(re.compile("/_stcore/upload_file/")) as response:
        token_page.locator('input[type="file"]').first.set_input_files(
            {"name": "no.png", "mimeType": "image/png", "buffer": b"no image"}
        )
    assert response.value.status == 204


def test_a_link_without_the_token_asks_for_it(token_page: Page) -> None:
    assert token_page.goto("/datasets?view=published")
    field = token_page.get_by_label("Token")
    field.fill("something else entirely")
    field.press("Enter")
    expect(token_page.get_by_text("That token is wrong.")).to_be_visible()
    token_page.get_by_label("Token").fill(TOKEN)
    token_page.get_by_role("button", name="Open").click()
    wait_until_ready(token_page)
    expect(token_page.get_by_role("heading", name="Datasets", exact=True)).to_be_visible()


def test_no_resource_of_the_live_page_is_refused(token_page: Page) -> None:
    refused: list[str] = []
    token_page.on("response", lambda response: refused.append(response.url) if response.status in (401, 403) else None)
    token_page.goto(f"/live?token={TOKEN}")
    wait_until_ready(token_page)
    assert not refused
