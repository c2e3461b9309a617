"""The live view with a fake camera: frames are analyzed, and what is drawn on them really reaches the screen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, Page, TimeoutError, expect

from fer_ui.theme import COLORS, rgb
from tests.e2e.app_server import AppServer
from tests.e2e.conftest import DESKTOP, SCHEMES, Launch, Scheme, photograph_open_page, settle
from tests.e2e.input_files import camera_film

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

_FRAME = 'iframe[title="streamlit_webrtc.component.webrtc_streamer"]'
_DOUBT_COLOR = (226, 231, 237)
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
def camera(launch: Launch, test_data: Path, yunet_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Browser:
    """A browser whose camera shows a woman turning her head."""
    film = tmp_path_factory.mktemp("camera") / "woman.mjpeg"
    camera_film(test_data / "media" / "woman_turning_640x360_20s.mp4", film)
    return launch(
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    )


@pytest.fixture
def live(camera: Browser, server: AppServer, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The live page, before START; `request.param` is light or dark."""
    scheme: Scheme = getattr(request, "param", "light")
    context = camera.new_context(base_url=server.url, viewport=DESKTOP, color_scheme=scheme)
    page = context.new_page()
    page.goto("/live")
    settle(page)
    yield page
    context.close()


@pytest.mark.parametrize("live", SCHEMES, indirect=True)
def test_annotated_frames_are_really_displayed(live: Page, request: pytest.FixtureRequest) -> None:
    frame = live.frame_locator(_FRAME)
    video = _start(live, frame)
    colors = [rgb(color) for color in COLORS.values()] + [_DOUBT_COLOR]
    shown = live.locator("dl.ferscope-headline dd").first
    expect(shown).to_have_text(re.compile(r"^[1-9]"), timeout=30_000)  # frames a second
    _wait_until(live, lambda: int(video.evaluate(_COUNT_PIXELS, colors)) > 500, "no box was drawn on the video")
    before = _frames(video)
    _wait_until(live, lambda: _frames(video) > before + 5, "the picture stands still")
    photograph_open_page(live, "live", request.node.callspec.params["live"])
    frame.get_by_role("button", name="Stop").click()
    expect(frame.get_by_role("button", name="Start")).to_be_visible()


def test_the_operating_point_changes_while_it_plays(live: Page) -> None:
    frame = live.frame_locator(_FRAME)
    video = _start(live, frame)
    live.get_by_role("radio", name="Balanced").click()
    live.wait_for_url(re.compile("point=balanced"))
    before = _frames(video)
    _wait_until(live, lambda: _frames(video) > before + 5, "the video stopped with the change")


def test_a_look_at_another_page_ends_the_video_and_it_starts_again(live: Page) -> None:
    frame = live.frame_locator(_FRAME)
    _start(live, frame)
    for name in ("Predict", "Live"):
        live.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()
        expect(live.get_by_role("heading", name=name, exact=True)).to_be_visible()
    settle(live)
    _start(live, frame)


def test_a_machine_without_a_camera_is_told_so(launch: Launch, server: AppServer) -> None:
    page = launch("--use-fake-ui-for-media-stream").new_page(base_url=server.url)
    page.goto("/live")
    settle(page)
    expect(page.get_by_role("status").filter(has_text="No camera was found")).to_be_visible()


def test_a_denied_camera_is_explained(launch: Launch, server: AppServer) -> None:
    page = launch("--use-fake-device-for-media-stream", "--deny-permission-prompts").new_page(base_url=server.url)
    page.goto("/live")
    settle(page)
    page.frame_locator(_FRAME).get_by_role("button", name="Start").click()
    expect(page.get_by_role("status").filter(has_text="does not allow")).to_be_visible(timeout=30_000)


def _start(page: Page, frame: FrameLocator) -> Locator:
    """Press START and wait until the video plays."""
    frame.get_by_role("button", name="Start").click(timeout=40_000)
    video = frame.locator("video")
    try:
        video.wait_for(timeout=30_000)
    except TimeoutError as error:
        raise AssertionError(f"No video; the player says: {frame.locator('body').inner_text()}") from error
    _wait_until(page, lambda: bool(video.evaluate("v => v.videoWidth > 0 && v.currentTime > 0")), "it never played")
    return video


def _frames(video: Locator) -> int:
    return int(video.evaluate("v => v.getVideoPlaybackQuality().totalVideoFrames"))


def _wait_until(page: Page, holds: Callable[[], bool], failure: str) -> None:
    for _ in range(120):
        if holds():
            return
        page.wait_for_timeout(250)
    raise AssertionError(failure)
