"""Use the app in a browser: open pages, start the camera, upload photos."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright

from bench.support.frames import MEDIA, frame
from fer_core.data.catalog import import_dataset
from fer_core.data.synthetic.dataset import SyntheticFacesConfig
from fer_core.labels import Expression
from fer_core.settings import Settings
from tests.e2e.app_server import AppServer
from tests.e2e.conftest import CAMERA_FLAGS, DESKTOP, FLAGS, chromium_path
from tests.e2e.input_files import write_camera_video
from tests.support.synthetic_datasets import write_ferplus_like

DATASET = "faces"
WAIT_MS = 300_000

_FACES_FOUND = re.compile(r"^(No|One|\d+) faces? found$")
_MEASURE_FRAMES = """(video, seconds) => new Promise(done => {
    const times = [performance.now()];
    const record = () => { times.push(performance.now()); video.requestVideoFrameCallback(record); };
    video.requestVideoFrameCallback(record);
    setTimeout(() => {
        times.push(performance.now());
        const gaps = times.slice(1).map((time, index) => time - times[index]);
        done([(times.length - 2) / seconds, Math.max(...gaps) / 1000]);
    }, 1000 * seconds);
})"""


@dataclass(frozen=True)
class RunningApp:
    """A running app, a browser with a camera, and a photo to upload."""

    server: AppServer
    browser: Browser
    photo: Path

    def new_context(self) -> BrowserContext:
        """Open a browser context with its own session."""
        return self.browser.new_context(base_url=self.server.url, viewport=DESKTOP)

    def memory_mb(self) -> float:
        """Memory of the server process in MiB."""
        return float(psutil.Process(self.server.pid).memory_info().rss) / 2**20

    def cpu_s(self) -> float:
        """CPU seconds that the server process has used."""
        used = psutil.Process(self.server.pid).cpu_times()
        return float(used.user + used.system)


@contextmanager
def run_app(environment: dict[str, str], camera_video: Path | None = None) -> Iterator[RunningApp]:
    """Run the app on a temporary store with a synthetic dataset.

    Args:
        camera_video: what the camera shows, as motion JPEG; by default a clip.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _import_faces(folder)
        camera = ("--use-file-for-fake-video-capture=" + str(camera_video or _camera_video(folder)), *CAMERA_FLAGS)
        yunet = sorted((MEDIA.parent.parent / "models").glob("face_detection_yunet*.onnx"))
        server = AppServer(folder / "store", {**environment, **({"FERSCOPE_YUNET": str(yunet[0])} if yunet else {})})
        server.start()
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium_path(), args=[*FLAGS, *camera])
                yield RunningApp(server, browser, _photo(folder))
                browser.close()
        finally:
            server.stop()


def open_page(page: Page, path: str) -> None:
    """Open a page of the app and wait until its script has run."""
    page.goto(path)
    page.wait_for_selector('[data-testid="stHeading"]', timeout=WAIT_MS)
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=WAIT_MS)


def start_video(page: Page) -> Locator:
    """Press Start on the Live page and return the video when its faces are analyzed."""
    page.get_by_role("button", name="Start", exact=True).click(timeout=WAIT_MS)
    page.locator(".speed").filter(has_text="analyzed").wait_for(timeout=WAIT_MS)
    return page.locator(".picture video")


def measure_fps(video: Locator, seconds: float) -> tuple[float, float]:
    """Measure displayed frames per second, and the longest time without a new frame in seconds."""
    per_s, longest_s = video.evaluate(_MEASURE_FRAMES, seconds)
    return float(per_s), float(longest_s)


def upload(page: Page, photo: Path) -> None:
    """Upload a photo to the open Predict page without waiting."""
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(photo)


def wait_for_prediction(page: Page) -> None:
    """Wait for the prediction of the uploaded photo."""
    page.get_by_text(_FACES_FOUND).first.wait_for(timeout=WAIT_MS)


def _import_faces(folder: Path) -> None:
    archive = folder / "faces.zip"
    write_ferplus_like(archive, SyntheticFacesConfig(total=320, identities=40, profile=dict.fromkeys(Expression, 1)))
    import_dataset(archive, Settings(home=folder / "store"), dataset_id=DATASET, move=True)


def _camera_video(folder: Path) -> Path:
    woman = MEDIA / "woman_turning_640x360_20s.mp4"
    if woman.is_file():
        return write_camera_video(woman, folder / "camera.mjpeg")
    return write_camera_video(_photo(folder), folder / "camera.mjpeg")


def _photo(folder: Path) -> Path:
    path = folder / "photo.png"
    Image.fromarray(frame(1280, 720, 1)).save(path)
    return path
