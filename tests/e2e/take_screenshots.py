"""`make screenshots`: write pictures of every page to docs/images, at desktop size in light and on a phone in dark.

The store is made for it: synthetic faces, so that no person is shown, a short training on them, the shipped model and
published counts. The sample photo is a work of the US government.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from playwright.sync_api import Browser, ViewportSize, sync_playwright

from fer_core.data.synthetic.dataset import make_synthetic_dataset
from fer_core.detection.yunet_file import packaged_yunet
from fer_core.experiment import run_experiment
from fer_core.jobs.job import JobKind, JobState
from fer_core.jobs.store import JobStore
from fer_core.runs.folder import create_run
from fer_core.settings import Settings
from fer_core.training.config.train_config import dump_config, load_config, preset_paths
from fer_ui.predict.sample_photos import SAMPLE_PHOTOS
from tests.e2e.app_server import PROJECT, AppServer
from tests.e2e.conftest import CAMERA_FLAGS, FLAGS, Scheme, chromium_path
from tests.e2e.input_files import write_camera_video
from tests.e2e.page_state import wait_until_settled

FOLDER = PROJECT / "docs" / "images"
BYTES_MAX = 150_000
_DATASET, _RUN = "synthetic-faces", "20260101-000000-synthetic"
_FACES, _EPOCHS = 2000, 8
_SETTLE_MS = 1500
_LIVE_MS = 20_000
_QUALITIES = (82, 70, 55, 40)

VIEWS = {
    "overview": "/",
    "classes": f"/datasets?dataset={_DATASET}",
    "faces": f"/datasets?dataset={_DATASET}&section=faces",
    "quality": f"/datasets?dataset={_DATASET}&section=quality",
    "splits": f"/datasets?dataset={_DATASET}&section=splits",
    "rebalancing": f"/datasets?dataset={_DATASET}&section=balance&rebalancing=square-root-sampling",
    "augmentation": f"/datasets?dataset={_DATASET}&section=augmentation",
    "compare": "/datasets?view=compare",
    "published": "/datasets?view=published&manifest=affectnet-8",
    "import": "/datasets?view=import",
    "training": f"/training?dataset={_DATASET}",
    "run": f"/training?run={_RUN}",
    "runs": "/training?view=runs",
    "jobs": "/jobs",
    "evaluation": "/evaluation?model=default",
    "predict": "/predict?sample=astronaut",
    "live": "/live",
    "models": "/models",
}


class _Device(NamedTuple):
    window: ViewportSize
    scheme: Scheme


_DEVICES = {
    "desktop": _Device({"width": 1400, "height": 900}, "light"),
    "phone": _Device({"width": 390, "height": 844}, "dark"),
}


def main() -> None:
    """Make the store, open each view on each device and write its picture."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        store = Path(folder) / "store"
        fill_screenshot_store(Settings(home=store, offline=True))
        video = write_camera_video(SAMPLE_PHOTOS["astronaut"].file, Path(folder) / "astronaut.mjpeg")
        camera = (*CAMERA_FLAGS, f"--use-file-for-fake-video-capture={video}")
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=[*FLAGS, *camera])
        with _running_app(store) as server:
            total = sum(_take(browser, server, name, device) for device in _DEVICES for name in VIEWS)
        browser.close()
    print(f"{len(_DEVICES) * len(VIEWS)} pictures in {FOLDER}, {total / 1e6:.1f} MB")  # noqa: T201


def fill_screenshot_store(settings: Settings) -> None:
    """Fill an empty store with synthetic faces a finished run on them, and its job."""
    make_synthetic_dataset(_DATASET, _FACES, 0, settings)
    values = ["model.width=8", f"epochs={_EPOCHS}", "batch_size=32", "precision=fp32", f"dataset={_DATASET}"]
    run = create_run(_RUN, dump_config(load_config(preset_paths()["small-soft"], values)), settings)
    run_experiment(run, settings)
    with JobStore(settings) as jobs:
        done = jobs.submit(JobKind.TRAIN, str(run.summary()["title"]), ("train", "--run", _RUN), _RUN, job_id="done")
        jobs.claim_next()
        jobs.finish(done.id, JobState.SUCCEEDED, 0, "")


def encode_webp(png: bytes) -> bytes:
    """Encode a picture as WebP below `BYTES_MAX`, at the best quality that fits.

    Raises:
        ValueError: it does not fit at the lowest quality.
    """
    for quality in _QUALITIES:
        content = io.BytesIO()
        with Image.open(io.BytesIO(png)) as picture:
            picture.convert("RGB").save(content, "WEBP", quality=quality, method=6)
        if content.tell() <= BYTES_MAX:
            return content.getvalue()
    raise ValueError(f"The picture has {content.tell():,} bytes at quality {quality}; at most {BYTES_MAX:,} fit.")


@contextmanager
def _running_app(store: Path) -> Iterator[AppServer]:
    yunet = packaged_yunet()
    server = AppServer(store, {"FERSCOPE_YUNET": str(yunet)} if yunet else {})
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _take(browser: Browser, server: AppServer, name: str, device_name: str) -> int:
    """Write the picture of a view and return its bytes."""
    device = _DEVICES[device_name]
    context = browser.new_context(base_url=server.url, viewport=device.window, color_scheme=device.scheme)
    page = context.new_page()
    page.goto(VIEWS[name])
    wait_until_settled(page)
    page.wait_for_timeout(_SETTLE_MS)
    if name == "live":
        page.get_by_role("button", name="Start", exact=True).click()
        page.locator(".speed").filter(has_text="over WebRTC").wait_for()
        page.wait_for_timeout(_LIVE_MS)
    content = encode_webp(page.screenshot())
    context.close()
    (FOLDER / f"{name}-{device_name}.webp").write_bytes(content)
    return len(content)


if __name__ == "__main__":
    main()
