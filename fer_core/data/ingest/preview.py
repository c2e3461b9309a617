"""Preview of an import: the layout of a source, its labels and what they map to, and what would be skipped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import pandas as pd

from fer_core.data.ingest.label_conflicts import LabelConflict, find_label_conflict
from fer_core.data.ingest.record_stats import RecordStats
from fer_core.data.ingest.skipped import (
    EXAMPLES_MAX,
    Skipped,
    SkipReason,
    check_mostly_usable,
    find_other_files,
    is_mostly_unusable,
)
from fer_core.data.ingest.unreadable import estimate_unreadable
from fer_core.data.label_mapping.label_map import LabelMap, format_unknown_labels
from fer_core.data.label_mapping.numberings import Numbering, matching_numberings
from fer_core.data.manifest import Manifest
from fer_core.data.manifest_store import all_manifests
from fer_core.data.readers import READERS, detect_reader, get_reader
from fer_core.data.readers import table as table_reader
from fer_core.data.readers.file_matcher import MatchRule
from fer_core.data.readers.file_names import image_names
from fer_core.data.readers.label_files import assumed_encodings
from fer_core.data.readers.pattern_limit import check_pattern_speed
from fer_core.data.readers.table import choose_columns
from fer_core.data.record import Split
from fer_core.data.sources.source import Source
from fer_core.errors import DatasetError
from fer_core.ids import slug
from fer_core.settings import Settings
from fer_core.text import join_words

RECORDS_MAX = 200_000
"""Largest number of records that a preview reads; the import reads all."""


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """What an import of a source would do.

    Attributes:
        manifest: with the proposed layout, columns and labels; pass it to `Import.set_manifest`, changed or not.
        n_files: image files in the source.
        n_records: records that were read.
        complete: whether all records were read.
        labels: one row per raw label: `raw`, `count`, `expression` (None: ignored), `known` (False: must be mapped).
        splits: records by published split; "" for records without one.
        identities: number of different people, as far as names tell.
        identity_examples: a few of their names.
        extra_fields: fields beside the label that records have, such as "votes".
        skipped: what an import would skip, and why.
        match_rules: number of rows whose file name was matched by each rule other than equality.
        n_usable: estimated number of images that have a label and can be read.
        tables: files that could hold the labels.
        columns: of the chosen table.
        conflict: labels that the source gives in a second way; None where it does not.
        assumed_encodings: encoding by label file, of those that are not Unicode; it is a guess.
    """

    manifest: Manifest
    n_files: int
    n_records: int
    complete: bool
    labels: pd.DataFrame
    splits: dict[str, int]
    identities: int
    identity_examples: tuple[str, ...]
    extra_fields: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    match_rules: dict[MatchRule, int]
    n_usable: int
    tables: tuple[str, ...]
    columns: tuple[str, ...]
    conflict: LabelConflict | None
    assumed_encodings: dict[str, str]

    @property
    def unknown_labels(self) -> tuple[str, ...]:
        """Raw labels that map to nothing yet."""
        return tuple(self.labels.loc[~self.labels["known"], "raw"])

    @property
    def numberings(self) -> list[Numbering]:
        """Numberings of known datasets that cover the unknown labels, where these are numbers."""
        return matching_numberings(self.unknown_labels)

    @property
    def missing_files(self) -> tuple[str, ...]:
        """Examples of names in a label file that match no file."""
        return next((each.examples for each in self.skipped if each.reason is SkipReason.NOT_FOUND), ())

    @property
    def is_mostly_unusable(self) -> bool:
        """Whether more images would be skipped as unusable than imported."""
        return is_mostly_unusable(self.skipped, self.n_usable)

    def check(self, *, allow_partial: bool = False, labels_chosen: bool = True) -> None:
        """Refuse an import that needs a choice, or that would skip most images.

        Args:
            allow_partial: whether to allow an import of less than half of the images.
            labels_chosen: whether the user chose between the two labels that a source may give.
        Raises:
            DatasetError: a label is unknown, two labels conflict and none was chosen, or more than half of the images
                are unusable.
        """
        if not labels_chosen and self.conflict and self.conflict.n_differing:
            raise DatasetError(
                f"{self.conflict.text}, such as {self.conflict.examples[0]}. Say which to use: "
                f"--layout {self.manifest.layout} or --layout {self.conflict.other_layout}."
            )
        if self.unknown_labels:
            raise DatasetError(format_unknown_labels(self.unknown_labels))
        if not allow_partial:
            check_mostly_usable(self.skipped, self.n_usable)


def preview_import(source: Source, manifest: Manifest, records_max: int = RECORDS_MAX) -> ImportPreview:
    """Preview the import of a source with a manifest.

    Raises:
        DatasetError: a label file is broken, a table's columns were not chosen, or a pattern takes too long.
    """
    reader = get_reader(manifest.layout)
    names, images = source.names(), image_names(source)
    check_pattern_speed(manifest, names)
    tables, columns = _tables(source, names, manifest)
    records = reader.read(source, manifest)
    stats = RecordStats(islice(records, records_max), names, in_tables=reader.write_images is not None)
    complete = next(records, None) is None
    labels = reader.label_map(manifest)
    label_table = _tabulate_labels(stats.raw_labels, labels)
    unreadable = estimate_unreadable(source, stats.image_files)
    rows = tuple(stats.skipped_rows(labels))
    n_unusable = sum(each.count for each in (*rows, *unreadable) if each.reason is not SkipReason.AMBIGUOUS)
    conflict = find_label_conflict(source, manifest, stats.labels)
    label_files = reader.label_files(names, manifest)
    other_files = find_other_files(names, {*images, *label_files})
    return ImportPreview(
        manifest=manifest,
        n_files=len(images),
        n_records=stats.n,
        complete=complete,
        labels=label_table,
        splits={split: stats.splits[split] for split in (*Split, "") if stats.splits[split]},
        identities=len(stats.identities),
        identity_examples=tuple(sorted(stats.identities)[:EXAMPLES_MAX]),
        extra_fields=tuple(stats.extra_fields),
        skipped=(
            *stats.skipped_files(images if complete else ()),
            *rows,
            *unreadable,
            *_skipped_labels(label_table),
            *_skipped_conflicts(conflict),
            *(_note_agreement(each, conflict) for each in other_files),
        ),
        match_rules=stats.match_rules,
        n_usable=max(0, len(stats.labels) - n_unusable),
        tables=tables,
        columns=columns,
        conflict=conflict,
        assumed_encodings=assumed_encodings(source, label_files),
    )


def select_manifest(source: Source, layout: str, dataset_id: str, name: str, settings: Settings) -> Manifest:
    """Select the manifest called `dataset_id`, else the one that fits the source's name and layout, else make one.

    Args:
        layout: "" to detect it.
        name: name of the file or folder, without suffix.
    Raises:
        DatasetError: the layout is not detected, or needs a manifest of the user's.
    """
    known = all_manifests(settings)
    for named in (known.get(dataset_id), known.get(slug(name))):
        if named is not None and _fits(named, layout, source.names()):
            return named
    layout = layout or detect_reader(source).layout
    written_layout = get_reader(layout).written_layout  # FER+ is FER+, whether its images are in a table or not
    layouts = {layout, written_layout} - {"folders"}
    same = [manifest for manifest in known.values() if manifest.layout in layouts]
    if layout not in ("folders", "table", "names") and len(same) == 1:
        return same[0].model_copy(update={"layout": layout})
    if layout == "names":
        raise DatasetError("Labels in file names need a manifest with a label_pattern. Choose one, or write your own.")
    return Manifest(
        id=slug(dataset_id or name),
        title=dataset_id or name,
        summary=f"Imported from {name}.",
        license="not stated; ask the provider of the images",
        layout=get_reader(layout).layout,
        columns=choose_columns(source) if layout == "table" else None,
    )


def _fits(manifest: Manifest, layout: str, names: Sequence[str]) -> bool:
    """Whether a manifest of the right name fits the files: FER2013 comes as a table and as class folders."""
    if layout or not manifest.layout:
        return bool(layout) and manifest.layout == layout
    reader = get_reader(manifest.layout)
    # Labels in file names, and folders with unusual names, match no reader: only the manifest describes them.
    return reader.layout == "names" or reader.matches(names) or not any(r.matches(names) for r in READERS.values())


def _skipped_conflicts(conflict: LabelConflict | None) -> Iterator[Skipped]:
    if conflict and conflict.n_differing:
        detail = f"by folder and by {join_words(conflict.tables)}, of {conflict.n_compared:,} that have both"
        yield Skipped(SkipReason.LABELS_DISAGREE, conflict.n_differing, conflict.examples, detail)


def _note_agreement(skipped: Skipped, conflict: LabelConflict | None) -> Skipped:
    """Add to a table that is not read that its labels are the same as those of the folders."""
    if conflict is None or conflict.n_differing or skipped.reason is not SkipReason.TABLE_NOT_READ:
        return skipped
    return replace(skipped, detail=f"the same labels for all {conflict.n_compared:,} images")


def _skipped_labels(labels: pd.DataFrame) -> Iterator[Skipped]:
    ignored = labels[labels["known"] & labels["expression"].isna() & (labels["raw"] != "")]
    if len(ignored):
        yield Skipped(SkipReason.LABEL_IGNORED, int(ignored["count"].sum()), tuple(ignored["raw"].head(EXAMPLES_MAX)))


def _tabulate_labels(raw: Counter[str], labels: LabelMap) -> pd.DataFrame:
    names = [name for name, _ in raw.most_common()]
    known = [labels.is_known(name) for name in names]
    expressions = [labels.expression(name) if is_known else None for name, is_known in zip(names, known, strict=True)]
    return pd.DataFrame(
        {
            "raw": pd.Series(names, dtype=object),
            "count": pd.Series([raw[name] for name in names], dtype=int),
            "expression": pd.Series(expressions, dtype=object),  # pandas would convert the enum to str
            "known": pd.Series(known, dtype=bool),
        }
    )


def _tables(source: Source, names: Sequence[str], manifest: Manifest) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the source's tables and the columns of the chosen one."""
    if manifest.columns is None:
        return (), ()
    chosen = manifest.columns
    columns = chosen.names or table_reader.read_column_names(source, table_reader.resolve_tables(names, chosen)[0])
    return tuple(table_reader.find_tables(names)), tuple(columns)
