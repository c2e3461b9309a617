from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fer_core.bundles.archive import write_bundle_file
from fer_core.bundles.bundle import Bundle, read_bundle_info
from fer_core.bundles.catalog import SHIPPED, ModelEntry, active_model_id, delete_model, list_models, set_active_model
from fer_core.bundles.export_bundle import export_bundle
from fer_core.bundles.import_bundle import import_bundle
from fer_core.bundles.verification import verify_bundle
from fer_core.errors import BundleError, InputError
from fer_core.settings import Settings
from fer_core.training.config.train_config import preset_paths
from tests.conftest import PROJECT
from tests.fer_core.bundles.measured import measure

MakeBundle = Callable[..., Path]


@pytest.fixture
def exported(make_bundle: MakeBundle, tmp_path: Path) -> Path:
    folder = make_bundle()
    return export_bundle(ModelEntry("tiny", "run", folder, measure(folder)), tmp_path / "exported")


def stored_names(settings: Settings) -> list[str]:
    """Names in the models folder, including hidden ones."""
    return sorted(path.name for path in settings.models_dir.iterdir()) if settings.models_dir.is_dir() else []


@pytest.mark.parametrize("packed", [True, False])
def test_a_bundle_is_imported_under_its_id(exported: Path, store: Settings, packed: bool) -> None:
    path = exported
    if packed:
        path = exported.with_suffix(".zip")
        write_bundle_file(exported, path)
    entry = import_bundle(path, store)
    assert (entry.id, entry.kind, entry.info.title) == ("tiny", "imported", "Tiny model")
    assert stored_names(store) == ["tiny"]
    assert [entry.id for entry in list_models(store)] == [SHIPPED, "tiny"]
    assert all(check.passed for check in verify_bundle(entry.folder))
    assert exported.is_dir()


def test_an_existing_id_is_refused_and_another_can_be_given(exported: Path, store: Settings) -> None:
    import_bundle(exported, store)
    with pytest.raises(BundleError, match=r"a model 'tiny' already.*--id"):
        import_bundle(exported, store)
    assert import_bundle(exported, store, model_id="second").info.id == "second"
    with pytest.raises(BundleError, match="'default' already"):
        import_bundle(exported, store, model_id=SHIPPED)
    (store.runs_dir / "trained").mkdir(parents=True)
    with pytest.raises(BundleError, match="'trained' already"):
        import_bundle(exported, store, model_id="trained")
    with pytest.raises(InputError, match="can't be a model id"):
        import_bundle(exported, store, model_id="../x")
    assert stored_names(store) == ["second", "tiny"]


def test_a_bundle_with_a_changed_network_is_not_imported(exported: Path, store: Settings) -> None:
    network = exported / "model.onnx"
    content = bytearray(network.read_bytes())
    offset = content.index(b"weights") - 40
    content[offset] ^= 0x40
    network.write_bytes(content)
    with pytest.raises(BundleError, match=r"was not imported .*model.onnx"):
        import_bundle(exported, store)
    assert stored_names(store) == []


def test_a_bundle_without_golden_faces_is_not_imported(make_bundle: MakeBundle, store: Settings) -> None:
    with pytest.raises(BundleError, match=r"golden faces: .*models export"):
        import_bundle(make_bundle(), store)
    assert stored_names(store) == []


def test_a_bundle_without_info_is_named_by_its_file(exported: Path, store: Settings) -> None:
    (exported / "bundle.json").unlink()
    path = exported.with_name("My Model.zip")
    write_bundle_file(exported, path)
    entry = import_bundle(path, store)
    assert (entry.id, entry.info.origin) == ("my-model", "weights")
    assert "unknown" in entry.info.license
    assert "model.onnx" in entry.info.files, "hashes are recorded at import"


def test_a_broken_bundle_json_is_an_error(exported: Path, store: Settings) -> None:
    (exported / "bundle.json").write_text('{"parameters": "many"}')
    with pytest.raises(BundleError, match=r"bundle\.json of exported is not valid at parameters"):
        import_bundle(exported, store)
    assert stored_names(store) == []


@pytest.mark.parametrize("name", ["weights.pt", "weights.pth", "weights.safetensors"])
def test_bare_weights_are_refused_with_the_presets(store: Settings, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(BundleError, match=rf"{name} .*no contract.*--preset") as error:
        import_bundle(tmp_path / name, store)
    assert all(preset in str(error.value) for preset in preset_paths())


@pytest.mark.parametrize("name", ["model.onnx", "model.h5", "model.ckpt"])
def test_other_file_types_are_refused_with_the_accepted_ones(store: Settings, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(BundleError, match=rf"{name} is not a bundle.*no contract.*\.safetensors"):
        import_bundle(tmp_path / name, store)


def test_a_missing_file_is_an_error(store: Settings, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="nothing at"):
        import_bundle(tmp_path / "gone.zip", store)


def test_deleting_the_active_model_activates_the_shipped_one(exported: Path, store: Settings) -> None:
    import_bundle(exported, store)
    set_active_model("tiny", store)
    assert delete_model("tiny", store) is True
    assert stored_names(store) == [] and active_model_id(store) == SHIPPED
    import_bundle(exported, store)
    assert active_model_id(store) == SHIPPED, "a new model of that name is not active"
    assert delete_model("tiny", store) is False


def test_a_damaged_model_can_be_deleted(exported: Path, store: Settings) -> None:
    folder = import_bundle(exported, store).folder
    (folder / "bundle.json").write_text("{")
    assert [entry.id for entry in list_models(store)] == [SHIPPED]
    delete_model("tiny", store)
    assert stored_names(store) == []


def test_only_imported_models_are_deleted(exported: Path, store: Settings) -> None:
    run = store.runs_dir / "trained"
    run.mkdir(parents=True)
    with pytest.raises(BundleError, match=r"ships with FERscope can't be deleted"):
        delete_model(SHIPPED, store)
    with pytest.raises(BundleError, match=r"is a run.*runs delete trained"):
        delete_model("trained", store)
    with pytest.raises(BundleError, match=r"no imported model 'nobody'. Imported: none"):
        delete_model("nobody", store)
    with pytest.raises(InputError):
        delete_model("../runs/trained", store)
    assert run.is_dir()


def test_a_partial_import_is_not_listed(exported: Path, store: Settings) -> None:
    folder = import_bundle(exported, store).folder
    folder.rename(folder.with_name(".tiny.1234.tmp"))
    assert [entry.id for entry in list_models(store)] == [SHIPPED]


def test_an_imported_model_predicts_as_before(exported: Path, store: Settings) -> None:
    import numpy as np

    faces = np.random.default_rng(0).uniform(0, 1, (3, 3, 16, 16)).astype(np.float32)
    entry = import_bundle(exported, store, model_id="copy")
    np.testing.assert_array_equal(Bundle.open(entry.folder).logits(faces), Bundle.open(exported).logits(faces))
    assert read_bundle_info(entry.folder).id == "copy"
    assert json.loads((entry.folder / "bundle.json").read_text())["files"] == read_bundle_info(exported).files


def test_verifying_exporting_and_importing_load_no_torch(store: Settings, tmp_path: Path) -> None:
    """All three run in the web process, which must not load torch."""
    code = (
        "import sys; from pathlib import Path; from fer_core.settings import settings\n"
        "from fer_core.bundles.catalog import find_model\n"
        "from fer_core.bundles.export_bundle import export_bundle\n"
        "from fer_core.bundles.verification import verify_bundle\n"
        "from fer_core.bundles.import_bundle import import_bundle\n"
        f"path = export_bundle(find_model('default', settings()), Path({str(tmp_path / 'one.zip')!r}))\n"
        "folder = import_bundle(path, settings(), model_id='mine').folder\n"
        "print(all(check.passed for check in verify_bundle(folder)), 'torch' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, timeout=120)
    assert result.stdout.split() == ["True", "False"], result.stderr
