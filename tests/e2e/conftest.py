"""Fixtures of the browser tests: the running app, Chromium, screenshots."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.e2e.app_server import AppServer
from tests.e2e.input_files import write_small_ferplus
from tests.e2e.page_state import resize_window, scrolls_sideways, wait_until_ready
from tests.support.sample_store import write_ferplus_sample

OUTPUT = Path(__file__).parent / "output"
WIDTHS_PX = {"desktop": 1280, "phone": 390}
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
DESKTOP: ViewportSize = {"width": 1280, "height": 900}

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CAMERA_FLAGS = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")

ONE_THREAD = {"FERSCOPE_THREADS": "1"}
"""For servers that train: the threads of a training wait for each other while other tests run."""

Launch = Callable[..., Browser]
TakeScreenshots = Callable[[str, str], None]


def chromium_path() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("Chromium is missing: `make setup` installs it on Debian and Ubuntu.")


@pytest.fixture(scope="session")
def launch() -> Iterator[Launch]:
    """A function that launches a browser with additional flags."""
    path = chromium_path()
    with sync_playwright() as playwright:
        started: list[Browser] = []

        def start(*flags: str) -> Browser:
            started.append(playwright.chromium.launch(executable_path=path, args=[*FLAGS, *flags]))
            return started[-1]

        yield start
        for browser in started:
            browser.close()


@pytest.fixture(scope="session")
def ferplus_archive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small FER+ archive: real faces if there is test data, otherwise synthetic ones."""
    archive = tmp_path_factory.mktemp("archive") / "ferplus.zip"
    try:
        data = request.getfixturevalue("test_data")
    except pytest.skip.Exception:
        return write_ferplus_sample(archive, 600)
    return write_small_ferplus(data / "ferplus.zip", archive)


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    try:
        environment = {"FERSCOPE_YUNET": str(request.getfixturevalue("yunet_file"))}
    except pytest.skip.Exception:
        environment = {}
    app = AppServer(tmp_path_factory.mktemp("journey") / "store", ONE_THREAD | environment)
    app.start()
    yield app
    app.stop()


@pytest.fixture(scope="session")
def browser(launch: Launch) -> Browser:
    return launch()


@pytest.fixture
def page(browser: Browser, server: AppServer) -> Iterator[Page]:
    context = browser.new_context(base_url=server.url, viewport=DESKTOP)
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def picture_page(browser: Browser, server: AppServer) -> Page:
    """The page of all screenshots, so that the app's scripts are loaded once."""
    page = browser.new_page(base_url=server.url, viewport=DESKTOP)
    page.set_default_timeout(30_000)
    return page


@pytest.fixture
def take_screenshots(picture_page: Page, page: Page) -> TakeScreenshots:
    """A function that opens a link and takes screenshots of it: see `screenshot_open_page`."""

    def take(name: str, link: str) -> None:
        picture_page.bring_to_front()
        picture_page.set_viewport_size(DESKTOP)
        picture_page.emulate_media(color_scheme="dark")
        picture_page.goto(link)
        wait_until_ready(picture_page)
        screenshot_open_page(picture_page, name, "dark")
        picture_page.goto("about:blank")  # an open page asks the server for its running jobs
        page.bring_to_front()  # a browser draws nothing in a window that is behind another

    return take


def fit_window_height(page: Page, width_px: int) -> None:
    """Resize the window to the height of the page, at most 4000 px."""
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    resize_window(page, width_px, max(600, min(int(height), 4000)))


def screenshot_open_page(page: Page, name: str, scheme: Scheme) -> None:
    """Take screenshots at desktop and phone width and assert that nothing scrolls sideways."""
    OUTPUT.mkdir(exist_ok=True)
    for device, width_px in WIDTHS_PX.items():
        fit_window_height(page, width_px)
        page.screenshot(path=OUTPUT / f"{name}-{device}-{scheme}.png")
        assert not scrolls_sideways(page), f"{name} scrolls sideways at {width_px} px"
