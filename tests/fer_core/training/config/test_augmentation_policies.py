from __future__ import annotations

from pathlib import Path

import pytest

from fer_core.errors import ConfigError
from fer_core.training.config.augmentation import AugmentConfig
from fer_core.training.config.augmentation_policies import describe_changes, find_policy, policies
from fer_core.training.config.train_config import load_config, preset_paths


def test_every_policy_has_a_title_and_a_description() -> None:
    all_policies = policies()
    assert set(all_policies) == {"none", "small-soft", "strong", "webcam", "study-b", "study-c"}
    assert len({policy.title for policy in all_policies.values()}) == len(all_policies)
    assert all(policy.description for policy in all_policies.values())


def test_only_the_policy_none_changes_nothing() -> None:
    assert {name for name, policy in policies().items() if policy.augment == AugmentConfig()} == {"none"}
    assert {name for name, policy in policies().items() if not describe_changes(policy.augment)} == {"none"}


@pytest.mark.parametrize("name", ["small-soft", "webcam"])
def test_a_policy_matches_the_preset_of_its_name(name: str) -> None:
    assert policies()[name].augment == load_config(preset_paths()[name]).augment


def test_the_studies_policies_are_as_published() -> None:
    study_b = policies()["study-b"].augment
    assert (study_b.gain_low, study_b.gain_high, study_b.shear_01) == (0, 2, 0.3)
    assert study_b.flip_prob > 0
    assert set(policies()["study-c"].augment.model_dump(exclude_defaults=True)) == {"rotate_deg", "scale_01"}
    assert "does not publish their ranges" in policies()["study-c"].description


def test_every_augmentation_has_a_description() -> None:
    required = {
        "jpeg_quality_min": {"jpeg_prob": 1},
        "downscale_px_min": {"downscale_prob": 1},
        "mix_until_01": {"mixup_alpha": 1},
    }
    for key in AugmentConfig.model_fields:
        value = {"gain_high": 1.25, "jpeg_quality_min": 25, "downscale_px_min": 25}.get(key, 0.25)
        changed = AugmentConfig(**{key: value, **required.get(key, {})})
        descriptions = describe_changes(changed)
        assert len(descriptions) == 1, key
        assert "25" in descriptions[0], key


def test_a_custom_policy_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("title: Mine\naugment: {flip_prob: 1}\n")
    assert find_policy(str(tmp_path / "mine.yaml")).augment == AugmentConfig(flip_prob=1)
    assert find_policy("strong") == policies()["strong"]


def test_an_unknown_name_lists_the_choices() -> None:
    with pytest.raises(ConfigError) as error:
        find_policy("strnog")
    assert "'strnog'" in str(error.value)
    assert all(name in str(error.value) for name in policies())


@pytest.mark.parametrize(
    ("text", "expected_message"),
    [
        ("title: Mine\naugment: {flip: 1}", "unknown key 'augment.flip'. Known keys: flip_prob"),
        ("title: Mine\naugment: {}\nflip_01: 1", "unknown key 'flip_prob'. Known keys: title, description, augment"),
        ("title: Mine\naugment: {gain_low: 3}", "augment.gain_high"),
        ("title: Mine", "augment: Field required"),
        ("flip", "not a mapping"),
        ("a: [", "not YAML"),
    ],
)
def test_an_invalid_policy_is_refused_with_its_file_name(text: str, expected_message: str, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(ConfigError) as error:
        find_policy(str(tmp_path / "mine.yaml"))
    assert "mine.yaml" in str(error.value)
    assert expected_message in str(error.value)
