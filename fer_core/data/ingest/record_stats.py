"""Statistics of a source's records, collected while they are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from fer_core.data.index.images import Box
from fer_core.data.ingest.skipped import EXAMPLES_MAX, Skipped, SkipReason
from fer_core.data.label_mapping.label_map import LabelMap
from fer_core.data.readers.file_matcher import MATCH_RULE_DESCRIPTIONS, MatchRule, is_web_address
from fer_core.data.record import Record
from fer_core.data.sources.source import contains_name

_FIELD_SAMPLE = 1_000
"""Records that are searched for extra fields."""


class RecordStats:
    """Counts over a source's records.

    Attributes:
        n: records that stand for an image.
        labels: raw label by path, of the images that exist and have one.
        raw_labels: number of records by raw label.
        splits: number of records by published split; "" for records without one.
        extra_fields: fields beside the label that records have, such as "votes", in the order they were found.
    """

    def __init__(self, records: Iterable[Record], names: Sequence[str], *, in_tables: bool) -> None:
        """Read the records.

        Args:
            names: the source's file names, sorted.
            in_tables: whether the images are stored in the label tables, so that they have no files yet.
        """
        self.n = 0
        self.labels: dict[str, str] = {}
        self.raw_labels: Counter[str] = Counter()
        self.splits: Counter[str] = Counter()
        self.identities: set[str] = set()
        self.extra_fields: dict[str, None] = {}
        self._in_tables = in_tables
        self._match_rules: Counter[str] = Counter()
        self._rows_without_image = 0
        self._unlabeled: set[str] = set()
        self._missing: list[str] = []
        self._ambiguous: list[str] = []
        self._first_labels: dict[tuple[str, Box | None], str] = {}
        self._other_labels: dict[tuple[str, Box | None], set[str]] = {}
        for record in records:
            if record.path:
                self._add(record, exists=in_tables or contains_name(names, record.path))
            else:
                self._rows_without_image += 1

    def _add(self, record: Record, *, exists: bool) -> None:
        self.n += 1
        self.raw_labels[record.raw_label] += 1
        self.splits[record.split or ""] += 1
        if record.identity:
            self.identities.add(record.identity)
        if record.match_rule:
            self._match_rules[record.match_rule] += 1
        if self.n <= _FIELD_SAMPLE:
            self._find_fields(record)
        if record.raw_label and not record.problem:
            face = (record.path, record.box)
            first = self._first_labels.setdefault(face, record.raw_label)
            if first != record.raw_label:
                self._other_labels.setdefault(face, {first}).add(record.raw_label)
        if record.ambiguous:
            self._ambiguous.append(record.path)
        elif record.problem or not exists:
            self._missing.append(record.path)
        elif record.raw_label:
            self.labels[record.path] = record.raw_label
        else:
            self._unlabeled.add(record.path)

    def _find_fields(self, record: Record) -> None:
        fields = {
            "votes": record.votes,
            "valence and arousal": record.valence,
            "face boxes": record.box,
            "landmarks": record.landmarks,
            **dict(record.subgroups),
        }
        self.extra_fields |= {name: None for name, value in fields.items() if value is not None}

    @property
    def image_files(self) -> list[str]:
        """The files that have a label; none where the images are in tables."""
        return [] if self._in_tables else sorted(self.labels)

    @property
    def match_rules(self) -> dict[MatchRule, int]:
        """Number of rows whose file name was matched by each rule other than equality."""
        return {rule: self._match_rules[rule] for rule in MatchRule if self._match_rules[rule]}

    def skipped_files(self, images: Sequence[str]) -> Iterator[Skipped]:
        """List rows without a file and images without a label.

        Args:
            images: every image of the source where all records were read, else none.
        """
        if self._rows_without_image:
            yield Skipped(SkipReason.WITHOUT_IMAGE, self._rows_without_image)
        if self._missing:
            urls = all(map(is_web_address, self._missing[:EXAMPLES_MAX]))
            detail = "they are web addresses: download the images first" if urls else ""
            yield _skip(SkipReason.NOT_FOUND, self._missing, detail)
        listed = self.labels.keys() | self._unlabeled
        if not_listed := [name for name in images if name not in listed]:
            yield _skip(SkipReason.NOT_NAMED, not_listed)
        if unlabeled := sorted(self._unlabeled - self.labels.keys()):
            yield _skip(SkipReason.NO_LABEL, unlabeled)

    def skipped_rows(self, labels: LabelMap) -> Iterator[Skipped]:
        """List names that match several files, and images to which rows give different expressions."""
        if self._ambiguous:
            yield _skip(SkipReason.AMBIGUOUS, self._ambiguous)
        if differing := [path for (path, _), raw in self._other_labels.items() if _differ(raw, labels)]:
            yield _skip(SkipReason.ROWS_DISAGREE, differing)


def describe_match_rule(rule: MatchRule, n_rows: int) -> str:
    """Describe how rows name their files, such as "3 rows name a file in different upper or lower case"."""
    return f"{n_rows:,} {'row names' if n_rows == 1 else 'rows name'} a file {MATCH_RULE_DESCRIPTIONS[rule]}"


def _skip(reason: SkipReason, names: Sequence[str], detail: str = "") -> Skipped:
    return Skipped(reason, len(names), tuple(names[:EXAMPLES_MAX]), detail)


def _differ(raw_labels: set[str], labels: LabelMap) -> bool:
    """Whether the labels that are known map to different expressions."""
    known = {labels.expression(label) for label in raw_labels if labels.is_known(label)} - {None}
    return len(known) > 1
