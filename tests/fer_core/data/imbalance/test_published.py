"""Published distributions of all known datasets."""

from __future__ import annotations

from fer_core.data.imbalance.published import FIRST, published_distributions
from fer_core.data.manifest import builtin_manifests


def test_every_distribution_is_listed_once_with_its_totals() -> None:
    listed = published_distributions(builtin_manifests().values())
    totals = [tuple(sorted(each.totals.items())) for each in listed]
    assert len(set(totals)) == len(totals)
    published = [manifest for manifest in builtin_manifests().values() if manifest.published]
    for manifest in published:
        assert manifest.published
        sums: dict[str, int] = {}
        for split in manifest.published.splits.values():
            for expression, number in split.items():
                sums[str(expression)] = sums.get(str(expression), 0) + number
        assert tuple(sorted(sums.items())) in totals
    assert len(listed) < len(published), "FER2013 has two manifests with the same counts"


def test_the_dataset_of_study_a_is_first_then_the_largest() -> None:
    first, *others = published_distributions(builtin_manifests().values())
    assert first.manifest.id == FIRST
    assert [each.n for each in others] == sorted((each.n for each in others), reverse=True)


def test_manifests_without_counts_are_left_out() -> None:
    without = [manifest for manifest in builtin_manifests().values() if not manifest.published]
    assert without and published_distributions(without) == []
