"""What a source seems to be, before anything of it is imported: its layout, its labels and what they would become."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
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
from fer_core.data.label_mapping.label_map import LabelMap, build_label_map, format_unknown_labels
from fer_core.data.label_mapping.numberings import Numbering, matching_numberings
from fer_core.data.manifest import Manifest
from fer_core.data.manifest_store import all_manifests
from fer_core.data.readers import READERS, detect_reader, get_reader
from fer_core.data.readers import table as table_reader
from fer_core.data.readers.file_matcher import MatchRule
from fer_core.data.readers.file_names import image_names
from fer_core.data.readers.table_choice import choose_columns
from fer_core.data.record import Split
from fer_core.data.sources.source import Source
from fer_core.errors import DatasetError
from fer_core.ids import slug
from fer_core.settings import Settings
from fer_core.text import join_words

RECORDS_MAX = 200_000
"""Records that a proposal looks at; the import looks at all."""


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """What was found, and what is proposed.

    Attributes:
        manifest: with layout, columns and labels as proposed; `set_manifest` it, or change it first.
        n_files: image files in the source.
        n_records: rows that the reader gives, as far as it looked.
        complete: whether it looked at all.
        labels: a row a raw label: `raw`, `count`, `expression` (None: left out), `known` (False: must be decided).
        splits: records of each published part; "" for those in none.
        identities: different people, as far as names tell.
        identity_examples: a few of their names.
        extra_fields: what else the records hold, in words, such as "votes".
        skipped: what an import would leave out, and why.
        match_rules: how many rows name a file in another way than it is called, by the way.
        n_usable: images that have a label and, as far as some were opened, can be read.
        tables: files that could hold the labels.
        columns: of the chosen table.
        conflict: labels that the source gives another way, and how often they differ; None where it does not.
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

    @property
    def count_unknown_labels(self) -> tuple[str, ...]:
        """Raw labels of which nothing is known."""
        return tuple(self.labels.loc[~self.labels["known"], "raw"])

    @property
    def numberings(self) -> list[Numbering]:
        """Where numbers are undecided: what they may mean, as known datasets number expressions."""
        return matching_numberings(self.count_unknown_labels)

    @property
    def missing_files(self) -> tuple[str, ...]:
        """Names in a label file that no file has, a few of them."""
        return next((each.examples for each in self.skipped if each.reason is SkipReason.NOT_FOUND), ())

    @property
    def is_mostly_unusable(self) -> bool:
        """Whether more images could not be read or matched than would be imported."""
        return is_mostly_unusable(self.skipped, self.n_usable)

    def check(self, *, allow_partial: bool = False, labels_chosen: bool = True) -> None:
        """Refuse to import what is not decided, or the lesser half.

        Args:
            allow_partial: whether the lesser half is wanted.
            labels_chosen: whether somebody said which labels count, where the source gives two.
        Raises:
            DatasetError: nothing is known of a label, it was not said which of two labels counts, or more than half of
                the images could not be read or matched.
        """
        if not labels_chosen and self.conflict and self.conflict.n_differing:
            raise DatasetError(
                f"{self.conflict.text}, such as {self.conflict.examples[0]}. Say which to use: "
                f"--layout {self.manifest.layout} or --layout {self.conflict.other_layout}."
            )
        if self.count_unknown_labels:
            raise DatasetError(format_unknown_labels(self.count_unknown_labels))
        if not allow_partial:
            check_mostly_usable(self.skipped, self.n_usable)


def preview_import(source: Source, manifest: Manifest, records_max: int = RECORDS_MAX) -> ImportPreview:
    """Look at a source the way a manifest says.

    Raises:
        DatasetError: a label file is broken, or a table's columns were not chosen.
    """
    reader = get_reader(manifest.layout)
    names, images = source.names(), image_names(source)
    tables, columns = _tables(source, names, manifest)
    records = reader.read(source, manifest)
    seen = RecordStats(islice(records, records_max), names, in_tables=reader.write_images is not None)
    complete = next(records, None) is None
    labels = build_label_map(manifest, reader.codes, reader.unlabeled)
    found = _labels(seen.raw, labels)
    unreadable = estimate_unreadable(source, seen.images)
    rows = tuple(seen.rows.skipped(labels))
    spoilt = sum(each.count for each in (*rows, *unreadable) if each.reason is not SkipReason.AMBIGUOUS)
    conflict = find_label_conflict(source, manifest, seen.labels)
    return ImportPreview(
        manifest=manifest,
        n_files=len(images),
        n_records=seen.n,
        complete=complete,
        labels=found,
        splits={split: seen.splits[split] for split in (*Split, "") if seen.splits[split]},
        identities=len(seen.identities),
        identity_examples=tuple(sorted(seen.identities)[:EXAMPLES_MAX]),
        extra_fields=tuple(seen.extra_fields),
        skipped=(
            *seen.skipped(images if complete else ()),
            *rows,
            *unreadable,
            *_labels_left_out(found),
            *_conflict_left_out(conflict),
            *_told_to_agree(find_other_files(names, {*images, *reader.label_files(names, manifest)}), conflict),
        ),
        match_rules=seen.rows.match_rules,
        n_usable=max(0, seen.n_usable - spoilt),
        tables=tables,
        columns=columns,
        conflict=conflict,
    )


def select_manifest(source: Source, layout: str, dataset_id: str, name: str, settings: Settings) -> Manifest:
    """The manifest called `dataset_id`, else one that the source's name and layout suggest, else a new one.

    Args:
        layout: "" to recognize it.
        name: the file's or folder's, without its ending.
    Raises:
        DatasetError: the layout is not recognized, or needs what only a manifest can tell.
    """
    known = all_manifests(settings)
    for called in (known.get(dataset_id), known.get(slug(name))):
        if called is not None and _fits(called, layout, source.names()):
            return called
    layout = layout or detect_reader(source).layout
    written_layout = get_reader(layout).written_layout  # FER+ is FER+, whether its images are in a table or not
    meant = {layout, written_layout} - {"folders"}
    same = [manifest for manifest in known.values() if manifest.layout in meant]
    if layout not in ("folders", "table", "names") and len(same) == 1:
        return same[0].model_copy(update={"layout": layout})
    if layout == "names":
        raise DatasetError("Labels in file names need a manifest with a label_pattern. Choose one, or write your own.")
    return Manifest(
        id=slug(dataset_id or name),
        title=dataset_id or name,
        summary=f"Imported from {name}.",
        license="not stated; ask whoever gave you the images",
        layout=get_reader(layout).layout,
        columns=choose_columns(source) if layout == "table" else None,
    )


def _fits(manifest: Manifest, layout: str, names: Sequence[str]) -> bool:
    """Whether a manifest that goes by the right name can be meant: FER2013 comes as a table and as class folders."""
    if layout or not manifest.layout:
        return bool(layout) and manifest.layout == layout
    meant = get_reader(manifest.layout)
    # Of labels in file names nobody but the manifest knows, nor of folders by names of their own.
    return meant.layout == "names" or meant.matches(names) or not any(r.matches(names) for r in READERS.values())


def _conflict_left_out(conflict: LabelConflict | None) -> Iterator[Skipped]:
    """The labels that are not taken where the source gives two that differ."""
    if conflict and conflict.n_differing:
        detail = f"by folder and by {join_words(conflict.tables)}, of {conflict.n_compared:,} that have both"
        yield Skipped(SkipReason.LABELS_DISAGREE, conflict.n_differing, conflict.examples, detail)


def _told_to_agree(left_out: Iterable[Skipped], conflict: LabelConflict | None) -> Iterator[Skipped]:
    """Of tables that are not read, that nothing is lost where their labels are the same."""
    for each in left_out:
        agree = conflict and not conflict.n_differing and each.reason is SkipReason.TABLE_NOT_READ
        yield (
            replace(each, detail=f"the same labels for all {conflict.n_compared:,} images")
            if agree and conflict
            else each
        )


def _labels_left_out(labels: pd.DataFrame) -> Iterator[Skipped]:
    """Images whose label is known to be no expression."""
    out = labels[labels["known"] & labels["expression"].isna() & (labels["raw"] != "")]
    if len(out):
        yield Skipped(SkipReason.LABEL_LEFT_OUT, int(out["count"].sum()), tuple(out["raw"].head(EXAMPLES_MAX)))


def _labels(raw: Counter[str], labels: LabelMap) -> pd.DataFrame:
    names = [name for name, _ in raw.most_common()]
    known = [labels.is_known(name) for name in names]
    becomes = [labels.expression(name) if decided else None for name, decided in zip(names, known, strict=True)]
    return pd.DataFrame(
        {
            "raw": pd.Series(names, dtype=object),
            "count": pd.Series([raw[name] for name in names], dtype=int),
            "expression": pd.Series(becomes, dtype=object),  # or pandas makes plain strings of them
            "known": pd.Series(known, dtype=bool),
        }
    )


def _tables(source: Source, names: Sequence[str], manifest: Manifest) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tables there are, and the columns of the one that is meant."""
    if manifest.columns is None:
        return (), ()
    chosen = manifest.columns
    columns = chosen.names or table_reader.read_column_names(source, table_reader.resolve_tables(names, chosen)[0])
    return tuple(table_reader.find_tables(names)), tuple(columns)
