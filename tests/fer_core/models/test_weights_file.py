from __future__ import annotations

import functools
import hashlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision.models
from torch import nn

from fer_core.errors import InputError
from fer_core.models import catalog, weights_file
from fer_core.models.catalog import MODELS, WeightsFile
from fer_core.models.registry import build_network
from fer_core.models.weights_file import pretrained_file, read_weights
from fer_core.settings import Settings, settings

WITH_WEIGHTS = [info for info in MODELS.values() if info.weights is not None]
SMALL = "mobilenet-v3-small"


def _write_published_weights(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, dict[str, torch.Tensor]]:
    """Write random weights in torchvision's format, named by their hash, and register them in the catalog."""
    torch.manual_seed(5)
    state = torchvision.models.mobilenet_v3_small(weights=None).state_dict()
    for name, value in state.items():
        if name.endswith("running_mean"):
            value += 0.5
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(state, folder / "new.pth")
    content = (folder / "new.pth").read_bytes()
    name = f"mobilenet_v3_small-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    info = replace(MODELS[SMALL], weights=WeightsFile(name, len(content) / 2**20))
    monkeypatch.setitem(MODELS, SMALL, info)
    return (folder / "new.pth").rename(folder / name), state


@pytest.fixture(autouse=True)
def empty_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of torch.hub."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    return tmp_path / "hub" / "checkpoints"


@pytest.fixture
def served_folder(tmp_path: Path, store: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that a local server provides at the catalog's download address."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setattr(catalog, "_ADDRESS", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("FERSCOPE_OFFLINE", "false")
    settings.cache_clear()
    yield folder
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("info", WITH_WEIGHTS, ids=[info.name for info in WITH_WEIGHTS])
def test_the_catalog_has_torchvisions_files(info: catalog.ModelInfo) -> None:
    published = torchvision.models.get_model_weights(info.name.replace("-", "_")).DEFAULT
    assert info.weights is not None
    assert info.weights.url == published.url
    assert info.weights.size_mib == published.meta["_file_size"]
    assert published.url.endswith(f"-{info.weights.sha256_prefix}.pth")
    transforms = published.transforms()
    if info.normalization == "channel":
        assert (tuple(transforms.mean), tuple(transforms.std)) == (catalog._IMAGENET_MEAN, catalog._IMAGENET_STD)


def test_weights_in_the_store_are_loaded(store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    path, state = _write_published_weights(store.pretrained_dir, monkeypatch)
    assert pretrained_file(SMALL, store) == path
    network = build_network(SMALL, 8)
    loaded_state = network.features.state_dict()
    assert set(loaded_state) == {name for name in state if not name.startswith("classifier.3")}
    assert all(torch.equal(value, state[name]) for name, value in loaded_state.items())
    random_weights = build_network(SMALL, 8, pretrained=False).features.state_dict()
    assert not torch.equal(random_weights["features.0.0.weight"], state["features.0.0.weight"])


def test_cached_weights_are_used_after_those_of_the_store(
    store: Settings, empty_hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = _write_published_weights(empty_hub, monkeypatch)
    assert pretrained_file(SMALL, store) == path
    stored = store.pretrained_dir / path.name
    stored.parent.mkdir(parents=True)
    stored.write_bytes(path.read_bytes())
    assert pretrained_file(SMALL, store) == stored


def test_a_damaged_file_is_refused(store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    path, _ = _write_published_weights(store.pretrained_dir, monkeypatch)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(
        InputError, match=rf"is damaged, and FERSCOPE_OFFLINE forbids.*Put {path.name}.*pretrained=false"
    ):
        pretrained_file(SMALL, store)


def test_weights_are_downloaded_once_into_the_store(served_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, _ = _write_published_weights(served_folder, monkeypatch)
    downloaded = pretrained_file(SMALL, settings())
    assert downloaded == settings().pretrained_dir / path.name
    assert downloaded.read_bytes() == path.read_bytes()
    path.unlink()
    assert pretrained_file(SMALL, settings()) == downloaded


@pytest.mark.parametrize("damage", ["missing", "cut", "changed", "longer"])
def test_a_failed_download_is_reported_and_leaves_nothing(
    damage: str, served_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = _write_published_weights(served_folder, monkeypatch)
    content = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes({"cut": content[:-9], "changed": content[:-1] + b"?", "longer": content * 2}[damage])
    with pytest.raises(InputError, match=rf"could not be fetched \(.+\)\. Put {path.name} \(10 MiB, from http"):
        pretrained_file(SMALL, settings())
    folder = settings().pretrained_dir
    assert list(folder.iterdir()) == []


def test_a_network_without_published_weights_is_refused(store: Settings) -> None:
    with pytest.raises(InputError, match="small-resnet has no published weights"):
        pretrained_file("small-resnet", store)


class _CodeExecution:
    """A pickle that executes code."""

    def __reduce__(self) -> tuple[object, ...]:
        return (print, ("executed",))


@pytest.mark.parametrize("content", [_CodeExecution(), {"state": {"a": torch.zeros(1)}}, {}, [1], nn.Linear(1, 1)])
def test_only_plain_tensors_are_loaded(content: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(content, tmp_path / "weights.pth")
    with pytest.raises(InputError, match=r"weights\.pth"):
        read_weights(tmp_path / "weights.pth")
    assert capsys.readouterr().out == ""


_PICKLES = [b"\x80\x02K\x05.", b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f.", b"cos\nsystem\n(S'true'\ntR."]
_OTHERS = [
    b"",
    b"not a file of weights",
    b"epoch,loss\n1,0.5\n",
    b"{}",
    b"PK\x03\x04",
    b"\x89PNG\r\n\x1a\n",
    b"\xff" * 64,
]


@pytest.mark.parametrize("content", [*_PICKLES, *_OTHERS])
@pytest.mark.parametrize("name", ["weights.pt", "weights.pth", "weights.safetensors", "WEIGHTS.SAFETENSORS"])
def test_a_file_of_another_type_is_refused_with_the_expected_one(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"^{name} (can't be read|is not).*\. Give what torch\.save") as error:
        read_weights(tmp_path / name)
    assert str(tmp_path) not in str(error.value)


def test_arbitrary_content_is_refused(tmp_path: Path) -> None:
    """torch.load interprets the content as pickle opcodes, so random changes fail in many ways."""
    rng = np.random.default_rng(0)
    path = tmp_path / "weights.pt"
    torch.save({"a": torch.zeros(3)}, path, _use_new_zipfile_serialization=False)
    whole = path.read_bytes()
    refused: set[int] = set()
    for number in range(400):
        changed = bytearray(whole[: int(rng.integers(1, len(whole)))] if number % 2 else whole)
        for index in rng.integers(0, min(len(changed), 60), 3):
            changed[index] = int(rng.integers(256))
        path.write_bytes(bytes(changed) if number < 200 else bytes([number - 200]) + b" a line of text\n")
        try:
            read_weights(path)
        except InputError:
            refused.add(number)
    assert refused >= set(range(200, 400)), "texts"
    assert len(refused) > 300, "a change can also be a valid file"


def test_an_invalid_or_missing_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "weights.pth").write_bytes(b"not a file of weights")
    for name in ("weights.pth", "absent.pth"):
        with pytest.raises(InputError, match=name):
            read_weights(tmp_path / name)
    assert weights_file._shorten_names(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
