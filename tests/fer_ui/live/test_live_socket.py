"""The websocket of Live: seats, pictures, results, and the end of a page."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from fer_core.bundles.bundle import INT8_FILE, Bundle
from fer_core.bundles.catalog import SHIPPED_FOLDER
from fer_core.detection.yunet import YuNetDetector
from fer_core.errors import UnreadableImageError
from fer_core.faces import RgbImage
from fer_core.inference.predictor import Predictor
from fer_core.live.pool import LivePool
from fer_ui.live import live_socket
from fer_ui.live.live_socket import LiveSession, decode_message, live_socket_route
from tests.waiting import wait_until


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> LivePool:
    pool = LivePool(1, 1)
    monkeypatch.setattr(live_socket, "live_pool", lambda: pool)
    monkeypatch.setattr(live_socket, "_ASK_EVERY_S", 0.02)
    return pool


@pytest.fixture
def client(pool: LivePool) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=[live_socket_route("/live-socket")])) as client:
        yield client


@pytest.fixture
def session(yunet_file: Path) -> LiveSession:
    session = LiveSession()
    bundle = Bundle.open(SHIPPED_FOLDER, model_file=INT8_FILE, flip_tta=False)
    session.predictor = Predictor(bundle, YuNetDetector(yunet_file))
    return session


@pytest.fixture
def photo(test_data: Path) -> RgbImage:
    """Two faces, in RGB."""
    image = cv2.imread(str(test_data / "media" / "two_people_1126x661.jpg"))
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def encode(number: int, image: RgbImage) -> bytes:
    return struct.pack("<I", number) + cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()


def test_a_picture_comes_back_as_faces(
    client: TestClient, session: LiveSession, pool: LivePool, photo: RgbImage
) -> None:
    with client.websocket_connect(f"/live-socket/{session.token}") as page:
        assert page.receive_json() == {"admitted": True}
        page.send_bytes(encode(70_000, photo))
        result = page.receive_json()
        assert result["number"] == 70_000
        assert (result["width"], result["height"]) == (1126, 661)
        assert len(result["predictions"]) == result["found"] == 2
        assert len(result["predictions"][0]["logits"]) == 8
        page.send_json({"faces_max": 1})
        page.send_bytes(encode(70_001, photo[:, ::-1]))
        result = page.receive_json()
        assert result["found"] == 2
        assert len(result["predictions"]) == 1
    wait_until(lambda: pool.n_live == 0)
    assert session.seat is None


def test_frames_of_webrtc_have_their_number_and_no_strip(
    client: TestClient, session: LiveSession, photo: RgbImage
) -> None:
    from av import VideoFrame

    strip = np.zeros((22, photo.shape[1], 3), np.uint8)
    strip[:, -photo.shape[1] // 16 :] = 255
    frame = VideoFrame.from_ndarray(np.concatenate([photo, strip]), format="rgb24")
    session.submit_video_frame(frame)  # before there is a seat: ignored
    with client.websocket_connect(f"/live-socket/{session.token}") as page:
        assert page.receive_json() == {"admitted": True}
        session.submit_video_frame(frame)
        result = page.receive_json()
    assert result["number"] == 1
    assert result["height"] == pytest.approx(661, abs=1)
    assert len(result["predictions"]) == 2


def test_the_second_viewer_waits_for_the_seat(client: TestClient, session: LiveSession, yunet_file: Path) -> None:
    second = LiveSession()
    second.predictor = session.predictor
    with client.websocket_connect(f"/live-socket/{session.token}") as first_page:
        assert first_page.receive_json() == {"admitted": True}
        with client.websocket_connect(f"/live-socket/{second.token}") as page:
            assert page.receive_json() == {"waiting": {"live": 1, "ahead": 0}}
            first_page.close()
            message = page.receive_json()
            while "waiting" in message:
                message = page.receive_json()
            assert message == {"admitted": True}


def test_a_page_that_connects_again_keeps_its_seat(client: TestClient, session: LiveSession, pool: LivePool) -> None:
    with client.websocket_connect(f"/live-socket/{session.token}") as first_page:
        assert first_page.receive_json() == {"admitted": True}
        with client.websocket_connect(f"/live-socket/{session.token}") as page:
            assert page.receive_json() == {"admitted": True}
            assert pool.n_live == 1
            first_page.close()
            seat = session.seat
            assert seat is not None and not seat.is_closed
    wait_until(lambda: pool.n_live == 0)


def test_what_is_no_picture_is_reported_and_the_page_goes_on(
    client: TestClient, session: LiveSession, photo: RgbImage
) -> None:
    with client.websocket_connect(f"/live-socket/{session.token}") as page:
        page.receive_json()
        page.send_bytes(b"\1\0\0\0no picture")
        assert "not a JPEG" in page.receive_json()["error"]
        page.send_text("no choices")
        page.send_bytes(encode(5, photo))
        assert page.receive_json()["number"] == 5


@pytest.mark.parametrize("token", ["", "unknown"])
def test_an_unknown_session_is_refused(client: TestClient, session: LiveSession, token: str) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(f"/live-socket/{token}") as page:
        page.receive_json()


def test_a_session_without_a_page_is_forgotten() -> None:
    token = LiveSession().token
    assert token not in live_socket._SESSIONS


@pytest.mark.parametrize("message", [b"", b"\1", b"\1\0\0\0", b"\1\0\0\0\xff\xd8\xff"])
def test_broken_messages_are_errors(message: bytes) -> None:
    with pytest.raises(UnreadableImageError):
        decode_message(message)
