"""Live with a fake camera, in each of its ways."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.e2e.app_server import AppServer
from tests.e2e.conftest import CAMERA_FLAGS, DESKTOP, ONE_THREAD, Launch, screenshot_open_page
from tests.e2e.input_files import write_camera_video
from tests.e2e.live.turn_server import turn_server
from tests.e2e.page_state import wait_until_ready

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

PRIVATE = "Private: in your browser"
_SPEED = re.compile(r"\d+ frames/s shown, [1-9]\d* analyzed")
_READ = re.compile("Read as|ncertain")
_PIXELS = """(canvas) => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
    .filter((value, i) => i % 4 === 3 && value > 0).length"""

_RELAY_ONLY = """
    const Connection = window.RTCPeerConnection;
    window.RTCPeerConnection = function (options) {
        return new Connection({ ...options, iceTransportPolicy: "relay" });
    };"""


@pytest.fixture(scope="module")
def camera_file(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the camera shows: a woman turning her head."""
    video = tmp_path_factory.mktemp("camera") / "woman.mjpeg"
    return write_camera_video(test_data / "media" / "woman_turning_640x360_20s.mp4", video)


@pytest.fixture(scope="module")
def camera_flags(camera_file: Path, yunet_file: Path) -> tuple[str, ...]:
    return (*CAMERA_FLAGS, f"--use-file-for-fake-video-capture={camera_file}")


@pytest.fixture(scope="module")
def camera_browser(launch: Launch, camera_flags: tuple[str, ...]) -> Browser:
    return launch(*camera_flags)


@pytest.fixture
def live_page(camera_browser: Browser, server: AppServer) -> Iterator[Page]:
    """The Live page before Start."""
    with open_live(camera_browser, server) as page:
        yield page


@contextmanager
def open_live(browser: Browser, server: AppServer) -> Iterator[Page]:
    context = browser.new_context(base_url=server.url, viewport=DESKTOP, color_scheme="dark")
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.goto("/live")
    wait_until_ready(page)
    yield page
    context.close()


def start(page: Page, way: str = "") -> None:
    """Start, and wait for predictions."""
    if way:
        page.get_by_role("radio", name=way).click()
    page.get_by_role("button", name="Start", exact=True).click()
    expect_predictions(page)


def expect_predictions(page: Page) -> None:
    expect(page.locator(".speed")).to_have_text(_SPEED, timeout=40_000)
    expect(page.locator(".answer .title")).to_have_text(_READ)
    expect(page.locator(".bars .number").first).to_have_text(re.compile(r"\d+ %"))
    for _ in range(100):  # between two answers there may be none
        if page.locator(".picture canvas").evaluate(_PIXELS) > 500:
            return
        page.wait_for_timeout(100)
    raise AssertionError("no box was drawn")


def test_video_is_analyzed_on_the_server(live_page: Page) -> None:
    start(live_page)
    expect(live_page.locator(".speed")).to_contain_text("over WebRTC", timeout=30_000)
    expect_predictions(live_page)
    screenshot_open_page(live_page, "live", "dark")
    live_page.get_by_role("button", name="Stop", exact=True).click()
    expect(live_page.get_by_role("button", name="Start", exact=True)).to_be_visible()
    assert live_page.locator("video").first.evaluate("(video) => video.srcObject === null")


def test_in_the_browser_no_frame_leaves_the_machine(live_page: Page) -> None:
    sent: list[Request] = []
    sockets: list[str] = []
    live_page.on("request", lambda request: sent.append(request))
    live_page.on("websocket", lambda socket: sockets.append(socket.url))
    start(live_page, PRIVATE)
    live_page.wait_for_timeout(1000)
    assert sent
    assert {request.method for request in sent} == {"GET"}
    assert not sockets
    assert "over WebRTC" not in live_page.locator(".speed").inner_text()


def test_choices_are_remembered_on_this_device(live_page: Page) -> None:
    live_page.get_by_role("radio", name=PRIVATE).click()
    live_page.get_by_text("Settings", exact=True).click()
    live_page.get_by_label("Smoothing").select_option("calm")
    live_page.get_by_label("Operating point").select_option("balanced")
    live_page.get_by_label("Faces at most").select_option("1")
    live_page.get_by_label("Mirror my picture").uncheck()
    live_page.reload()
    wait_until_ready(live_page)
    expect(live_page.get_by_role("radio", name=PRIVATE)).to_have_attribute("aria-checked", "true")
    live_page.get_by_text("Settings", exact=True).click()
    expect(live_page.get_by_label("Smoothing")).to_have_value("calm")
    expect(live_page.get_by_label("Operating point")).to_have_value("balanced")
    expect(live_page.get_by_label("Faces at most")).to_have_value("1")
    expect(live_page.get_by_label("Mirror my picture")).not_to_be_checked()
    start(live_page)
    expect(live_page.locator("video.mirrored")).to_have_count(0)
    live_page.get_by_label("Mirror my picture").check()
    expect(live_page.locator("video.mirrored")).to_have_count(1)


def test_the_video_can_be_started_again_after_a_visit_to_another_page(live_page: Page) -> None:
    start(live_page)
    expect(live_page.locator(".speed")).to_contain_text("over WebRTC", timeout=30_000)
    for name in ("Jobs", "Live"):
        live_page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()
        expect(live_page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    wait_until_ready(live_page)
    start(live_page)
    expect(live_page.locator(".speed")).to_contain_text("over WebRTC", timeout=30_000)


def test_settings_change_while_the_video_runs(live_page: Page) -> None:
    start(live_page)
    expect(live_page.locator(".speed")).to_contain_text("over WebRTC", timeout=30_000)
    live_page.get_by_text("Settings", exact=True).click()
    live_page.get_by_label("Resolution").select_option("1280x720")
    live_page.wait_for_timeout(1000)  # the speed of the last video is gone
    expect(live_page.locator(".speed")).to_contain_text("over WebRTC", timeout=30_000)
    for way in (PRIVATE, "On the server"):
        live_page.get_by_role("radio", name=way).click()
        live_page.get_by_label("Smoothing").select_option("quick")
    expect(live_page.locator(".speed")).to_contain_text("over WebRTC", timeout=30_000)
    expect_predictions(live_page)
    picture, canvas = (live_page.locator(place).bounding_box() for place in (".picture video", ".picture canvas"))
    assert picture == canvas


def test_a_page_that_slept_and_a_camera_that_stopped(live_page: Page) -> None:
    start(live_page)
    developer = live_page.context.new_cdp_session(live_page)
    developer.send("Page.setWebLifecycleState", {"state": "frozen"})
    live_page.context.new_page().wait_for_timeout(4000)
    developer.send("Page.setWebLifecycleState", {"state": "active"})
    expect_predictions(live_page)
    stop_camera = "(video, name) => video.srcObject.getVideoTracks()[0].dispatchEvent(new Event(name))"
    video = live_page.locator("video").first
    for name, shown in (("mute", True), ("unmute", False)):
        video.evaluate(stop_camera, name)
        expect(live_page.get_by_text("The camera sends no picture.")).to_be_visible(visible=shown)
    video.evaluate(stop_camera, "ended")
    expect(live_page.get_by_text("The camera has stopped")).to_be_visible()
    start(live_page)


def test_a_picture_goes_on_to_predict(live_page: Page) -> None:
    start(live_page, PRIVATE)
    live_page.get_by_role("button", name="Open in Predict").click()
    expect(live_page.get_by_role("heading", name="Predict", exact=True)).to_be_visible()
    expect(live_page.get_by_text("1 face found")).to_be_visible()


def test_a_video_file_is_played_through_the_same_view(live_page: Page, test_data: Path) -> None:
    live_page.get_by_role("radio", name=PRIVATE).click()
    with live_page.expect_file_chooser() as chooser:
        live_page.get_by_role("radio", name="Video file").click()
    chooser.value.set_files(test_data / "media" / "woman_turning_640x360_20s.mp4")
    expect_predictions(live_page)


def test_a_shared_screen_is_analyzed(live_page: Page) -> None:
    live_page.get_by_role("radio", name=PRIVATE).click()
    live_page.get_by_role("radio", name="Screen or window").click()
    live_page.get_by_role("button", name="Start", exact=True).click()
    expect(live_page.locator(".speed")).to_have_text(_SPEED, timeout=40_000)
    expect(live_page.locator(".answer .title")).to_have_text("No face in view")  # the browser shares a test picture
    live_page.get_by_role("radio", name="Camera", exact=True).click()
    expect_predictions(live_page)


def test_without_a_camera_there_is_a_photo(launch: Launch, server: AppServer, test_data: Path) -> None:
    with open_live(launch("--use-fake-ui-for-media-stream"), server) as page:
        expect(page.get_by_role("status").filter(has_text="No camera was found")).to_be_visible()
        expect(page.get_by_role("button", name="Start", exact=True)).to_be_disabled()
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Take or choose a photo").click()
        chooser.value.set_files(test_data / "media" / "two_people_1126x661.jpg")
        expect(page.get_by_text("2 faces found")).to_be_visible()
        page.go_back()
        page.get_by_role("radio", name="Screen or window").click()
        expect(page.get_by_role("button", name="Start", exact=True)).to_be_enabled()


def test_a_denied_camera_is_explained(launch: Launch, server: AppServer) -> None:
    with open_live(launch("--use-fake-device-for-media-stream", "--deny-permission-prompts"), server) as page:
        page.get_by_role("button", name="Start", exact=True).click()
        expect(page.get_by_role("status").filter(has_text="does not allow")).to_be_visible(timeout=30_000)
        expect(page.get_by_role("button", name="Start", exact=True)).to_be_enabled()


def test_where_udp_is_blocked_the_model_runs_in_the_browser(live_page: Page) -> None:
    live_page.add_init_script(_RELAY_ONLY)  # and there is no relay
    live_page.reload()
    wait_until_ready(live_page)
    start(live_page)
    assert "as pictures" in live_page.locator(".speed").inner_text(), "pictures bridge the time to connect"
    expect(live_page.get_by_text("from this network. The model runs")).to_be_visible(timeout=40_000)
    expect(live_page.get_by_role("radio", name=PRIVATE)).to_have_attribute("aria-checked", "true")
    expect_predictions(live_page)


def test_video_goes_through_turn_and_a_refusal_is_said(
    launch: Launch, camera_flags: tuple[str, ...], yunet_file: Path, tmp_path: Path
) -> None:
    with turn_server(tmp_path, "north") as url:
        browser = launch(*camera_flags, "--allow-loopback-in-peer-connection")
        for secret in ("north", "wrong"):
            servers = json.dumps([{"urls": url, "secret": secret}])
            environment = {**ONE_THREAD, "FERSCOPE_YUNET": str(yunet_file), "FERSCOPE_ICE_SERVERS": servers}
            app = AppServer(tmp_path / secret, environment)
            app.start()
            try:
                with open_live(browser, app) as page:
                    page.add_init_script(_RELAY_ONLY)
                    page.reload()
                    wait_until_ready(page)
                    if secret == "wrong":
                        expect(page.get_by_role("status").filter(has_text="refused the connection")).to_be_visible()
                    start(page)
                    text = "over WebRTC" if secret == "north" else "analyzed, "
                    expect(page.locator(".speed")).to_contain_text(text, timeout=30_000)
                    if secret == "wrong":
                        expect(page.get_by_text("refused the connection. The model runs")).to_be_visible(timeout=40_000)
            finally:
                app.stop()


def test_a_full_server_and_a_lost_connection(
    camera_browser: Browser, yunet_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    environment = {**ONE_THREAD, "FERSCOPE_YUNET": str(yunet_file), "FERSCOPE_LIVE_VIEWERS": "1"}
    app = AppServer(tmp_path_factory.mktemp("full") / "store", environment)
    app.start()
    try:
        with open_live(camera_browser, app) as second:
            with open_live(camera_browser, app) as first:
                start(first)
                start(second)
                expect(second.get_by_text("The server is full: 1 person is live")).to_be_visible()
                expect_predictions(second)
                expect_predictions(first)  # still
                app.kill()
                expect(first.get_by_text("The connection to the server was lost")).to_be_visible()
                app.start()
                expect(first.get_by_text("The connection to the server was lost")).to_be_hidden(timeout=60_000)
                expect_predictions(first)
            second.get_by_role("button", name="Stop", exact=True).click()
            second.wait_for_timeout(5000)  # the tab of the first viewer is closed
            start(second, "On the server")
            expect(second.get_by_text("The server is full")).to_be_hidden()
    finally:
        app.stop()
