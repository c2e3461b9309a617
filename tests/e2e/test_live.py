"""Live with a fake camera: frames are analyzed and the annotated video is displayed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, Page, TimeoutError, expect

from fer_ui.theme import COLORS, rgb
from tests.e2e.app_server import AppServer
from tests.e2e.conftest import CAMERA_FLAGS, DESKTOP, SCHEMES, Launch, Scheme, screenshot_open_page
from tests.e2e.input_files import write_camera_video
from tests.e2e.page_state import wait_until_ready

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

_PLAYER = 'iframe[title="streamlit_webrtc.component.webrtc_streamer"]'
_ABSTAIN_COLOR = (226, 231, 237)
_COUNT_PIXELS = """(video, colors) => {
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth; canvas.height = video.videoHeight;
    const context = canvas.getContext("2d");
    context.drawImage(video, 0, 0);
    const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
    let found = 0;
    for (let i = 0; i < data.length; i += 4)
        for (const [r, g, b] of colors)
            if (Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 40) { found++; break; }
    return found;
}"""


@pytest.fixture(scope="module")
def camera_browser(
    launch: Launch, test_data: Path, yunet_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Browser:
    """A browser whose camera shows a woman turning her head."""
    video = tmp_path_factory.mktemp("camera") / "woman.mjpeg"
    write_camera_video(test_data / "media" / "woman_turning_640x360_20s.mp4", video)
    return launch(
        *CAMERA_FLAGS,
        f"--use-file-for-fake-video-capture={video}",
    )


@pytest.fixture
def live_page(camera_browser: Browser, server: AppServer, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The Live page before START; `request.param` is light or dark."""
    scheme: Scheme = getattr(request, "param", "light")
    context = camera_browser.new_context(base_url=server.url, viewport=DESKTOP, color_scheme=scheme)
    page = context.new_page()
    page.goto("/live")
    wait_until_ready(page)
    yield page
    context.close()


@pytest.mark.parametrize("live_page", SCHEMES, indirect=True)
def test_annotated_frames_are_displayed(live_page: Page, request: pytest.FixtureRequest) -> None:
    player = live_page.frame_locator(_PLAYER)
    video = _start(live_page, player)
    colors = [rgb(color) for color in COLORS.values()] + [_ABSTAIN_COLOR]
    live_page.get_by_text("Speed", exact=True).click()
    shown = live_page.locator("dl.ferscope-headline dd").first
    expect(shown).to_have_text(re.compile(r"^[1-9]"), timeout=30_000)  # frames a second
    _wait_until(live_page, lambda: int(video.evaluate(_COUNT_PIXELS, colors)) > 500, "no box was drawn on the video")
    before = _count_frames(video)
    _wait_until(live_page, lambda: _count_frames(video) > before + 5, "the video is frozen")
    screenshot_open_page(live_page, "live", request.node.callspec.params["live_page"])
    player.get_by_role("button", name="Stop").click()
    expect(player.get_by_role("button", name="Start")).to_be_visible()


def test_the_operating_point_changes_during_the_video(live_page: Page) -> None:
    player = live_page.frame_locator(_PLAYER)
    video = _start(live_page, player)
    live_page.get_by_role("radio", name="Balanced").click()
    live_page.wait_for_url(re.compile("point=balanced"))
    before = _count_frames(video)
    _wait_until(live_page, lambda: _count_frames(video) > before + 5, "the video stopped with the change")


def test_the_video_can_be_started_again_after_a_visit_to_another_page(live_page: Page) -> None:
    player = live_page.frame_locator(_PLAYER)
    _start(live_page, player)
    for name in ("Predict", "Live"):
        live_page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()
        expect(live_page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    wait_until_ready(live_page)
    _start(live_page, player)


def test_a_missing_camera_is_reported(launch: Launch, server: AppServer) -> None:
    page = launch("--use-fake-ui-for-media-stream").new_page(base_url=server.url)
    page.goto("/live")
    wait_until_ready(page)
    expect(page.get_by_role("status").filter(has_text="No camera was found")).to_be_visible()


def test_a_denied_camera_is_explained(launch: Launch, server: AppServer) -> None:
    page = launch("--use-fake-device-for-media-stream", "--deny-permission-prompts").new_page(base_url=server.url)
    page.goto("/live")
    wait_until_ready(page)
    page.frame_locator(_PLAYER).get_by_role("button", name="Start").click()
    expect(page.get_by_role("status").filter(has_text="does not allow")).to_be_visible(timeout=30_000)


def _start(page: Page, player: FrameLocator) -> Locator:
    """Press START and wait until the video plays."""
    player.get_by_role("button", name="Start").click(timeout=40_000)
    video = player.locator("video")
    try:
        video.wait_for(timeout=30_000)
    except TimeoutError as error:
        raise AssertionError(f"No video; the player says: {player.locator('body').inner_text()}") from error
    _wait_until(page, lambda: bool(video.evaluate("v => v.videoWidth > 0 && v.currentTime > 0")), "it never played")
    return video


def _count_frames(video: Locator) -> int:
    return int(video.evaluate("v => v.getVideoPlaybackQuality().totalVideoFrames"))


def _wait_until(page: Page, holds: Callable[[], bool], failure: str) -> None:
    for _ in range(120):
        if holds():
            return
        page.wait_for_timeout(250)
    raise AssertionError(failure)
