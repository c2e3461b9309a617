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


def kept(settings: Settings) -> list[str]:
    """Everything that lies among the models, hidden or not."""
    return sorted(path.name for path in settings.models_dir.iterdir()) if settings.models_dir.is_dir() else []


@pytest.mark.parametrize("packed", [True, False])
def test_a_bundle_becomes_a_model_of_its_own_id(exported: Path, store: Settings, packed: bool) -> None:
    path = exported
    if packed:
        path = exported.with_suffix(".zip")
        write_bundle_file(exported, path)
    entry = import_bundle(path, store)
    assert (entry.id, entry.kind, entry.info.title) == ("tiny", "imported", "Tiny model")
    assert kept(store) == ["tiny"]
    assert [each.id for each in list_models(store)] == [SHIPPED, "tiny"]
    assert all(check.passed for check in verify_bundle(entry.folder))
    assert exported.is_dir()


def test_a_taken_id_is_refused_and_another_can_be_given(exported: Path, store: Settings) -> None:
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
    assert kept(store) == ["second", "tiny"]


def test_a_bundle_that_is_not_what_it_was_is_not_kept(exported: Path, store: Settings) -> None:
    network = exported / "model.onnx"
    content = bytearray(network.read_bytes())
    place = content.index(b"weights") - 40
    content[place] ^= 0x40
    network.write_bytes(content)
    with pytest.raises(BundleError, match=r"was not imported .*model.onnx"):
        import_bundle(exported, store)
    assert kept(store) == []


def test_without_golden_faces_nothing_is_proven_and_nothing_kept(make_bundle: MakeBundle, store: Settings) -> None:
    with pytest.raises(BundleError, match=r"golden faces: .*models export"):
        import_bundle(make_bundle(), store)
    assert kept(store) == []


def test_a_bundle_that_says_nothing_of_itself_is_called_by_its_file(exported: Path, store: Settings) -> None:
    (exported / "bundle.json").unlink()
    path = exported.with_name("My Model.zip")
    write_bundle_file(exported, path)
    entry = import_bundle(path, store)
    assert (entry.id, entry.info.origin) == ("my-model", "weights")
    assert "unknown" in entry.info.license
    assert "model.onnx" in entry.info.files, "its hashes are written down now"


def test_a_broken_bundle_json_is_said(exported: Path, store: Settings) -> None:
    (exported / "bundle.json").write_text('{"parameters": "many"}')
    with pytest.raises(BundleError, match=r"bundle\.json of exported is not valid at parameters"):
        import_bundle(exported, store)
    assert kept(store) == []


@pytest.mark.parametrize("name", ["weights.pt", "weights.pth", "weights.safetensors"])
def test_bare_weights_are_refused_with_the_presets(store: Settings, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(BundleError, match=rf"{name} .*no contract.*--preset") as refused:
        import_bundle(tmp_path / name, store)
    assert all(preset in str(refused.value) for preset in preset_paths())


@pytest.mark.parametrize("name", ["model.onnx", "model.h5", "model.ckpt"])
def test_other_kinds_are_refused_with_what_would_do(store: Settings, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(BundleError, match=rf"{name} is not a bundle.*no contract.*\.safetensors"):
        import_bundle(tmp_path / name, store)


def test_nothing_there_is_said(store: Settings, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="nothing at"):
        import_bundle(tmp_path / "gone.zip", store)


def test_deleting_falls_back_on_the_shipped_model(exported: Path, store: Settings) -> None:
    import_bundle(exported, store)
    set_active_model("tiny", store)
    assert delete_model("tiny", store) is True
    assert kept(store) == [] and active_model_id(store) == SHIPPED
    import_bundle(exported, store)
    assert active_model_id(store) == SHIPPED, "a new model of that name is not in use by itself"
    assert delete_model("tiny", store) is False


def test_a_damaged_model_can_be_deleted(exported: Path, store: Settings) -> None:
    folder = import_bundle(exported, store).folder
    (folder / "bundle.json").write_text("{")
    assert [each.id for each in list_models(store)] == [SHIPPED]
    delete_model("tiny", store)
    assert kept(store) == []


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


def test_a_model_on_its_way_is_not_listed(exported: Path, store: Settings) -> None:
    folder = import_bundle(exported, store).folder
    folder.rename(folder.with_name(".tiny.1234.tmp"))
    assert [each.id for each in list_models(store)] == [SHIPPED]


def test_what_was_imported_answers_as_before(exported: Path, store: Settings) -> None:
    import numpy as np

    faces = np.random.default_rng(0).uniform(0, 1, (3, 3, 16, 16)).astype(np.float32)
    entry = import_bundle(exported, store, model_id="copy")
    np.testing.assert_array_equal(Bundle.open(entry.folder).logits(faces), Bundle.open(exported).logits(faces))
    assert read_bundle_info(entry.folder).id == "copy"
    assert json.loads((entry.folder / "bundle.json").read_text())["files"] == read_bundle_info(exported).files


def test_verifying_exporting_and_importing_load_no_torch(store: Settings, tmp_path: Path) -> None:
    """The web process does all three."""
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
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["True", "False"], done.stderr
