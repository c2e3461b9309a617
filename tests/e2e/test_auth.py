"""The app behind its gate, in a real browser: nothing before the token, every link after it."""

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
from tests.e2e.conftest import DESKTOP, settle

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

TOKEN = "open-sesame-open-sesame"


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """The app on loopback, asking for a token all the same."""
    app = AppServer(tmp_path_factory.mktemp("gated") / "store", {"FERSCOPE_TOKEN": TOKEN})
    app.start()
    yield app
    app.stop()


@pytest.fixture
def visitor(browser: Browser, gated: AppServer) -> Iterator[Page]:
    context = browser.new_context(base_url=gated.url, viewport=DESKTOP)
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


def test_the_log_has_the_link(gated: AppServer) -> None:
    assert f"http://127.0.0.1:{gated.port}/?token={TOKEN}" in gated.log()


@pytest.mark.parametrize("path", ["/", "/predict", "/_stcore/host-config", "/_stcore/upload_file/a/b", "/media/a.png"])
@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_without_the_token_nothing_is_served(gated: AppServer, path: str, method: str) -> None:
    asked = urllib.request.Request(f"{gated.url}{path}", data=None if method == "GET" else b"x", method=method)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(asked, timeout=30)
    assert refused.value.code == 401 and b"streamlit" not in refused.value.read().lower()
    refused.value.close()


def test_no_stream_is_opened_without_the_token(gated: AppServer) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    upgrade["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    with closing(HTTPConnection("127.0.0.1", gated.port, timeout=30)) as connection:
        connection.request("GET", "/_stcore/stream", headers=upgrade)
        assert connection.getresponse().status == 403


def test_a_deep_link_with_the_token_opens_its_page_and_the_next_ones_need_none(visitor: Page) -> None:
    streams: list[WebSocket] = []
    visitor.on("websocket", lambda stream: streams.append(stream))
    visitor.goto(f"/datasets?view=published&token={TOKEN}")
    settle(visitor)
    expect(visitor.get_by_role("heading", name="Datasets", exact=True)).to_be_visible()
    expect(visitor).to_have_url(re.compile(r"/datasets\?view=published$"))
    assert streams, "the page came through the stream"
    visitor.goto("/predict")
    settle(visitor)
    expect(visitor.get_by_role("heading", name="Predict", exact=True)).to_be_visible()


def test_an_upload_goes_through_the_gate(visitor: Page) -> None:
    visitor.goto(f"/predict?token={TOKEN}")
    settle(visitor)
    with visitor.expect_response(re.compile("/_stcore/upload_file/")) as answered:
        visitor.locator('input[type="file"]').first.set_input_files(
            {"name": "no.png", "mimeType": "image/png", "buffer": b"no image"}
        )
    assert answered.value.status == 204


def test_a_link_without_the_token_asks_for_it(visitor: Page) -> None:
    assert visitor.goto("/datasets?view=published")
    field = visitor.get_by_label("Token")
    field.fill("something else entirely")
    field.press("Enter")
    expect(visitor.get_by_text("That token is wrong.")).to_be_visible()
    visitor.get_by_label("Token").fill(TOKEN)
    visitor.get_by_role("button", name="Open").click()
    settle(visitor)
    expect(visitor.get_by_role("heading", name="Datasets", exact=True)).to_be_visible()


def test_the_live_view_loads_what_it_consists_of(visitor: Page) -> None:
    refused: list[str] = []
    visitor.on("response", lambda answer: refused.append(answer.url) if answer.status in (401, 403) else None)
    visitor.goto(f"/live?token={TOKEN}")
    settle(visitor)
    assert not refused
