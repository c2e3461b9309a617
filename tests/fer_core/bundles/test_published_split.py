"""Whether a published validation split serves as test split."""

from __future__ import annotations

import pytest

from fer_core.bundles.catalog import SHIPPED, find_model
from fer_core.bundles.published_split import published_validation_is_test, validation_serves_as_test
from fer_core.data.splits.split import SplitConfig
from fer_core.settings import Settings


@pytest.mark.parametrize(
    ("kind", "published", "expected"),
    [
        ("published", {"train", "valid"}, True),
        ("published", {"train", "valid", "test"}, False),
        ("published", {"train", "test"}, False),
        ("published", {"valid"}, False),
        ("seeded", {"train", "valid"}, False),
    ],
)
def test_validation_serves_as_test_only_where_no_test_split_is_published(
    kind: str, published: set[str], expected: bool
) -> None:
    assert validation_serves_as_test(SplitConfig.model_validate({"kind": kind}), published) is expected


def test_the_shipped_model_was_tested_on_the_published_validation_split(store: Settings) -> None:
    assert published_validation_is_test(find_model(SHIPPED, store), store)
