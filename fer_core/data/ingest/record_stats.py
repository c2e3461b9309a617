"""What the records of a source have in common, counted while they are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from fer_core.data.ingest.row_matching import MatchedRows
from fer_core.data.ingest.skipped import EXAMPLES_MAX, LeftOut, Reason
from fer_core.data.readers.file_matcher import is_address
from fer_core.data.readers.file_names import has
from fer_core.data.record import Record

_LOOKED_FOR = 1_000
"""Records that are looked at for what else they hold."""


class SeenRecords:
    """What some records have in common."""

    def __init__(self, records: Iterable[Record], names: Sequence[str], *, in_tables: bool) -> None:
        self.n = 0
        self.labels: dict[str, str] = {}
        self._unlabeled: set[str] = set()
        self._missing = _Counted()
        self.rows = MatchedRows()
        self._in_tables = in_tables
        self._without_image = 0
        self.raw: Counter[str] = Counter()
        self.splits: Counter[str] = Counter()
        self.identities: set[str] = set()
        self.has: dict[str, None] = {}
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
            if record.problem or not (in_tables or has(names, record.path)):
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
    def used(self) -> int:
        """How many images have a label."""
        return len(self.labels)

    def left_out(self, images: Sequence[str]) -> Iterator[LeftOut]:
        """Rows without a file and images without a label.

        Args:
            images: every image, where all records were seen; a part of the records does not tell what none names.
        """
        if self._without_image:
            yield LeftOut(Reason.WITHOUT_IMAGE, self._without_image)
        if self._missing.count:
            addresses = all(map(is_address, self._missing.examples))
            detail = "they are addresses on the web: download the images first" if addresses else ""
            yield LeftOut(Reason.NOT_FOUND, self._missing.count, tuple(self._missing.examples), detail)
        named = self.labels.keys() | self._unlabeled
        for reason, paths in (
            (Reason.NOT_NAMED, [name for name in images if name not in named]),
            (Reason.NO_LABEL, sorted(self._unlabeled - self.labels.keys())),
        ):
            if paths:
                yield LeftOut(reason, len(paths), tuple(paths[:EXAMPLES_MAX]))

    def _look(self, record: Record) -> None:
        held = {
            "votes": record.votes,
            "valence and arousal": record.valence,
            "face boxes": record.box,
            "landmarks": record.landmarks,
            **dict(record.subgroups),
        }
        self.has |= {name: None for name, value in held.items() if value is not None}


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
