from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fer_core.bundles.bundle import Bundle
from fer_core.bundles.catalog import (
    SHIPPED,
    SHIPPED_FOLDER,
    active_model_id,
    find_model,
    list_models,
    model_titles,
    set_active_model,
    unique_title,
)
from fer_core.bundles.verification import verify_bundle
from fer_core.errors import BundleError
from fer_core.labels import LABEL_SETS
from fer_core.settings import Settings


@pytest.fixture
def imported(store: Settings, make_bundle: Callable[[], Path]) -> str:
    shutil.copytree(make_bundle(), store.models_dir / "tiny")
    return "tiny"


def test_the_shipped_model_comes_first_and_is_active(store: Settings, imported: str) -> None:
    assert [entry.id for entry in list_models(store)] == [SHIPPED, imported]
    assert active_model_id(store) == SHIPPED


def test_the_shipped_model_passes_verification() -> None:
    failed = [check for check in verify_bundle(SHIPPED_FOLDER) if not check.passed]
    assert not failed
    assert Bundle.open(SHIPPED_FOLDER).contract.labels == LABEL_SETS["eight"].expressions


def test_a_selected_model_stays_active_until_it_is_deleted(store: Settings, imported: str) -> None:
    set_active_model(imported, store)
    assert active_model_id(store) == imported
    shutil.rmtree(store.models_dir / imported)
    assert active_model_id(store) == SHIPPED


def test_a_damaged_model_does_not_hide_others(store: Settings, imported: str) -> None:
    broken = store.models_dir / "broken"
    shutil.copytree(store.models_dir / imported, broken)
    (broken / "bundle.json").write_text("{")
    assert [entry.id for entry in list_models(store)] == [SHIPPED, imported]


def test_a_taken_title_is_numbered(store: Settings, imported: str) -> None:
    title = find_model(imported, store).info.title
    assert unique_title("New", store) == "New"
    assert unique_title(title, store) == f"{title} (2)"
    info = find_model(imported, store).info.model_copy(update={"title": f"{title} (2)", "id": "second"})
    shutil.copytree(store.models_dir / imported, store.models_dir / "second")
    info.save_in(store.models_dir / "second")
    assert unique_title(title, store) == f"{title} (3)"


def test_titles_in_a_list_are_distinct(store: Settings, imported: str) -> None:
    shutil.copytree(store.models_dir / imported, store.models_dir / "second")
    titles = model_titles(list_models(store))
    assert len(set(titles.values())) == len(titles) == 3


def test_an_unknown_model_is_refused_with_the_choices(store: Settings, imported: str) -> None:
    with pytest.raises(BundleError, match=f"'nobody'.*{SHIPPED}, {imported}"):
        find_model("nobody", store)


def test_the_shipped_files_contain_no_local_paths() -> None:
    """Exported files must not contain paths of the machine that made them."""
    for path in (path for path in SHIPPED_FOLDER.rglob("*") if path.is_file()):
        assert not re.search(rb"site-packages|/(home|root|work|Users)/|\.py\b", path.read_bytes()), path.name
