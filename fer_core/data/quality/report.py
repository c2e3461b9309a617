"""Report the quality of a dataset: findings, skipped checks, and tables of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fer_core.data.catalog import StoredDataset
from fer_core.data.duplicates.augmented_copies import copy_search_limits
from fer_core.data.duplicates.dct_descriptor import DESCRIPTOR, SIGNATURE
from fer_core.data.duplicates.duplicates import STRICT_HASH_DISTANCE_MAX
from fer_core.data.index.image_stats import PIXEL_COLUMNS
from fer_core.data.quality.checks import Finding, check_quality, skipped_checks
from fer_core.data.quality.image_checks import Rows
from fer_core.data.quality.messages import MESSAGES, FindingKind
from fer_core.errors import InputError

_MEASURED = ("width", "height", "sha256", "phash", "brightness", "contrast", "sharpness", "dark_01", "bright_01")
QUALITY_COLUMNS = ("id", "path", "split", "label", "identity", "problem", *_MEASURED)
"""The columns that the checks need; the similarity by signatures is in the pairs."""

_MEASURED_OF_PAIRS = ["bits", "similarity"]

INFORMATIONAL = frozenset({FindingKind.NAME_ACROSS_SPLITS})
"""Findings that are no fault by themselves: where the files of each split are numbered from 1, all images have one."""

_DESCRIBED = ("id", "path", "split", "label")
_STRICT = (
    f"an older version indexed the images, so that only hashes within {STRICT_HASH_DISTANCE_MAX} bits were looked for"
)


@dataclass(frozen=True, slots=True)
class QualityReport:
    """The quality of one dataset.

    Attributes:
        findings: the most severe first; their row numbers are those of the index.
        unchecked: why a check had nothing to look at, or not all, by its kind.
        n_flagged: how many images have a finding, `INFORMATIONAL` aside.
        n_included: how many images are not excluded.
        missing_columns: measured columns that an index of an older version lacks.
        search_limits: which copies the search does not find, in sentences.
    """

    findings: tuple[Finding, ...]
    unchecked: dict[FindingKind, str]
    n_flagged: int
    n_included: int
    missing_columns: tuple[str, ...]
    search_limits: str = ""

    def get(self, kind: FindingKind) -> Finding | None:
        """Return the finding of a kind; None if there is none."""
        return next((finding for finding in self.findings if finding.kind is kind), None)


def quality_report(
    dataset: StoredDataset, faces: pd.DataFrame | None = None, version: int | None = None
) -> QualityReport:
    """Run every check on a dataset, with its corrections: images that they exclude are passed over.

    Args:
        faces: how many faces each image has, from `face_search.load_face_search`; None before they were searched.
        version: of the corrections; the newest by default.
    """
    index, pairs = dataset.index(QUALITY_COLUMNS, version), dataset.pairs()
    found = tuple(check_quality(index, pairs, faces))
    there = dataset.columns()
    missing_columns = tuple(name for name in PIXEL_COLUMNS if name not in there)
    waiting = {FindingKind.NEAR_DUPLICATE: _STRICT} if SIGNATURE in missing_columns else {}
    if DESCRIPTOR in missing_columns:
        waiting[FindingKind.AUGMENTED_COPY] = "an older version indexed the images"
    faulty = [finding.rows for finding in found if finding.kind not in INFORMATIONAL]
    return QualityReport(
        findings=found,
        unchecked=waiting | skipped_checks(index, pairs, faces),
        n_flagged=len(np.unique(np.concatenate(faulty))) if faulty else 0,
        n_included=int((~index["excluded"]).sum()),
        missing_columns=missing_columns,
        search_limits=copy_search_limits(there, index["split"]),
    )


def parse_kind(name: str) -> FindingKind:
    """Parse the name of a kind of finding.

    Raises:
        InputError: there is no such kind.
    """
    try:
        return FindingKind(name.strip().lower().replace("-", "_"))
    except ValueError:
        raise InputError(f"{name!r} is no finding. Choose one of: {', '.join(FindingKind)}.") from None


def describe_reason(reason: str) -> str:
    """Describe the reason of a correction: the title of a finding, or the text as it was written."""
    try:
        return MESSAGES[FindingKind(reason)].title
    except ValueError:
        return reason


def rows_to_exclude(finding: Finding) -> Rows:
    """Choose the rows to exclude: those that resolve the finding with the least loss, or all of its rows."""
    return finding.redundant if len(finding.redundant) else finding.rows


def finding_table(found: Sequence[Finding], index: pd.DataFrame) -> pd.DataFrame:
    """Build a table with one row for each finding and image: `finding`, `id`, `path`, `split`, `label`.

    Args:
        index: of the dataset, with these columns.
    """
    rows = np.concatenate([np.zeros(0, np.int64), *(finding.rows for finding in found)])
    kinds = np.repeat([str(finding.kind) for finding in found], [len(finding.rows) for finding in found])
    table = index[list(_DESCRIBED)].iloc[rows].reset_index(drop=True)
    table.insert(0, "finding", pd.Series(kinds, dtype="string"))
    return table


def pair_table(found: Sequence[Finding], index: pd.DataFrame) -> pd.DataFrame:
    """Build a table with one row for each finding and pair: `finding`, `bits`, `similarity`, and `id`, `path`, `split`,
    `label` of both images (`_a`, `_b`)."""
    tables = [_paired(finding, index) for finding in found if finding.pairs is not None]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["finding", *_MEASURED_OF_PAIRS])


def _paired(finding: Finding, index: pd.DataFrame) -> pd.DataFrame:
    assert finding.pairs is not None
    table = finding.pairs[_MEASURED_OF_PAIRS].copy()
    table.insert(0, "finding", str(finding.kind))
    for end in ("a", "b"):
        described = index[list(_DESCRIBED)].iloc[finding.pairs[end]].reset_index(drop=True)
        table = pd.concat([table, described.add_suffix(f"_{end}")], axis=1)
    return table
