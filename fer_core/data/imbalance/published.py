"""The published class counts of all known datasets, without any images."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from fer_core.data.imbalance.counts import class_totals, published_counts
from fer_core.data.imbalance.imbalance import Imbalance, measure_imbalance
from fer_core.data.manifest import Manifest

FIRST = "affectnet-8"
"""The dataset that is named first: that of study A."""


class PublishedDistribution(NamedTuple):
    """How many images of each expression a dataset has, all splits together, as published."""

    manifest: Manifest
    totals: dict[str, int]
    imbalance: Imbalance

    @property
    def n(self) -> int:
        """The labeled images."""
        return sum(self.totals.values())


def published_distributions(manifests: Iterable[Manifest]) -> list[PublishedDistribution]:
    """List the distributions of the manifests with counts: `FIRST`, then the largest dataset.

    Of several manifests with the same counts, such as two layouts of one dataset, only the first by title is listed.
    """
    found: dict[tuple[tuple[str, int], ...], PublishedDistribution] = {}
    for manifest in sorted(manifests, key=lambda each: each.title.lower()):
        totals = class_totals(published_counts(manifest.published.splits)) if manifest.published else {}
        if imbalance := measure_imbalance(totals):
            found.setdefault(tuple(sorted(totals.items())), PublishedDistribution(manifest, totals, imbalance))
    return sorted(found.values(), key=lambda each: (each.manifest.id != FIRST, -each.n))
