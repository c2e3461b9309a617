"""Counts of how rows of label files were matched to files: by which relaxations, and which contradict others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from fer_core.data.index.images import Box
from fer_core.data.ingest.skipped import EXAMPLES_MAX, Skipped, SkipReason
from fer_core.data.label_mapping.label_map import LabelMap
from fer_core.data.readers.file_matcher import MATCH_RULE_DESCRIPTIONS, MatchRule
from fer_core.data.record import Record


class MatchStats:
    """Counts of rows; feed it one record after the other."""

    def __init__(self) -> None:
        self._relaxations: Counter[str] = Counter()
        self._ambiguous: list[str] = []
        self._labels: dict[tuple[str, Box | None], str] = {}
        self._more_labels: dict[tuple[str, Box | None], set[str]] = {}

    def add(self, record: Record) -> None:
        """Count one row."""
        if record.match_rule:
            self._relaxations[record.match_rule] += 1
        if record.ambiguous:
            self._ambiguous.append(record.path)
        if record.raw_label and not record.problem:
            face = (record.path, record.box)
            first = self._labels.setdefault(face, record.raw_label)
            if first != record.raw_label:
                self._more_labels.setdefault(face, {first}).add(record.raw_label)

    @property
    def match_rules(self) -> dict[MatchRule, int]:
        """How many rows name a file in another way than it is called, by the way."""
        return {each: self._relaxations[each] for each in MatchRule if self._relaxations[each]}

    def skipped(self, labels: LabelMap) -> Iterator[Skipped]:
        """Names that fit several files, and images that rows give different expressions."""
        if self._ambiguous:
            yield Skipped(SkipReason.AMBIGUOUS, len(self._ambiguous), tuple(self._ambiguous[:EXAMPLES_MAX]))
        differing = [path for (path, _), raw in self._more_labels.items() if _differ(raw, labels)]
        if differing:
            yield Skipped(SkipReason.ROWS_DISAGREE, len(differing), tuple(differing[:EXAMPLES_MAX]))


def describe_match_rule(match_rule: MatchRule, rows: int) -> str:
    """A relaxation with its number of rows, as a sentence without its end."""
    return f"{rows:,} {'row names' if rows == 1 else 'rows name'} a file {MATCH_RULE_DESCRIPTIONS[match_rule]}"


def _differ(raw: set[str], labels: LabelMap) -> bool:
    """Whether labels stand for different expressions, as far as it is known what they stand for."""
    known = {labels.expression(label) for label in raw if labels.is_known(label)} - {None}
    return len(known) > 1
