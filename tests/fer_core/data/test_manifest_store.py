from __future__ import annotations

import logging
from pathlib import Path

import pytest

from fer_core.data.manifest import builtin_manifests
from fer_core.data.manifest_store import all_manifests, delete_manifest, save_manifest, user_manifests
from fer_core.errors import InputError, ManifestError
from fer_core.labels import Expression
from fer_core.settings import Settings


def _text(dataset_id: str = "sample", title: str = "Sample") -> str:
    return f"# a remark\nid: {dataset_id}\ntitle: {title}\nsummary: A few.\nlicence: MIT\nlabels: {{0: fear}}\n"


def _file(store: Settings, name: str) -> Path:
    return store.store / "manifests" / name


def test_a_new_store_has_no_user_manifests(store: Settings) -> None:
    assert user_manifests(store) == {}
    assert all_manifests(store) == builtin_manifests()


def test_a_saved_manifest_keeps_its_text(store: Settings) -> None:
    saved = save_manifest(_text(), store)
    assert saved.labels == {"0": Expression.FEAR}
    assert user_manifests(store) == {"sample": saved}
    assert _file(store, "sample.yaml").read_text() == _text()
    assert [path.name for path in _file(store, "").iterdir()] == ["sample.yaml"]


def test_manifests_are_sorted_by_title(store: Settings) -> None:
    save_manifest(_text("a-late-one", "zebra faces"), store)
    save_manifest(_text("z-early-one", "Aardvark faces"), store)
    assert list(user_manifests(store)) == ["z-early-one", "a-late-one"]
    manifests = all_manifests(store)
    assert set(manifests) == {"a-late-one", "z-early-one", *builtin_manifests()}
    assert [name for name in manifests if name not in builtin_manifests()] == ["z-early-one", "a-late-one"]
    titles = [manifest.title.lower() for manifest in manifests.values()]
    assert titles == sorted(titles)


def test_an_existing_id_is_replaced_only_on_request(store: Settings) -> None:
    save_manifest(_text(), store)
    with pytest.raises(ManifestError, match="already a manifest 'sample'"):
        save_manifest(_text(title="Another"), store)
    assert user_manifests(store)["sample"].title == "Sample"
    save_manifest(_text(title="Another"), store, replace=True)
    assert user_manifests(store)["sample"].title == "Another"


@pytest.mark.parametrize("replace", [False, True])
def test_built_in_ids_are_refused(replace: bool, store: Settings) -> None:
    with pytest.raises(ManifestError, match="'ferplus' is built in"):
        save_manifest(_text("ferplus"), store, replace=replace)
    assert not _file(store, "ferplus.yaml").exists()


@pytest.mark.parametrize(
    "text",
    ["", "id: [", "id: sample", _text("../escape"), _text() + "color: red\n", _text() + "layout: heap\n"],
)
def test_an_invalid_manifest_is_not_saved(text: str, store: Settings) -> None:
    save_manifest(_text(), store)
    with pytest.raises(ManifestError):
        save_manifest(text, store, replace=True)
    assert _file(store, "sample.yaml").read_text() == _text()
    assert [path.name for path in _file(store, "").iterdir()] == ["sample.yaml"]


def test_a_damaged_file_is_skipped_and_logged(store: Settings, caplog: pytest.LogCaptureFixture) -> None:
    saved = save_manifest(_text(), store)
    _file(store, "broken.yaml").write_text("id: [")
    _file(store, "moved.yaml").write_text(_text("other"))
    _file(store, "ferplus.yaml").write_text(_text("ferplus", "Not FER+"))
    _file(store, ".sample.yaml.1234.yaml").write_text("half a file")
    with caplog.at_level(logging.WARNING):
        assert user_manifests(store) == {"sample": saved}
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 3
    for name in ("broken.yaml", "moved.yaml", "ferplus.yaml"):
        assert sum(name in line for line in messages) == 1
    assert all_manifests(store)["ferplus"] == builtin_manifests()["ferplus"]


def test_valid_and_damaged_manifests_can_be_deleted(store: Settings) -> None:
    save_manifest(_text(), store)
    save_manifest(_text("other"), store)
    _file(store, "broken.yaml").write_text("id: [")
    delete_manifest("sample", store)
    delete_manifest("broken", store)
    assert list(user_manifests(store)) == ["other"]
    assert [path.name for path in _file(store, "").iterdir()] == ["other.yaml"]


def test_unknown_and_built_in_manifests_cannot_be_deleted(store: Settings) -> None:
    save_manifest(_text(), store)
    with pytest.raises(ManifestError, match=r"no manifest 'none' .*sample"):
        delete_manifest("none", store)
    with pytest.raises(ManifestError, match="is built in"):
        delete_manifest("ferplus", store)
    with pytest.raises(InputError, match="can't be a manifest id"):
        delete_manifest("../settings", store)
    assert list(user_manifests(store)) == ["sample"] and "ferplus" in builtin_manifests()
