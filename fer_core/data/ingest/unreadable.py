"""Estimate how many images of a source can't be read, from a sample."""

from __future__ import annotations

from collections.abc import Sequence

from fer_core.data.index.image_stats import measure_images
from fer_core.data.ingest.skipped import EXAMPLES_MAX, Skipped, SkipReason
from fer_core.data.sources.source import Source, try_locate

SAMPLE_MAX = 32
"""Number of images that are opened."""


def estimate_unreadable(source: Source, paths: Sequence[str]) -> list[Skipped]:
    """Count images whose name is not UTF-8, and estimate how many others can't be read from evenly spaced ones.

    Args:
        paths: images that exist in the source.
    """
    not_utf8 = source.not_utf8()
    skipped = [path for path in paths if path in not_utf8]
    by_name = [Skipped(SkipReason.NAME, len(skipped), tuple(skipped[:EXAMPLES_MAX]))] if skipped else []
    by_content = _estimate(source, [path for path in paths if path not in not_utf8])
    return [*by_name, by_content] if by_content else by_name


def _estimate(source: Source, paths: Sequence[str]) -> Skipped | None:
    if not paths:
        return None
    step = max(1, len(paths) // SAMPLE_MAX)
    sample = paths[::step][:SAMPLE_MAX]
    problems = measure_images([try_locate(source, path) for path in sample], [None] * len(sample))["problem"]
    failed = [path for path, problem in zip(sample, problems, strict=True) if problem]
    if not failed:
        return None
    if len(sample) == len(paths):
        return Skipped(SkipReason.UNREADABLE, len(failed), tuple(failed[:EXAMPLES_MAX]))
    estimate = round(len(failed) / len(sample) * len(paths))
    detail = f"an estimate: {len(failed)} of {len(sample)} that were opened"
    return Skipped(SkipReason.UNREADABLE, estimate, tuple(failed[:EXAMPLES_MAX]), detail)
