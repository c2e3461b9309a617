"""What the records of a source have in common, counted while they are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from fer_core.data.ingest.row_matching import MatchStats
from fer_core.data.ingest.skipped import EXAMPLES_MAX, Skipped, SkipReason
from fer_core.data.readers.file_matcher import is_address
from fer_core.data.readers.file_names import contains_name
from fer_core.data.record import Record

_LOOKED_FOR = 1_000
"""Records that are looked at for what else they hold."""


class RecordStats:
    """What some records have in common."""

    def __init__(self, records: Iterable[Record], names: Sequence[str], *, in_tables: bool) -> None:
        self.n = 0
        self.labels: dict[str, str] = {}
        self._unlabeled: set[str] = set()
        self._missing = _Counted()
        self.rows = MatchStats()
        self._in_tables = in_tables
        self._without_image = 0
        self.raw: Counter[str] = Counter()
        self.splits: Counter[str] = Counter()
        self.identities: set[str] = set()
        self.extra_fields: dict[str, None] = {}
        for record in records:
            if not record.path:
                self._without_image += 1
                continue
            self.n += 1
            self.raw[record.raw_label] += 1
            self.splits[record.split or ""] += 1
            if record.identity:
                self.identities.add(record.identity)
            if self.n <= _LOOKED_FOR:
                self._look(record)
            self.rows.add(record)
            if record.ambiguous:
                continue
            if record.problem or not (in_tables or contains_name(names, record.path)):
                self._missing.add(record.path)
            elif record.raw_label:
                self.labels[record.path] = record.raw_label
            else:
                self._unlabeled.add(record.path)

    @property
    def images(self) -> list[str]:
        """The files that have a label; none where the images are in tables."""
        return [] if self._in_tables else sorted(self.labels)

    @property
    def n_usable(self) -> int:
        """How many images have a label."""
        return len(self.labels)

    def skipped(self, images: Sequence[str]) -> Iterator[Skipped]:
        """Rows without a file and images without a label.

        Args:
            images: every image, where all records were seen; a part of the records does not tell what none names.
        """
        if self._without_image:
            yield Skipped(SkipReason.WITHOUT_IMAGE, self._without_image)
        if self._missing.count:
            addresses = all(map(is_address, self._missing.examples))
            detail = "they are addresses on the web: download the images first" if addresses else ""
            yield Skipped(SkipReason.NOT_FOUND, self._missing.count, tuple(self._missing.examples), detail)
        named = self.labels.keys() | self._unlabeled
        for reason, paths in (
            (SkipReason.NOT_NAMED, [name for name in images if name not in named]),
            (SkipReason.NO_LABEL, sorted(self._unlabeled - self.labels.keys())),
        ):
            if paths:
                yield Skipped(reason, len(paths), tuple(paths[:EXAMPLES_MAX]))

    def _look(self, record: Record) -> None:
        held = {
            "votes": record.votes,
            "valence and arousal": record.valence,
            "face boxes": record.box,
            "landmarks": record.landmarks,
            **dict(record.subgroups),
        }
        self.extra_fields |= {name: None for name, value in held.items() if value is not None}


class _Counted:
    """A number of names, of which a few are kept."""

    def __init__(self) -> None:
        self.count = 0
        self.examples: list[str] = []

    def add(self, name: str) -> None:
        """Count one."""
        self.count += 1
        if len(self.examples) < EXAMPLES_MAX:
            self.examples.append(name)
