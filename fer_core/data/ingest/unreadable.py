"""Opens a few images of a source to see whether its images can be read at all."""

from __future__ import annotations

from collections.abc import Sequence

from fer_core.data.index.image_stats import measure_images
from fer_core.data.ingest.skipped import EXAMPLES_MAX, Skipped, SkipReason
from fer_core.data.sources.byte_range import ByteRange
from fer_core.data.sources.source import Source
from fer_core.errors import DatasetError

SAMPLE_MAX = 32
"""Images that are opened: enough to see that most can't be read, few enough to take no time."""


def estimate_unreadable(source: Source, paths: Sequence[str]) -> list[Skipped]:
    """The images that can't be opened: those whose name is not UTF-8, and about how many of the others.

    The number of the others is an estimate, going by some at equal distances.

    Args:
        source: where they are.
        paths: the images, which are there.
    """
    not_utf8 = source.not_utf8()
    odd = [path for path in paths if path in not_utf8]
    found = [Skipped(SkipReason.NAME, len(odd), tuple(odd[:EXAMPLES_MAX]))] if odd else []
    unread = _unread(source, [path for path in paths if path not in not_utf8])
    return [*found, unread] if unread else found


def _unread(source: Source, paths: Sequence[str]) -> Skipped | None:
    if not paths:
        return None
    step = max(1, len(paths) // SAMPLE_MAX)
    sample = paths[::step][:SAMPLE_MAX]
    problems = measure_images([_place(source, path) for path in sample], [None] * len(sample))["problem"]
    failed = [path for path, problem in zip(sample, problems, strict=True) if problem]
    if not failed:
        return None
    if len(sample) == len(paths):
        return Skipped(SkipReason.UNREADABLE, len(failed), tuple(failed[:EXAMPLES_MAX]))
    estimate = round(len(failed) / len(sample) * len(paths))
    detail = f"an estimate: {len(failed)} of {len(sample)} that were opened"
    return Skipped(SkipReason.UNREADABLE, estimate, tuple(failed[:EXAMPLES_MAX]), detail)


def _place(source: Source, path: str) -> ByteRange | str:
    try:
        return source.locate(path)
    except DatasetError as exc:
        return str(exc)
