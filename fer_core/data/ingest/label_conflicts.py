"""Comparison of the two labels that a source may give an image: by folder and by table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fer_core.data.ingest.skipped import EXAMPLES_MAX
from fer_core.data.label_mapping.label_map import LabelMap
from fer_core.data.manifest import Layout, Manifest, TableColumns
from fer_core.data.readers import READERS
from fer_core.data.readers.file_names import image_names
from fer_core.data.readers.table import choose_columns, resolve_tables
from fer_core.data.record import Record
from fer_core.data.sources.source import Source
from fer_core.errors import DatasetError
from fer_core.text import join_words

_BY_FOLDER = ("folders", "rafdb")


@dataclass(frozen=True, slots=True)
class LabelConflict:
    """How the labels of tables compare to those of folders.

    Attributes:
        other_layout: the layout that reads the labels which the proposed manifest does not.
        n_compared: images that both label.
        n_differing: those of them whose two labels differ.
        examples: a few of these, each with the proposed label and the other.
    """

    tables: tuple[str, ...]
    other_layout: Layout
    n_compared: int
    n_differing: int
    examples: tuple[str, ...]

    @property
    def text(self) -> str:
        """The disagreement in a sentence, without its full stop."""
        return (
            f"The folders and {join_words(self.tables)} give different labels to {self.n_differing:,} of the "
            f"{self.n_compared:,} images that both label"
        )


def find_label_conflict(source: Source, manifest: Manifest, proposed: Mapping[str, str]) -> LabelConflict | None:
    """Compare the proposed labels with those that the source gives in another way; None where it does not.

    Args:
        proposed: raw labels by path, read with `manifest`.
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
        labels, records = READERS[manifest.layout].label_map(manifest), READERS[other.layout].read(source, other)
        return _compare(proposed, labels, records, other, tables)
    except DatasetError:
        return None


def _compare(
    proposed: Mapping[str, str], labels: LabelMap, records: Iterable[Record], other: Manifest, tables: tuple[str, ...]
) -> LabelConflict | None:
    pairs = {r.path: (proposed[r.path], r.raw_label) for r in records if r.raw_label and proposed.get(r.path)}
    if not pairs:
        return None
    counts = Counter(pairs.values())
    others = READERS[other.layout].label_map(other)
    mine = _resolve_labels(counts, labels, others)
    theirs = _resolve_labels(Counter({(b, a): n for (a, b), n in counts.items()}), others, labels)
    differing = [path for path, (label, another) in pairs.items() if mine[label] != theirs[another]]
    examples = [f"{path} ({pairs[path][0]}, {pairs[path][1]})" for path in differing[:EXAMPLES_MAX]]
    return LabelConflict(tables, other.layout, len(pairs), len(differing), tuple(examples))


def _resolve_labels(pairs: Counter[tuple[str, str]], labels: LabelMap, others: LabelMap) -> dict[str, str]:
    """Map the first label of each pair to an expression; an unknown one to that of its most frequent second label."""
    resolved: dict[str, str] = {}
    for (label, other), _ in pairs.most_common():
        if label not in resolved:
            unknown = not labels.is_known(label) and others.is_known(other)
            resolved[label] = _resolve_label(other, others) if unknown else _resolve_label(label, labels)
    return resolved


def _resolve_label(raw: str, labels: LabelMap) -> str:
    expression = labels.expression(raw) if labels.is_known(raw) else None
    return str(expression or raw.strip().lower())
