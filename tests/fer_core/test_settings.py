from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from fer_core.errors import SettingsError
from fer_core.settings import Settings, settings
from tests.conftest import PROJECT


@pytest.fixture(autouse=True)
def _clear_cache() -> Iterator[None]:
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FERSCOPE_THREADS", "many"),
        ("FERSCOPE_THREADS", "-1"),
        ("FERSCOPE_DETECTOR", "magic"),
        ("FERSCOPE_OFFLINE", "perhaps"),
        ("FERSCOPE_JOBS_AT_ONCE", "0"),
        ("FERSCOPE_ARCHIVE_RATIO_MAX", "1"),
        ("FERSCOPE_LOG_LEVEL", "LOUD"),
        ("FERSCOPE_IMAGE_BYTES_MAX", "0"),
    ],
)
def test_an_invalid_value_names_its_variable(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as error:
        settings()
    assert str(error.value).startswith(f"{name}={value!r} is invalid: ")


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FERSCOPE_HOME", str(tmp_path))
    monkeypatch.setenv("FERSCOPE_THREADS", "3")
    monkeypatch.setenv("FERSCOPE_OFFLINE", "true")
    configured = settings()
    assert (configured.store, configured.threads, configured.offline) == (tmp_path, 3, True)


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_an_empty_variable_means_the_default(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(f"FERSCOPE_{name.upper()}", raising=False)
    default = getattr(settings(), name)
    settings.cache_clear()
    monkeypatch.setenv(f"FERSCOPE_{name.upper()}", "")
    assert getattr(settings(), name) == default == Settings.model_fields[name].default


def test_settings_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first_settings = settings()
    monkeypatch.setenv("FERSCOPE_THREADS", "7")
    assert settings() is first_settings


def test_the_folders_of_the_store_are_distinct(store: Settings) -> None:
    names = [name for name in dir(Settings) if name.endswith("_dir")]
    folders = [getattr(store, name) for name in names]
    assert len(names) >= 6
    assert len(set(folders)) == len(folders)
    assert all(folder.parent == store.store for folder in folders)
    assert not store.store.exists()  # reading settings creates nothing


def test_a_tilde_means_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings(home=Path("~/there")).store == tmp_path / "there"


def test_the_job_database_is_in_the_store_by_default(store: Settings) -> None:
    assert store.jobs_url == f"sqlite:///{store.store / 'ferscope.db'}"
    assert Settings(database_url="postgresql://there/jobs").jobs_url == "postgresql://there/jobs"


def test_settings_are_frozen(store: Settings) -> None:
    with pytest.raises(ValidationError):
        store.threads = 4


def test_each_setting_has_a_description() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_readme_lists_every_setting() -> None:
    readme = (PROJECT / "README.md").read_text()
    missing = [name for name in Settings.model_fields if f"`FERSCOPE_{name.upper()}`" not in readme]
    assert not missing
