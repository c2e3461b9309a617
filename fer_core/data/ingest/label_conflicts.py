"""Where a source gives its images labels twice, by folders and by a table: how often the two disagree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fer_core.data.ingest.skipped import EXAMPLES_MAX
from fer_core.data.label_mapping.label_map import LabelMap, build_label_map
from fer_core.data.manifest import Layout, Manifest, TableColumns
from fer_core.data.readers import READERS
from fer_core.data.readers.file_names import image_names
from fer_core.data.readers.table import resolve_tables
from fer_core.data.readers.table_choice import choose_columns
from fer_core.data.record import Record
from fer_core.data.sources.source import Source
from fer_core.errors import DatasetError
from fer_core.text import join_words

_BY_FOLDER = ("folders", "rafdb")


@dataclass(frozen=True, slots=True)
class LabelConflict:
    """The labels of a table held against those of the folders.

    Attributes:
        tables: the tables.
        other_layout: the layout that takes the labels which the proposal does not.
        n_compared: images that both label.
        n_differing: of these, the ones to which they give different labels.
        examples: a few of them, each with the proposal's label and the other.
    """

    tables: tuple[str, ...]
    other_layout: Layout
    n_compared: int
    n_differing: int
    examples: tuple[str, ...]

    @property
    def text(self) -> str:
        """What they disagree on, in a sentence."""
        return (
            f"The folders and {join_words(self.tables)} give different labels to {self.n_differing:,} of the "
            f"{self.n_compared:,} images that both label"
        )


def find_label_conflict(source: Source, manifest: Manifest, proposed: Mapping[str, str]) -> LabelConflict | None:
    """Compare a proposal's labels with those that the source gives another way; None where it gives none.

    Args:
        source: the files.
        manifest: as proposed.
        proposed: raw labels by path.
    """
    try:
        columns: TableColumns | None
        if manifest.layout in _BY_FOLDER:
            columns = choose_columns(source)
            other = manifest.model_copy(update={"layout": "table", "columns": columns})
        elif manifest.layout == "table" and READERS["folders"].matches(image_names(source)):
            columns = manifest.columns
            other = manifest.model_copy(update={"layout": "folders"})
        else:
            return None
        assert columns is not None
        tables = tuple(resolve_tables(source.names(), columns))
        return _compared(proposed, _maps(manifest), READERS[other.layout].read(source, other), other, tables)
    except DatasetError:
        return None


def _maps(manifest: Manifest) -> LabelMap:
    reader = READERS[manifest.layout]
    return build_label_map(manifest, reader.codes, reader.unlabeled)


def _compared(
    proposed: Mapping[str, str], labels: LabelMap, records: Iterable[Record], other: Manifest, tables: tuple[str, ...]
) -> LabelConflict | None:
    pairs = {r.path: (proposed[r.path], r.raw_label) for r in records if r.raw_label and proposed.get(r.path)}
    if not pairs:
        return None
    counted = Counter(pairs.values())
    others = _maps(other)
    mine = _meanings(counted, labels, others)
    theirs = _meanings(Counter({(b, a): n for (a, b), n in counted.items()}), others, labels)
    differing = [path for path, (label, another) in pairs.items() if mine[label] != theirs[another]]
    examples = [f"{path} ({pairs[path][0]}, {pairs[path][1]})" for path in differing[:EXAMPLES_MAX]]
    return LabelConflict(tables, other.layout, len(pairs), len(differing), tuple(examples))


def _meanings(pairs: Counter[tuple[str, str]], labels: LabelMap, others: LabelMap) -> dict[str, str]:
    """What each first label of the pairs means; a code that nobody knows means what it meets most."""
    meant: dict[str, str] = {}
    for (label, another), _ in pairs.most_common():
        if label not in meant:
            unknown = not labels.is_known(label) and others.is_known(another)
            meant[label] = _meaning(another, others) if unknown else _meaning(label, labels)
    return meant


def _meaning(raw: str, labels: LabelMap) -> str:
    expression = labels.expression(raw) if labels.is_known(raw) else None
    return str(expression or raw.strip().lower())
