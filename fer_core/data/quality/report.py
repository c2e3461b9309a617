"""Report the quality of a dataset: findings, skipped checks, and tables of the findings."""

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

_STATISTICS = ("width", "height", "sha256", "phash", "brightness", "contrast", "sharpness", "dark_01", "bright_01")
QUALITY_COLUMNS = ("id", "path", "split", "label", "identity", "problem", *_STATISTICS)
"""The columns that the checks need."""

_PAIR_STATISTICS = ["bits", "similarity"]

INFORMATIONAL = frozenset({FindingKind.NAME_ACROSS_SPLITS})
"""Findings that are only hints: if the files of each split are numbered from 1, all images have one."""

_IMAGE_COLUMNS = ("id", "path", "split", "label")
_STRICT = (
    f"an older version indexed the images, so that only hashes within {STRICT_HASH_DISTANCE_MAX} bits were looked for"
)


@dataclass(frozen=True, slots=True)
class QualityReport:
    """The quality of one dataset.

    Attributes:
        findings: the most severe first.
        unchecked: why a check could not run, or only in part.
        n_flagged: number of images with a finding that is not `INFORMATIONAL`.
        n_included: number of images that are not excluded.
        missing_columns: image statistics that an index of an older version lacks.
        search_limits: text on which copies the search misses.
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
    """Run all checks on a dataset with its corrections applied.

    Args:
        faces: from `face_search.load_face_search`; None if faces were not searched.
        version: of the corrections; the newest by default.
    """
    index, pairs = dataset.index(QUALITY_COLUMNS, version), dataset.pairs()
    findings = tuple(check_quality(index, pairs, faces))
    columns = dataset.columns()
    missing_columns = tuple(name for name in PIXEL_COLUMNS if name not in columns)
    outdated = {FindingKind.NEAR_DUPLICATE: _STRICT} if SIGNATURE in missing_columns else {}
    if DESCRIPTOR in missing_columns:
        outdated[FindingKind.AUGMENTED_COPY] = "an older version indexed the images"
    flagged = [finding.rows for finding in findings if finding.kind not in INFORMATIONAL]
    return QualityReport(
        findings=findings,
        unchecked=outdated | skipped_checks(index, pairs, faces),
        n_flagged=len(np.unique(np.concatenate(flagged))) if flagged else 0,
        n_included=int((~index["excluded"]).sum()),
        missing_columns=missing_columns,
        search_limits=copy_search_limits(columns, index["split"]),
    )


def parse_kind(name: str) -> FindingKind:
    """Parse the name of a kind of finding.

    Raises:
        InputError: there is no such kind.
    """
    try:
        return FindingKind(name.strip().lower().replace("-", "_"))
    except ValueError:
        raise InputError(f"{name!r} is not a finding. Choose one of: {', '.join(FindingKind)}.") from None


def describe_reason(reason: str) -> str:
    """Return the title of the finding that a correction names as its reason; else the reason itself."""
    try:
        return MESSAGES[FindingKind(reason)].title
    except ValueError:
        return reason


def rows_to_exclude(finding: Finding) -> Rows:
    """Return the redundant rows of a finding, or all of its rows if there are none."""
    return finding.redundant if len(finding.redundant) else finding.rows


def finding_table(findings: Sequence[Finding], index: pd.DataFrame) -> pd.DataFrame:
    """Build a table with one row for each finding and image: `finding`, `id`, `path`, `split`, `label`.

    Args:
        index: of the dataset, with these columns.
    """
    rows = np.concatenate([np.zeros(0, np.int64), *(finding.rows for finding in findings)])
    kinds = np.repeat([str(finding.kind) for finding in findings], [len(finding.rows) for finding in findings])
    table = index[list(_IMAGE_COLUMNS)].iloc[rows].reset_index(drop=True)
    table.insert(0, "finding", pd.Series(kinds, dtype="string"))
    return table


def pair_table(findings: Sequence[Finding], index: pd.DataFrame) -> pd.DataFrame:
    """Build a table with one row for each finding and pair: `finding`, `bits`, `similarity`, and `id`, `path`, `split`,
    `label` of both images (`_a`, `_b`)."""
    tables = [finding.pairs.assign(finding=str(finding.kind)) for finding in findings if finding.pairs is not None]
    if not tables:
        return pd.DataFrame(columns=["finding", *_PAIR_STATISTICS])
    pairs = pd.concat(tables, ignore_index=True)
    images = index[list(_IMAGE_COLUMNS)]
    ends = [images.iloc[pairs[end]].reset_index(drop=True).add_suffix(f"_{end}") for end in ("a", "b")]
    return pd.concat([pairs[["finding", *_PAIR_STATISTICS]], *ends], axis=1)
