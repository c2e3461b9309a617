"""Import of weights with the names and shapes of study A's checkpoint."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from fer_core.bundles import import_weights as module
from fer_core.bundles.bundle import Bundle
from fer_core.bundles.catalog import ModelEntry, find_model
from fer_core.bundles.import_weights import WeightsImportOptions, import_weights
from fer_core.bundles.output_order import known_orders, parse_order
from fer_core.bundles.verification import check_parity, verify_bundle
from fer_core.calibration import Calibration
from fer_core.data.catalog import import_dataset
from fer_core.data.manifest import builtin_manifests
from fer_core.data.synthetic.dataset import SYNTHETIC_FACES, SyntheticFacesConfig
from fer_core.errors import BundleError, InputError
from fer_core.labels import LABEL_SETS
from fer_core.models.catalog import model_info
from fer_core.models.onnx_export import torch_logits
from fer_core.models.registry import build_network
from fer_core.settings import Settings, settings
from fer_core.training.network import load_trained_network
from tests.fer_core.models.test_networks import _study_a, _study_a_logits
from tests.support.synthetic_datasets import write_synthetic_faces

DATASET = "drawn"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint like study A's."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("study-a") / "Best Model.pt"
    torch.save(_study_a(), path)
    return path


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A store with a small dataset, shared by the tests that only read it."""
    patch = pytest.MonkeyPatch()
    folder = tmp_path_factory.mktemp("weights")
    patch.setenv("FERSCOPE_HOME", str(folder / "store"))
    patch.setenv("FERSCOPE_OFFLINE", "true")
    settings.cache_clear()
    write_synthetic_faces(folder / "drawn", SyntheticFacesConfig(total=120, identities=30, seed=1))
    manifest = builtin_manifests()[SYNTHETIC_FACES].model_copy(update={"id": DATASET})
    import_dataset(folder / "drawn", settings(), dataset_id=DATASET, manifest=manifest)
    yield settings()
    patch.undo()
    settings.cache_clear()


@pytest.fixture(scope="module")
def entry(checkpoint: Path, shared: Settings) -> ModelEntry:
    return import_weights(checkpoint, WeightsImportOptions(preset="A-cnn", license="as the study says"), shared)


def test_study_as_checkpoint_is_imported(entry: ModelEntry, checkpoint: Path, shared: Settings) -> None:
    assert (entry.id, entry.kind, entry.info.architecture) == ("best-model", "imported", "shallow-cnn")
    assert entry.info.parameters == 52_316 and entry.info.license == "as the study says"
    assert entry.info.dataset == "" and entry.info.origin == "weights", "the training data are unknown"
    bundle = Bundle.open(find_model("best-model", shared).folder)
    assert (bundle.contract.color, bundle.contract.size_px, bundle.contract.normalization) == ("rgb", 224, "byte")
    assert bundle.contract.labels == LABEL_SETS["eight"].expressions
    faces = np.random.default_rng(0).uniform(0, 255, (2, 3, 224, 224)).astype(np.float32)
    state = torch.load(checkpoint, weights_only=True)
    expected = _study_a_logits(state, torch.from_numpy(faces)).numpy()
    np.testing.assert_allclose(bundle.logits(faces), expected, atol=1e-4 * np.abs(expected).max())


def test_without_a_preset_the_network_is_guessed(checkpoint: Path, shared: Settings) -> None:
    wrapped = checkpoint.with_name("wrapped.pt")
    state = {f"module.{name}": value for name, value in _study_a().items()}
    torch.save({"epoch": 3, "state_dict": state}, wrapped)
    guessed = import_weights(wrapped, WeightsImportOptions(), shared)
    assert (guessed.info.architecture, guessed.info.parameters) == ("shallow-cnn", 52_316)
    again = import_weights(wrapped, WeightsImportOptions(model_id="again"), shared)
    assert again.info.title == f"{guessed.info.title} (2)", "no two models have one title"
    with pytest.raises(InputError, match="not of this network"):
        import_weights(wrapped, WeightsImportOptions(network="small-resnet", model_id="x"), shared)
    for entry in (guessed, again):
        shutil.rmtree(entry.folder)


def test_outputs_in_another_order_are_brought_into_ours(entry: ModelEntry, checkpoint: Path, shared: Settings) -> None:
    faces = np.random.default_rng(0).uniform(0, 255, (2, 3, 224, 224)).astype(np.float32)
    plain = Bundle.open(entry.folder).logits(faces)
    reordered = import_weights(checkpoint, WeightsImportOptions(model_id="ferplus-order", outputs="ferplus"), shared)
    bundle = Bundle.open(reordered.folder)
    ours, theirs = LABEL_SETS["eight"].expressions, known_orders(LABEL_SETS["eight"])["ferplus"]
    assert bundle.contract.labels == ours
    for column, expression in enumerate(ours):
        np.testing.assert_allclose(bundle.logits(faces)[:, column], plain[:, theirs.index(expression)], rtol=1e-4)
    shutil.rmtree(reordered.folder)


@pytest.mark.parametrize("outputs", ["fear,anger", "neutral,smile", "rafdb"])
def test_an_order_that_is_not_one_of_the_labels_is_refused(outputs: str) -> None:
    with pytest.raises(InputError, match=r"neutral|smile"):
        parse_order(outputs, LABEL_SETS["eight"])


def test_orders_are_named_or_written_out() -> None:
    seven = LABEL_SETS["seven"]
    assert parse_order("", seven) == tuple(seven)
    assert parse_order("rafdb", seven)[:2] == ("surprise", "fear")
    assert parse_order(", ".join(reversed(tuple(seven))), seven) == tuple(reversed(tuple(seven)))
    assert "ckplus" not in known_orders(seven), "CK+ has eight"


def test_imported_weights_have_no_calibration_and_no_metrics(entry: ModelEntry) -> None:
    labels = LABEL_SETS["eight"].expressions
    assert Calibration.load(entry.folder / "calibration.json", labels) == Calibration.identity(labels)
    assert not (entry.folder / "report.json").exists() and entry.info.metrics == {}
    assert "It has not been evaluated yet" in (entry.folder / "card.md").read_text()


def test_the_import_passes_verification_and_matches_pytorch(entry: ModelEntry) -> None:
    assert all(check.passed for check in verify_bundle(entry.folder))
    (check,) = check_parity(entry.folder)
    assert check.passed and check.name == "network" and "8 faces" in check.detail


def test_weights_that_differ_from_the_onnx_file_are_detected(entry: ModelEntry, tmp_path: Path) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(entry.folder, folder)
    state = load_trained_network(folder).state_dict()
    save_file({**state, "fc.bias": state["fc.bias"] + 1.0}, folder / "weights.safetensors")
    (check,) = check_parity(folder)
    assert not check.passed and "in ONNX Runtime" in check.detail and "allowed 1e-04" in check.detail
    (folder / "weights.safetensors").write_bytes(b"nothing")
    (check,) = check_parity(folder)
    assert not check.passed and "can't be read" in check.detail
    (folder / "weights.safetensors").unlink()
    assert check_parity(folder) == [], "without weights there is nothing to compare"


def test_pretrained_weights_are_not_downloaded_for_a_trained_network(tmp_path: Path, shared: Settings) -> None:
    network = build_network("resnet18", 8, pretrained=False)
    torch.save(network.state_dict(), tmp_path / "r.pt")
    (tmp_path / "config.yaml").write_text("dataset: x\nmodel: {name: resnet18}\n")
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    model_info("resnet18").contract(LABEL_SETS["eight"]).save(tmp_path / "contract.json")
    faces = np.random.default_rng(0).normal(size=(1, 3, 64, 64)).astype(np.float32)
    np.testing.assert_allclose(
        torch_logits(load_trained_network(tmp_path), faces), torch_logits(network, faces), atol=1e-5
    )


def test_with_data_the_model_is_calibrated_and_evaluated(
    checkpoint: Path, shared: Settings, monkeypatch: pytest.MonkeyPatch, entry: ModelEntry
) -> None:
    probes: list[int] = []

    def exported(_network: object, _contract: object, probe: np.ndarray) -> bytes:
        probes.append(len(probe))
        return (entry.folder / "model.onnx").read_bytes()  # skips the slow export; the weights are the same

    monkeypatch.setattr("fer_core.models.onnx_export.export_onnx", exported)
    options = WeightsImportOptions(preset="A-cnn", model_id="judged", data=DATASET)
    imported = import_weights(checkpoint, options, shared)
    report = json.loads((imported.folder / "report.json").read_text())
    labels = LABEL_SETS["eight"].expressions
    assert report.keys() == {"valid", "test"}
    assert imported.info.metrics["split"] == "test" and imported.info.metrics["dataset"] == DATASET
    assert probes == [report["valid"][0]["n"]], "the export is checked on faces of the data"
    calibration = Calibration.load(imported.folder / "calibration.json", labels)
    assert calibration != Calibration.identity(labels)
    card = (imported.folder / "card.md").read_text()
    assert f"`{DATASET}`" in card and "test split" in card
    assert imported.info.metrics["synthetic"] and "evaluated on synthetic faces" in card
    assert all(check.passed for check in verify_bundle(imported.folder))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (WeightsImportOptions(preset="nobody"), "no preset 'nobody'. Choose one of: A-cnn"),
        (WeightsImportOptions(preset="small-soft", model_id="x"), "not of this network: it lacks"),
        (WeightsImportOptions(preset="A-cnn", model_id="default"), "'default' already"),
        (WeightsImportOptions(preset="A-cnn", model_id="x", data="gone"), "no dataset 'gone'"),
        (
            WeightsImportOptions(preset="A-cnn", model_id="x", data=DATASET, split="test"),
            "fit the calibration on the images of the evaluation",
        ),
    ],
    ids=["preset", "other network", "taken", "dataset", "split"],
)
def test_invalid_options_are_refused_and_leave_nothing(
    checkpoint: Path, shared: Settings, options: WeightsImportOptions, message: str
) -> None:
    before = sorted(shared.models_dir.glob("*"))
    with pytest.raises(InputError, match=message):
        import_weights(checkpoint, options, shared)
    assert sorted(shared.models_dir.glob("*")) == before


def test_a_failed_import_leaves_nothing(checkpoint: Path, shared: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise BundleError("no room")

    before = sorted(shared.models_dir.glob("*"))
    monkeypatch.setattr(module, "finish_bundle", fails)
    monkeypatch.setattr("fer_core.models.onnx_export.export_onnx", lambda *_: b"onnx")
    with pytest.raises(BundleError, match="no room"):
        import_weights(checkpoint, WeightsImportOptions(preset="A-cnn", model_id="half"), shared)
    assert sorted(shared.models_dir.glob("*")) == before
